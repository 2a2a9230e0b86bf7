package mediatest

import (
	"io"
	"net"
	"net/http"
	"time"

	"github.com/alimedia/alimedia-go/credentials"
)

// Option changes how a server behaves.
type Option func(*options)

type options struct {
	region   string
	storage  string
	inMemory bool
	discard  bool
	quirks   bool
	strict   bool
	rates    map[string]float64
	life     time.Duration
	delay    time.Duration
	polls    int
	encode   func(address, auth map[string]any) (string, string)
	log      io.Writer
	memory   int64
	listener net.Listener
	keys     credentials.Credentials
	control  bool
	events   *http.Client
	play     *playDomain
	seed     *uint64
	kept     int64 // bytes of content that Save writes
}

const defaultLife = 3000 * time.Second

func defaults() options {
	return options{region: "cn-shanghai", life: defaultLife, encode: encodeUpload, memory: defaultMemory, kept: defaultStateContent}
}

func (o *options) storageRegion() string {
	if o.storage != "" {
		return o.storage
	}
	return o.region
}

// InMemory uses pipes instead of sockets, for tests in a testing/synctest
// bubble. Only [Server.HTTPClient] reaches such a server; it takes every host
// name, with http and https alike.
func InMemory() Option { return func(o *options) { o.inMemory = true } }

// Listener serves on l, which Close closes, instead of a loopback port of the
// server's own choice. Whoever reaches the address can use the server.
func Listener(l net.Listener) Option { return func(o *options) { o.listener = l } }

// AccessKey sets the long-lived keys of the first account, for programs that
// have keys of their own in their configuration. By default they are random.
func AccessKey(id, secret string) Option {
	return func(o *options) {
		o.keys = credentials.Credentials{AccessKeyId: id, AccessKeySecret: secret, Source: "mediatest"}
	}
}

// Region sets the region of the services. The default is cn-shanghai.
func Region(id string) Option { return func(o *options) { o.region = id } }

// StorageRegion sets the region of the managed bucket where it is not that of
// the services.
func StorageRegion(id string) Option { return func(o *options) { o.storage = id } }

// CredentialLife sets how long issued credentials are valid. The default is
// 3000 seconds.
func CredentialLife(d time.Duration) Option { return func(o *options) { o.life = d } }

// Discard keeps size and CRC-64 of objects and parts but not their bytes, for
// uploads of any size. GetObject and [Server.Object] then have nothing to
// give, and an ETag is not an MD5.
func Discard() Option { return func(o *options) { o.discard = true } }

// Processing keeps an asset in its intermediate status (Transcoding in VOD,
// Preparing in ICE) for a time after its object is complete.
func Processing(d time.Duration) Option { return func(o *options) { o.delay = d } }

// ProcessingPolls keeps an asset in its intermediate status for the first n
// times that it is asked for.
func ProcessingPolls(n int) Option { return func(o *options) { o.polls = n } }

// Quirks answers with the oddities of the documented samples: a MediaId that
// ends in a newline from RegisterYikeAssetMediaInfo, FailedFileURLs whose
// elements are JSON arrays from RegisterMedia.
func Quirks() Option { return func(o *options) { o.quirks = true } }

// Strict refuses what would hide a mistake: operations that have no behavior
// (see [Levels]), parameters that an operation does not have, and parameters in
// the query that belong into the form body or the other way round. The real
// gateway takes the latter two.
func Strict() Option { return func(o *options) { o.strict = true } }

// EncodeUpload decides how UploadAddress and UploadAuth are written. The hook
// receives both as the JSON objects they are, may change them, and returns the
// two strings of the answer; [EncodeBase64] makes the regular ones. It is
// called for every answer that carries them and must be safe for concurrent
// use.
//
// The Endpoint of the address is the server's IP address. Clients for browsers,
// such as aliyun-upload-vod and ali-oss, name the bucket in the host and cannot use
// it; give them localhost:
//
//	address["Endpoint"] = strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)
func EncodeUpload(hook func(address, auth map[string]any) (uploadAddress, uploadAuth string)) Option {
	return func(o *options) { o.encode = hook }
}

// Log writes one line for each request: operation, status and error code.
func Log(w io.Writer) Option { return func(o *options) { o.log = w } }
