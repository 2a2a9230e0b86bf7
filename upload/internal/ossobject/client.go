// Package ossobject makes the requests for one object in OSS: signatures,
// endpoints, headers, XML, and the UploadAddress and UploadAuth that name the
// object. It implements [transfer.Object].
//
// A method succeeds only if the response has what OSS alone puts into it. It
// makes one request and repeats nothing. Requests go through
// aliyun-oss-go-sdk, which no other package imports.
//
// It knows neither media assets nor checkpoints, and it does not decide which
// parts are sent.
package ossobject

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"

	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

// Config is the setting of a [Client].
type Config struct {
	HTTPClient      *http.Client // nil means a client with pooled connections and the environment's proxy
	UserAgent       string
	AllowMissingCRC bool // accept responses without a CRC-64
}

// Client opens objects. It is safe for concurrent use.
type Client struct {
	http            *http.Client
	userAgent       string
	allowMissingCRC bool
	clocks          transfer.Clocks

	mu      sync.Mutex
	buckets map[bucketKey]*bucket
}

// NewClient returns a Client.
func NewClient(c Config) *Client {
	return &Client{http: boundedClient(c.HTTPClient), userAgent: c.UserAgent, allowMissingCRC: c.AllowMissingCRC, buckets: make(map[bucketKey]*bucket)}
}

// Clock returns the clock of the host of a.
func (c *Client) Clock(a Address) *transfer.Clock { return c.clocks.Of(a.Host()) }

// Opener returns the Open of a [transfer.Destination]. region is the one in the
// signature; without it requests are signed by version 1.
func (c *Client) Opener(a Address, region string, h Headers) func(credentials.Credentials) (transfer.Object, error) {
	clock := c.Clock(a)
	return func(signer credentials.Credentials) (transfer.Object, error) {
		b, err := c.bucket(a, region, signer)
		if err != nil {
			return nil, err
		}
		return &Object{bucket: b, key: a.Key, path: "/" + escapePath(a.Key), headers: h, clock: clock, allowMissingCRC: c.allowMissingCRC}, nil
	}
}

// bucketKey is what requests for the objects of a bucket have in common.
type bucketKey struct {
	endpoint, name, region         string
	accessKeyID, secret, tokenText string
}

// bucket is a bucket as one credential reaches it.
type bucket struct {
	sdk         *oss.Bucket
	name        string
	credentials credentials.Credentials
	signer      *signer // nil: the SDK makes a signature of version 1
	url         string  // without the slash at its end
}

// maxBuckets bounds the buckets that are kept. Upload credentials are of one
// object each and are not used again.
const maxBuckets = 16

// bucket returns a bucket that several objects share.
func (c *Client) bucket(a Address, region string, signer credentials.Credentials) (*bucket, error) {
	key := bucketKey{a.Endpoint, a.Bucket, region, signer.AccessKeyId, signer.AccessKeySecret, signer.SecurityToken}
	c.mu.Lock()
	defer c.mu.Unlock()
	if b := c.buckets[key]; b != nil {
		return b, nil
	}
	b, err := c.newBucket(a, region, signer)
	if err != nil {
		return nil, err
	}
	if len(c.buckets) >= maxBuckets {
		clear(c.buckets)
	}
	c.buckets[key] = b
	return b, nil
}

func (c *Client) newBucket(a Address, region string, keys credentials.Credentials) (*bucket, error) {
	client, err := oss.New(a.Endpoint, keys.AccessKeyId, keys.AccessKeySecret,
		oss.HTTPClient(c.http),
		oss.UserAgent(c.userAgent),
		oss.SecurityToken(keys.SecurityToken),
		oss.EnableCRC(false), // the engine computes it, once
		oss.EnableMD5(false),
		oss.ForcePathStyle(IsLoopback(a.Host())),
	)
	if err != nil {
		return nil, err
	}
	sdk, err := client.Bucket(a.Bucket)
	if err != nil {
		return nil, err
	}
	b := &bucket{sdk: sdk, name: a.Bucket, credentials: keys, url: bucketURL(a)}
	if region != "" {
		b.signer = &signer{credentials: keys, region: region}
	}
	return b, nil
}

// bucketURL is the URL of a bucket: its name is the first label of the host, or
// the first element of the path if the host is an IP address.
func bucketURL(a Address) string {
	scheme, host, _ := strings.Cut(a.Endpoint, "://")
	if IsLoopback(host) || isIP(host) {
		return a.Endpoint + "/" + a.Bucket
	}
	return scheme + "://" + a.Bucket + "." + host
}

// escapePath escapes an object key for a URL and for the signature.
func escapePath(key string) string { return strings.ReplaceAll(escape(key), "%2F", "/") }

// boundedClient returns a client like base that does not follow redirects to
// other hosts and whose responses are bounded.
func boundedClient(base *http.Client) *http.Client {
	if base == nil {
		base = defaultClient()
	}
	client := *base
	client.Jar = nil
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client.Transport = boundedTransport{base.Transport}
	return &client
}

// defaultClient is shared: all uploads use one pool of connections.
var defaultClient = sync.OnceValue(func() *http.Client { return &http.Client{Transport: newTransport(nil)} })

type boundedTransport struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	base := t.RoundTripper
	if base == nil {
		base = http.DefaultTransport
	}
	if note, ok := r.Context().Value(authorizationKey{}).(*string); ok {
		*note = r.Header.Get("Authorization")
	}
	response, err := base.RoundTrip(r)
	if err == nil {
		response.Body = &boundedBody{io.LimitedReader{R: response.Body, N: maxResponse}, response.Body}
	}
	return response, err
}

// boundedBody is a body of at most maxResponse bytes.
type boundedBody struct {
	io.LimitedReader
	io.Closer
}

// authorizationKey finds in a context where to note the Authorization header of
// a request that the SDK signs.
type authorizationKey struct{}

func noteAuthorization(ctx context.Context) (context.Context, *string) {
	note := new(string)
	return context.WithValue(ctx, authorizationKey{}, note), note
}
