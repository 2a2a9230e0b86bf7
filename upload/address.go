package upload

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/internal/redact"
)

const (
	// credentialLife is what the services promise for an upload credential,
	// whatever the credential says of itself.
	credentialLife = 3000 * time.Second

	maxDocument = 64 << 10 // bytes of UploadAddress or UploadAuth
	maxKey      = 1023     // bytes of an object key
)

// address is the place of one object, without a secret.
type address struct {
	Endpoint string // scheme and host, such as "https://oss-cn-shanghai.aliyuncs.com"
	Bucket   string
	Key      string
}

// fileURL is the URL of the object without authentication.
func (a address) fileURL() string {
	scheme, host, _ := strings.Cut(a.Endpoint, "://")
	u := url.URL{Scheme: scheme, Host: a.Bucket + "." + host, Path: "/" + a.Key}
	if isLoopback(host) {
		u.Host, u.Path = host, "/"+a.Bucket+"/"+a.Key
	}
	// Path escaping leaves "+" alone, which other parsers read as a blank.
	return strings.ReplaceAll(u.String(), "+", "%2B")
}

func (a address) host() string {
	_, host, _ := strings.Cut(a.Endpoint, "://")
	return host
}

// permit is a decoded UploadAddress and UploadAuth.
type permit struct {
	address
	prefix string // of further objects of the asset; empty where there are none
	keys   credentials.Credentials
	life   time.Duration // from the moment of issue
	doubt  bool          // life was counted by our own clock
}

// decode reads the answer of a service that has just come. How long the
// credential lives is counted by the service's clock.
func (u *Uploader) decode(uploadAddress, uploadAuth string) (permit, error) {
	p, err := decodePermit(uploadAddress, uploadAuth, u.api.now())
	p.doubt = !u.api.known.Load()
	return p, err
}

// decodePermit reads an UploadAddress and an UploadAuth: Base64 of one JSON
// object each. It takes the standard and the URL-safe alphabet, padded or not,
// keys in any case and keys it does not know. Documented samples have the two
// swapped, so the fields are looked for in both. now is the time of the
// service as far as it is known.
func decodePermit(uploadAddress, uploadAuth string, now time.Time) (permit, error) {
	fields := make(document)
	for _, part := range []struct{ name, text string }{{"UploadAddress", uploadAddress}, {"UploadAuth", uploadAuth}} {
		if err := fields.add(part.name, part.text); err != nil {
			return permit{}, err
		}
	}
	var missing []string
	need := func(name string) string {
		value := fields.text(name)
		if value == "" {
			missing = append(missing, name)
		}
		return value
	}
	p := permit{
		address: address{Endpoint: need("Endpoint"), Bucket: need("Bucket"), Key: need("FileName")},
		keys: credentials.Credentials{
			AccessKeyId:     need("AccessKeyId"),
			AccessKeySecret: need("AccessKeySecret"),
			SecurityToken:   need("SecurityToken"),
			Source:          "UploadAuth",
		},
	}
	if missing != nil {
		return permit{}, fmt.Errorf("%w: no %s in UploadAddress and UploadAuth", ErrAddress, strings.Join(missing, ", "))
	}
	p.prefix = fields.text("ObjectPrefix")
	var err error
	if p.Endpoint, err = parseEndpoint(p.Endpoint); err != nil {
		return permit{}, fmt.Errorf("%w: %w", ErrAddress, err)
	}
	if err := checkObject(p.Bucket, p.Key); err != nil {
		return permit{}, fmt.Errorf("%w: %w", ErrAddress, err)
	}
	p.life = credentialLifetime(fields.text("ExpireUTCTime"), fields.text("Expiration"), now)
	return p, nil
}

// document holds the fields of both halves under lower-case names.
type document map[string]json.RawMessage

func (d document) add(name, text string) error {
	if len(text) > maxDocument {
		return fmt.Errorf("%w: %s is longer than %d bytes", ErrAddress, name, maxDocument)
	}
	text = strings.Join(strings.Fields(text), "")
	if text == "" {
		return fmt.Errorf("%w: %s is empty", ErrAddress, name)
	}
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	data, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return fmt.Errorf("%w: %s is not Base64", ErrAddress, name)
	}
	var fields map[string]json.RawMessage
	// The cause is left out: it may quote the document, which holds a secret.
	if json.Unmarshal(data, &fields) != nil || fields == nil {
		return fmt.Errorf("%w: %s is not a JSON object", ErrAddress, name)
	}
	for key, value := range fields {
		d[strings.ToLower(key)] = value
	}
	return nil
}

// text returns a field that is a string or a number, "" for anything else.
func (d document) text(name string) string {
	raw := bytes.TrimSpace(d[strings.ToLower(name)])
	if len(raw) == 0 {
		return ""
	}
	if raw[0] == '"' {
		var s string
		if json.Unmarshal(raw, &s) != nil {
			return ""
		}
		if name == "FileName" { // an object key is taken as it is
			return s
		}
		return strings.TrimSpace(s)
	}
	if c := raw[0]; c == '-' || '0' <= c && c <= '9' {
		return string(raw)
	}
	return ""
}

// credentialLifetime says how long a credential may be used from now on. The
// instant ExpireUTCTime wins over Expiration, which is seconds as a string or
// a number, or an instant. An instant that has passed means that our clock is
// wrong, for the credential is new: the next hint counts.
func credentialLifetime(expireUTCTime, expiration string, now time.Time) time.Duration {
	until := func(text string) time.Duration {
		t, err := alimedia.ParseTime(text)
		if err != nil {
			return 0
		}
		return t.Sub(now)
	}
	life := until(expireUTCTime)
	if life <= 0 {
		if seconds, err := strconv.ParseFloat(expiration, 64); err == nil {
			life = time.Duration(min(seconds, credentialLife.Seconds()) * float64(time.Second))
		} else {
			life = until(expiration)
		}
	}
	if life <= 0 || life > credentialLife {
		return credentialLife
	}
	return life
}

