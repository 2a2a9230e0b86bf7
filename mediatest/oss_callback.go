package mediatest

import (
	"bytes"
	"cmp"
	"context"
	"crypto"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// An upload may ask OSS to call a server of the user, whose answer becomes that of
// the upload.

const (
	maxCallback       = 5 << 10 // bytes of either parameter, decoded
	maxCallbackURLs   = 5
	maxCallbackAnswer = 1 << 20
	callbackKeyPath   = "/callback_pub_key_v1.pem"
)

// uploadCallback is the callback that a request asks for.
type uploadCallback struct {
	CallbackURL      string `json:"callbackUrl"`
	CallbackHost     string `json:"callbackHost"`
	CallbackBody     string `json:"callbackBody"`
	CallbackBodyType string `json:"callbackBodyType"`

	vars map[string]string // x:name
}

const formType = "application/x-www-form-urlencoded"

// callbackOf reads x-oss-callback and x-oss-callback-var, or the query parameters
// of a presigned request; nil when it asks for none.
func (x *exchange) callbackOf() (*uploadCallback, error) {
	parameter := func(name string) string {
		if value := x.r.Header.Get("x-oss-" + name); value != "" {
			return value
		}
		return x.query.Get(name)
	}
	cb, err := parseCallback(parameter("callback"))
	if cb == nil || err != nil {
		return nil, err
	}
	if text := parameter("callback-var"); text != "" {
		if decodeCallback(text, &cb.vars) != nil {
			return nil, ossArgument("callback-var", text, "The callback-var configuration is not Base64 of a JSON object of strings.")
		}
		for name := range cb.vars {
			if !customVar.MatchString(name) {
				return nil, ossArgument("callback-var", text, "The name of a custom variable begins with x: and has no capital letters.")
			}
		}
	}
	return cb, nil
}

var customVar = regexp.MustCompile(`^x:[^A-Z{}]+$`)

func decodeCallback(text string, into any) error {
	decoded, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(decoded) > maxCallback {
		return errMalformedXML // the caller has words of its own
	}
	return json.Unmarshal(decoded, into)
}

func parseCallback(text string) (*uploadCallback, error) {
	if text == "" {
		return nil, nil
	}
	var cb uploadCallback
	if decodeCallback(text, &cb) != nil {
		return nil, ossArgument("callback", text, "The callback configuration is not Base64 of a JSON object.")
	}
	if cb.CallbackBodyType == "" {
		cb.CallbackBodyType = formType
	}
	switch urls := cb.urls(); {
	case cb.CallbackBody == "":
		return nil, ossArgument("callback", text, "The callback configuration has no callbackBody.")
	case cb.CallbackBodyType != formType && cb.CallbackBodyType != "application/json":
		return nil, ossArgument("callback", text, "The callbackBodyType is neither "+formType+" nor application/json.")
	case len(urls) == 0 || len(urls) > maxCallbackURLs:
		return nil, ossArgument("callback", text, "The callback configuration needs 1 to 5 URLs in callbackUrl.")
	default:
		for _, address := range urls {
			if u, err := url.Parse(address); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
				return nil, ossArgument("callback", text, "The callbackUrl is not valid.")
			}
		}
	}
	return &cb, nil
}

// urls are those to try one after the other; without a scheme http is meant.
func (cb *uploadCallback) urls() []string {
	var all []string
	for address := range strings.SplitSeq(cb.CallbackURL, ";") {
		if address == "" {
			continue
		}
		if !strings.Contains(address, "://") {
			address = "http://" + address
		}
		all = append(all, address)
	}
	return all
}

var callbackVariable = regexp.MustCompile(`\$\{[^{}]*\}`)

// body is the callbackBody with the variables filled in: URL-encoded in a form, as
// JSON values in JSON. One that is not known is empty.
func (cb *uploadCallback) body(x *exchange, o *object) string {
	known := map[string]string{
		"bucket": x.bucket, "object": x.key, "etag": strings.Trim(o.etag, `"`), "size": strconv.FormatInt(o.size, 10), "mimeType": o.header.Get("Content-Type"),
		"crc64": strconv.FormatUint(o.crc, 10), "reqId": x.id, "operation": x.operation, "clientIp": clientIP(x.r),
	}
	if o.md5 != [md5.Size]byte{} {
		known["contentMd5"] = base64.StdEncoding.EncodeToString(o.md5[:])
	}
	return callbackVariable.ReplaceAllStringFunc(cb.CallbackBody, func(variable string) string {
		name := variable[2 : len(variable)-1]
		value, has := known[name]
		if !has {
			value, has = cb.vars[name]
		}
		if cb.CallbackBodyType == formType {
			return url.QueryEscape(value)
		}
		if name == "size" {
			return value
		}
		text, _ := json.Marshal(value) // a string
		if !has {
			return `""`
		}
		return string(text)
	})
}

