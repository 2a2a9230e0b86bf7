package mediatest

import (
	"cmp"
	"crypto/hmac"
	"crypto/md5"
	"encoding/hex"
	"maps"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go"
)

// URLSigning are the settings of URL signing of a [PlayDomain], as in the console.
type URLSigning struct {
	Type string          // A, B or C; GetPlayInfo signs by type A only
	Key  alimedia.Secret // primary key; empty means that URL signing is off
	Old  alimedia.Secret // secondary key, accepted as well
	TTL  time.Duration   // validity period; 30 minutes if zero
}

// PlayDomain is a domain name of the CDN, such as "play.localhost", which serves
// the objects of all buckets under their keys: those of the managed buckets first,
// then by the name of the bucket. GetPlayInfo of ApsaraVideo VOD returns URLs of it
// in PlayURL. With URL signing a request without a valid signature is answered with
// HTTP 403, and the header X-Tengine-Error says why. Validity is judged by the
// server's [Clock].
//
// [Server.HTTPClient] reaches names that end in .localhost, and any name if the
// server is [InMemory]. [Server.PlayURL] is the unsigned URL of an object.
func PlayDomain(host string, signing URLSigning) Option {
	return func(o *options) {
		signing.TTL = cmp.Or(signing.TTL, 30*time.Minute)
		signing.Type = cmp.Or(signing.Type, "A")
		o.play = &playDomain{host: strings.ToLower(host), URLSigning: signing}
	}
}

type playDomain struct {
	host string
	URLSigning
}

// PlayURL is the URL of an object at the [PlayDomain], without a signature; empty
// without the option.
func (s *Server) PlayURL(key string) string {
	if s.opts.play == nil {
		return ""
	}
	host := s.opts.play.host
	if u, err := url.Parse(s.URL); err == nil && u.Port() != "" && !s.opts.inMemory {
		host = net.JoinHostPort(host, u.Port())
	}
	return "http://" + host + "/" + escapeKey(key)
}

// isPlay reports whether a request is for the CDN.
func (s *Server) isPlay(r *http.Request) bool {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return s.opts.play != nil && strings.EqualFold(host, s.opts.play.host)
}

// playURL replaces the URL of an object in the answer of GetPlayInfo.
func (c *call) playURL(info fields) fields {
	d, address := c.opts.play, ""
	if d != nil {
		address, _ = info["PlayURL"].(string)
	}
	u, err := url.Parse(address)
	if address == "" || err != nil {
		return info
	}
	info = maps.Clone(info)
	signed := c.PlayURL(strings.TrimPrefix(u.Path, "/"))
	if d.Key != "" && d.Type == "A" {
		at := c.now
		if seconds, err := strconv.ParseInt(c.get("AuthTimeout"), 10, 64); err == nil && seconds > 0 {
			at = at.Add(time.Duration(seconds)*time.Second - d.TTL)
		}
		var who struct {
			Uid  string `json:"uid"`
			Rand string `json:"rand"`
		}
		_ = c.document("ReAuthInfo", &who)
		stamp := strconv.FormatInt(at.Unix(), 10) + "-" + cmp.Or(who.Rand, hex.EncodeToString(c.ids.bytes(true, 16))) + "-" + cmp.Or(who.Uid, "0")
		path := signed[strings.Index(signed[len("http://"):], "/")+len("http://"):]
		signed += "?auth_key=" + stamp + "-" + md5Hex(path+"-"+stamp+"-"+d.Key.Reveal())
	}
	info["PlayURL"] = signed
	return info
}