// parseEndpoint returns scheme and host of an endpoint that comes with or
// without a scheme. Everything but loopback is reached over HTTPS.
func parseEndpoint(endpoint string) (string, error) {
	refuse := func(why string) (string, error) {
		return "", fmt.Errorf("endpoint %.80q %s", endpoint, why)
	}
	text := endpoint
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || !isHost(u.Hostname()):
		return refuse("is not a host")
	case u.Scheme != "https" && u.Scheme != "http":
		return refuse("is neither https nor http")
	case u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return refuse("has more than a scheme and a host")
	}
	if u.Scheme == "http" && !isLoopback(u.Host) {
		if u.Port() != "" && u.Port() != "80" {
			return refuse("is not https")
		}
		u.Scheme, u.Host = "https", u.Hostname()
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), nil
}

// isHost accepts an address, and a name of labels as DNS has them.
func isHost(name string) bool {
	if net.ParseIP(name) != nil {
		return true
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if c != '-' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
				return false
			}
		}
	}
	return len(name) <= 253
}

// isRegion accepts the form of a region ID.
func isRegion(id string) bool {
	for label := range strings.SplitSeq(id, "-") {
		if label == "" {
			return false
		}
		for _, c := range []byte(label) {
			if (c < '0' || c > '9') && (c < 'a' || c > 'z') {
				return false
			}
		}
	}
	return len(id) <= 40
}

// parseHosts checks Config.OSSHosts.
func parseHosts(hosts []string) ([]string, error) {
	var all []string
	for _, host := range hosts {
		name := strings.ToLower(strings.TrimSpace(host))
		if !isHost(strings.Trim(strings.TrimPrefix(name, "*."), "[]")) {
			return nil, fmt.Errorf("%.80q is neither a host such as \"oss.example.com\" nor \"*.example.com\"", host)
		}
		all = append(all, name)
	}
	return all, nil
}

const domainOfOSS = ".aliyuncs.com"

// trusts reports whether an upload credential may be sent to the endpoint that
// a service named.
func (u *Uploader) trusts(endpoint string) error {
	parsed, err := url.Parse(endpoint)
	if err != nil {
		return fatal(ErrUntrustedHost)
	}
	host := strings.ToLower(parsed.Hostname())
	if strings.HasSuffix(host, domainOfOSS) && isHost(host) || isLoopback(host) && u.local {
		return nil
	}
	for _, known := range u.cfg.OSSHosts {
		below, isBelow := strings.CutPrefix(known, "*")
		if host == strings.Trim(known, "[]") || isBelow && strings.HasSuffix(host, below) && isHost(host) {
			return nil
		}
	}
	return fatal(fmt.Errorf("%w: %w: %s", ErrAddress, ErrUntrustedHost, clip(redact.Line(host), 100)))
}

// isPublicOSS reports whether an endpoint is a host of OSS that has an
// internal twin.
func isPublicOSS(endpoint string) bool {
	parsed, err := url.Parse(endpoint)
	return err == nil && parsed.Port() == "" && strings.HasSuffix(parsed.Hostname(), domainOfOSS)
}

func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return ip.IsLoopback() || host == "localhost"
}

// checkObject refuses names that the store refuses.
func checkObject(bucket, key string) error {
	if len(bucket) < 3 || len(bucket) > 63 || bucket[0] == '-' || bucket[len(bucket)-1] == '-' {
		return fmt.Errorf("bucket name %.80q: 3 to 63 characters, none of them a dash at an end", bucket)
	}
	for _, c := range []byte(bucket) {
		if c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return fmt.Errorf("bucket name %.80q: only lower-case letters, digits and dashes", bucket)
		}
	}
	switch {
	case key == "":
		return errors.New("object key is empty")
	case len(key) > maxKey:
		return fmt.Errorf("object key has %d bytes, at most %d are possible", len(key), maxKey)
	case !utf8.ValidString(key):
		return errors.New("object key is not UTF-8")
	case key[0] == '/' || key[0] == '\\':
		return fmt.Errorf("object key %.80q begins with a slash", key)
	}
	return nil
}

// regionOf returns the region in the host of an OSS endpoint or of an object's
// URL, "" where there is none, as with acceleration endpoints and own domains.
func regionOf(rawURL string) string {
	_, host, _ := strings.Cut(rawURL, "://")
	host, _, _ = strings.Cut(host, "/")
	name, ok := strings.CutSuffix(strings.ToLower(host), domainOfOSS)
	if !ok || !isHost(name) {
		return ""
	}
	if region, ok := strings.CutSuffix(name, ".oss"); ok { // dual-stack
		return asRegion(region[strings.LastIndexByte(region, '.')+1:])
	}
	name = name[strings.LastIndexByte(name, '.')+1:]
	region, ok := strings.CutPrefix(strings.TrimPrefix(name, "vpc100-"), "oss-")
	if !ok || strings.HasPrefix(region, "accelerate") {
		return ""
	}
	return asRegion(strings.TrimSuffix(region, "-internal"))
}

// asRegion is region where it has the form of one.
func asRegion(region string) string {
	if isRegion(region) {
		return region
	}
	return ""
}