func clientIP(r *http.Request) string {
	if u, err := url.Parse("http://" + r.RemoteAddr); err == nil {
		return u.Hostname()
	}
	return ""
}

// callBack calls the user's server about an object that is stored, and makes its
// answer that of the upload. Without a callback the answer is done.
func (s *Server) callBack(x *exchange, cb *uploadCallback, o *object, done reply) (reply, error) {
	if cb == nil {
		return done, nil
	}
	body, reason := cb.body(x, o), ""
	for _, address := range cb.urls() {
		var answer []byte
		if answer, reason = s.callOnce(x, cb, address, body); reason == "" {
			return reply{json: answer}, nil
		}
	}
	return reply{}, failure{status: http.StatusNonAuthoritativeInfo, code: "CallbackFailed", message: reason, ec: "0007-00000203"}
}

// callOnce returns the answer of one URL, or why there is none.
func (s *Server) callOnce(x *exchange, cb *uploadCallback, address, body string) (answer []byte, reason string) {
	client := s.callbackClient(address)
	if client == nil {
		return nil, "Error status : -1. mediatest calls servers of this machine only; see mediatest.EventClient."
	}
	ctx, cancel := context.WithTimeout(x.r.Context(), callbackTimeout)
	defer cancel()
	stop := context.AfterFunc(s.life, cancel)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		return nil, "Error status : -1. The callbackUrl is not valid."
	}
	if cb.CallbackHost != "" {
		req.Host = cb.CallbackHost
	}
	s.signCallback(x, req, cb.CallbackBodyType, body)
	resp, err := client.Do(req)
	if err != nil {
		return nil, "Error status : -1. The connection failed or timed out."
	}
	defer func() { _ = resp.Body.Close() }() // was only read
	answer, err = io.ReadAll(io.LimitReader(resp.Body, maxCallbackAnswer+1))
	switch {
	case err != nil:
		return nil, "Error status : -1. The answer did not arrive in full."
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Sprintf("Error status : %d.", resp.StatusCode)
	case len(answer) > maxCallbackAnswer:
		return nil, "Response body is too large."
	case !json.Valid(answer):
		return nil, "Response body is not valid json format."
	}
	return answer, ""
}

// signCallback signs as OSS does, with a key of this server: the receiver finds the
// public key at the URL in x-oss-pub-key-url.
func (s *Server) signCallback(x *exchange, req *http.Request, kind, body string) {
	req.Header.Set("Content-Type", kind)
	req.Header.Set("User-Agent", "mediatest")
	req.Header.Set("x-oss-request-id", x.id)
	req.Header.Set("x-oss-bucket", x.bucket)
	req.Header.Set("x-oss-tag", "CALLBACK")
	req.Header.Set("x-oss-signature-version", "1.0")
	req.Header.Set("x-oss-pub-key-url", base64.StdEncoding.EncodeToString([]byte(s.URL+callbackKeyPath)))
	path := cmp.Or(pathUnescape(req.URL.EscapedPath()), "/")
	if req.URL.RawQuery != "" {
		path += "?" + req.URL.RawQuery
	}
	sum := md5.Sum([]byte(path + "\n" + body))
	signature, err := rsa.SignPKCS1v15(rand.Reader, s.callbackKey(), crypto.MD5, sum[:])
	if err == nil { // as with every key of this size
		req.Header.Set("Authorization", base64.StdEncoding.EncodeToString(signature))
	}
}

// newCallbackKey makes a key when it is wanted for the first time.
func newCallbackKey() func() *rsa.PrivateKey {
	return sync.OnceValue(func() *rsa.PrivateKey {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err) // never fails
		}
		return key
	})
}

// serveCallbackKey answers a request for the public key.
func (s *Server) serveCallbackKey(w http.ResponseWriter) {
	der, err := x509.MarshalPKIXPublicKey(&s.callbackKey().PublicKey)
	if err != nil {
		http.Error(w, "the key cannot be written", http.StatusInternalServerError)
		return
	}
	var text bytes.Buffer
	_ = pem.Encode(&text, &pem.Block{Type: "PUBLIC KEY", Bytes: der}) // a Buffer takes everything
	w.Header().Set("Content-Type", "application/x-pem-file")
	_, _ = w.Write(text.Bytes())
}

// isForm reports whether the body is a form with files.
func isForm(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "multipart/form-data"
}