func md5Hex(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

// serveCDN answers a request for the play domain.
func (s *Server) serveCDN(x *exchange) {
	if x.r.Method != http.MethodGet && x.r.Method != http.MethodHead {
		x.refuseCDN(http.StatusMethodNotAllowed, "method not allowed")
		return
	}
	target, _, _ := strings.Cut(x.r.RequestURI, "?")
	path, reason := target, ""
	s.mu.Lock()
	if d := s.opts.play; d.Key != "" {
		path, reason = d.verify(target, x.query, s.now())
	}
	if reason == "" {
		x.key = pathUnescape(strings.TrimPrefix(path, "/"))
		x.bucket = s.bucketWith(x.key)
	}
	s.mu.Unlock()
	switch {
	case reason != "":
		x.refuseCDN(http.StatusForbidden, "denied by req auth: "+reason)
		return
	case x.bucket == "":
		x.refuseCDN(http.StatusNotFound, "not found")
		return
	}
	found, err := s.getObject(x)
	if err != nil {
		f, _ := err.(failure)
		x.refuseCDN(cmp.Or(f.status, http.StatusInternalServerError), f.code)
		return
	}
	x.w.Header().Set("Server", "Tengine")
	x.reply(found)
	s.vault.release(found.object.pieces)
}

func (x *exchange) refuseCDN(status int, reason string) {
	x.code = reason
	x.w.Header().Set("Server", "Tengine")
	x.w.Header().Set("X-Tengine-Error", reason)
	x.w.WriteHeader(status)
}

// bucketWith is the bucket that has the object. The caller holds mu.
func (s *Server) bucketWith(key string) string {
	for _, acc := range s.accounts {
		if s.object(acc.storage, key) != nil {
			return acc.storage
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.buckets)) {
		if s.object(name, key) != nil {
			return name
		}
	}
	return ""
}

var (
	signedA = regexp.MustCompile(`^(([0-9]{9,10})-[0-9A-Za-z]+-[0-9A-Za-z]+)-([0-9a-f]{32})$`)
	signedB = regexp.MustCompile(`^/([0-9]{12})/([0-9a-f]{32})(/.*)$`)
	signedC = regexp.MustCompile(`^/([0-9a-f]{32})/([0-9A-Fa-f]{8})(/.*)$`)
	queryC  = regexp.MustCompile(`^[0-9A-Fa-f]{8}$`)
)

// verify returns the path without the signature, or why there is none. The hashes
// are written here once more: a client's mistake must not prove itself.
func (d *playDomain) verify(path string, q url.Values, now time.Time) (rest, reason string) {
	var hash func(key string) string
	var digest string
	var at time.Time
	bad := error(nil)
	unix := func(text string, base int) {
		var n int64
		n, bad = strconv.ParseInt(text, base, 64)
		at = time.Unix(n, 0)
	}
	switch m := signedC.FindStringSubmatch(path); {
	case d.Type == "A" && signedA.MatchString(q.Get("auth_key")):
		a := signedA.FindStringSubmatch(q.Get("auth_key"))
		unix(a[2], 10)
		digest, hash = a[3], func(key string) string { return path + "-" + a[1] + "-" + key }
		rest = path
	case d.Type == "B" && signedB.MatchString(path):
		b := signedB.FindStringSubmatch(path)
		at, bad = time.ParseInLocation("200601021504", b[1], time.FixedZone("", 8*3600))
		digest, rest, hash = b[2], b[3], func(key string) string { return key + b[1] + b[3] }
	case d.Type == "C" && m != nil:
		unix(m[2], 16)
		digest, rest, hash = m[1], m[3], func(key string) string { return key + m[3] + m[2] }
	case d.Type == "C" && queryC.MatchString(q.Get("KEY2")):
		unix(q.Get("KEY2"), 16)
		digest, rest, hash = q.Get("KEY1"), path, func(key string) string { return key + path + q.Get("KEY2") }
	case d.Type == "A" && !q.Has("auth_key"):
		return "", "no url arg auth_key"
	default:
		return "", "invalid signature"
	}
	proved := false
	for _, key := range []alimedia.Secret{d.Key, d.Old} {
		proved = proved || key != "" && hmac.Equal([]byte(md5Hex(hash(key.Reveal()))), []byte(digest))
	}
	switch {
	case bad != nil || !proved:
		return "", "invalid md5hash"
	case now.After(at.Add(d.TTL)):
		return "", "expired timestamp"
	}
	return rest, ""
}
