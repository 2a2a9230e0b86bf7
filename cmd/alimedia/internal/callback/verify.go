// Package callback finds out why the signature of a callback does not match.
package callback

import (
	"bufio"
	"crypto/hmac"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/events"
)

// Request is a callback as somebody pasted it.
type Request struct {
	Path   string // of the request line, with its query; empty without one
	Header http.Header
	Body   []byte
}

var requestWords = []string{"POST ", "GET ", "PUT ", "HEAD "}

// Parse reads a request: the request line, headers and a body behind a blank
// line, of which only the headers are needed. Lines may begin with "> ", as curl
// -v writes them.
func Parse(text string) (*Request, error) {
	r := &Request{Header: http.Header{}}
	head, body, _ := strings.Cut(strings.ReplaceAll(strings.TrimLeft(text, "\r\n\t "), "\r\n", "\n"), "\n\n")
	r.Body = []byte(strings.TrimSpace(body))
	lines := bufio.NewScanner(strings.NewReader(head))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(lines.Text()), ">"))
		if line == "" {
			continue
		}
		if slices.ContainsFunc(requestWords, func(word string) bool { return strings.HasPrefix(line, word) }) {
			if parts := strings.Fields(line); len(parts) > 1 {
				r.Path = parts[1]
			}
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || strings.ContainsAny(name, " \t{\"") {
			if strings.HasPrefix(line, "{") && len(r.Body) == 0 { // the blank line was lost
				_, rest, _ := strings.Cut(head, line)
				r.Body = []byte(line + rest)
				break
			}
			return nil, fmt.Errorf("a line is neither a header nor a request line: %.60q", line)
		}
		r.Header.Add(textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name)), strings.TrimSpace(value))
	}
	return r, lines.Err()
}

// Line is one thing that was checked.
type Line struct {
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Text  string `json:"text"`
	Minor bool   `json:"minor,omitempty"` // does not make the callback invalid
}

// Settings are what the signature is checked with.
type Settings struct {
	URL    string // as configured at the service
	Keys   []alimedia.Secret
	Now    time.Time
	Window time.Duration
}

// Verify checks the parts of the signed string URL|timestamp|key, one line for
// each, and the body. The text of the lines has no key and no signature.
func Verify(r *Request, s Settings) (lines []Line, valid bool) {
	c := &check{Request: r, Settings: s}
	c.headers()
	if c.signature != nil && c.timestamp != "" {
		c.time()
		c.sign()
	}
	c.body()
	for _, line := range c.lines {
		valid = valid || line.Name == "signature" && line.OK
	}
	return c.lines, valid && !slices.ContainsFunc(c.lines, func(line Line) bool { return !line.OK && !line.Minor })
}

type check struct {
	*Request
	Settings
	service   string
	timestamp string
	signature []byte
	lines     []Line
}

func (c *check) add(name string, ok bool, format string, args ...any) {
	c.lines = append(c.lines, Line{Name: name, OK: ok, Text: fmt.Sprintf(format, args...)})
}

func (c *check) headers() {
	for _, service := range []string{"VOD", "ICE"} {
		timestamp, signature := c.Header.Values("X-"+service+"-Timestamp"), c.Header.Values("X-"+service+"-Signature")
		if len(timestamp)+len(signature) == 0 {
			continue
		}
		if c.service != "" {
			c.add("headers", false, "there are headers of both services: only one of them is genuine")
			return
		}
		c.service = service
		switch {
		case len(timestamp) != 1 || len(signature) != 1:
			c.add("headers", false, "X-%s-TIMESTAMP is there %d times and X-%s-SIGNATURE %d times: each must be there once", service, len(timestamp), service, len(signature))
			return
		}
		sum, err := hex.DecodeString(signature[0])
		if err != nil || len(sum) != md5.Size {
			c.add("headers", false, "X-%s-SIGNATURE has %d characters and must have 32 hexadecimal digits: was it cut, or is it of another service?", service, len(signature[0]))
			return
		}
		c.timestamp, c.signature = timestamp[0], sum
		c.add("headers", true, "X-%s-TIMESTAMP and X-%s-SIGNATURE are there", service, service)
	}
	switch {
	case c.service != "":
	case c.Header.Get("Ali-Live-Signature") != "":
		c.add("headers", false, "the headers are those of ApsaraVideo Live, which signs in another way")
	default:
		c.add("headers", false, "there are no signature headers: AuthSwitch is off at the service, or a proxy removed them")
	}
}

func (c *check) time() {
	seconds, err := strconv.ParseInt(c.timestamp, 10, 64)
	if err != nil || len(c.timestamp) != 10 {
		c.add("timestamp", false, "%.40q is no Unix time of 10 digits: was it changed on the way?", c.timestamp)
		return
	}
	sent := time.Unix(seconds, 0)
	age := c.Now.Sub(sent).Round(time.Second)
	what := fmt.Sprintf("%s (%s)", c.timestamp, sent.UTC().Format(time.RFC3339))
	switch {
	case age > c.Window:
		c.lines = append(c.lines, Line{"timestamp", false, fmt.Sprintf("%s is %s old: a receiver with a window of %v rejects it now", what, ago(age), c.Window), true})
	case age < -c.Window:
		c.add("timestamp", false, "%s is %s ahead of this machine's clock: is the clock right?", what, ago(-age))
	default:
		c.add("timestamp", true, "%s is within %v", what, c.Window)
	}
}

// ago is a time span for people.
func ago(d time.Duration) string {
	if days := d / (24 * time.Hour); days > 1 {
		return fmt.Sprintf("%d days", days)
	}
	return d.String()
}

// matches reports whether the signature is that of the string.
func (c *check) matches(url, timestamp, key string) bool {
	sum := md5.Sum([]byte(url + "|" + timestamp + "|" + key))
	return hmac.Equal(sum[:], c.signature)
}

func (c *check) sign() {
	for i, key := range c.Keys {
		if c.matches(c.URL, c.timestamp, key.Reveal()) {
			text := "the string URL|timestamp|key gives the signature"
			if len(c.Keys) > 1 {
				text += fmt.Sprintf(" with key %d of %d", i+1, len(c.Keys))
			}
			c.add("URL", true, "%s", c.URL)
			c.add("key", true, "right")
			c.add("signature", true, "%s", text)
			return
		}
	}
	for _, key := range c.Keys {
		if c.explain(key.Reveal()) {
			c.add("signature", false, "does not match, for the reason above")
			return
		}
	}
	c.add("URL", false, "%s: either this is not byte for byte the URL that is configured at the service,", c.URL)
	c.add("key", false, "or the key is not the AuthKey of this callback setting (GetMessageCallback, GetEventCallback),")
	c.add("signature", false, "or the request is not from the service: no likely variant of URL, time and key gives the signature")
}

// explain tries likely variants of each line of the string.
func (c *check) explain(key string) bool {
	for _, v := range c.urls() {
		if c.matches(v.text, c.timestamp, key) {
			c.add("URL", false, "the request is signed for %s (%s), and not for %s", v.text, v.why, c.URL)
			return true
		}
	}
	for _, v := range keyVariants(key) {
		if c.matches(c.URL, c.timestamp, v.text) {
			c.add("key", false, "the key differs: %s", v.why)
			return true
		}
	}
	for _, v := range c.times() {
		if c.matches(c.URL, v.text, key) {
			c.add("timestamp", false, "the request is signed for another time than its header has: %s", v.why)
			return true
		}
	}
	sum := md5.Sum([]byte(c.URL + "|" + c.timestamp + "|" + key + "|" + base64.StdEncoding.EncodeToString(c.Body)))
	if hmac.Equal(sum[:], c.signature) {
		c.add("signature", false, "it covers the body, too: the sender is Volcengine VOD, which has the same headers")
		return true
	}
	return false
}

type variant struct{ text, why string }

// urls are URLs that the service may have instead of the one that was given.
func (c *check) urls() []variant {
	var all []variant
	add := func(text, why string) {
		if text != c.URL {
			all = append(all, variant{text, why})
		}
	}
	bases := []variant{{c.URL, ""}}
	if host := c.Header.Get("Host"); host != "" && c.Path != "" {
		for _, scheme := range []string{"https://", "http://"} {
			bases = append(bases, variant{scheme + host + c.Path, "host and path of the request"})
		}
	}
	if host := c.Header.Get("X-Forwarded-Host"); host != "" && c.Path != "" {
		for _, scheme := range []string{"https://", "http://"} {
			bases = append(bases, variant{scheme + host + c.Path, "X-Forwarded-Host and path of the request"})
		}
	}
	if u, err := url.Parse(c.URL); err == nil && c.Path != "" {
		bases = append(bases, variant{u.Scheme + "://" + u.Host + c.Path, "path of the request"})
	}
	for _, base := range bases {
		why := func(text string) string { return strings.TrimPrefix(base.why+", "+text, ", ") }
		add(base.text, base.why)
		if rest, ok := strings.CutPrefix(base.text, "https://"); ok {
			add("http://"+rest, why("http and not https"))
		} else if rest, ok := strings.CutPrefix(base.text, "http://"); ok {
			add("https://"+rest, why("https and not http"))
		}
		if rest, ok := strings.CutSuffix(base.text, "/"); ok {
			add(rest, why("without the slash at the end"))
		} else {
			add(base.text+"/", why("with a slash at the end"))
		}
		if path, _, ok := strings.Cut(base.text, "?"); ok {
			add(path, why("without the query"))
		}
		add(strings.ToLower(base.text), why("in lower case"))
		if plain, err := url.QueryUnescape(base.text); err == nil {
			add(plain, why("without percent-encoding"))
		}
		add(strings.TrimSpace(base.text), why("without the blanks around it"))
		add(withoutPort(base.text), why("without the port"))
	}
	return all
}

func withoutPort(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Port() == "" {
		return text
	}
	u.Host = u.Hostname()
	return u.String()
}

func keyVariants(key string) []variant {
	var all []variant
	add := func(text, why string) {
		if text != key && text != "" {
			all = append(all, variant{text, why})
		}
	}
	add(strings.TrimFunc(key, unicode.IsSpace), "yours has blanks or a line break around it")
	add(strings.Trim(key, `"'`), "yours has quotes around it")
	add(key+"\n", "the service's has a line break at its end")
	add(key+" ", "the service's has a blank at its end")
	add(strings.ToLower(key), "the service's is in lower case")
	add(strings.ToUpper(key), "the service's is in upper case")
	add(key[:min(len(key), 32)], "yours has more than the 32 characters of an AuthKey")
	return all
}

// times are the times around, in seconds and milliseconds, and those of Date.
func (c *check) times() []variant {
	var all []variant
	if date, err := http.ParseTime(c.Header.Get("Date")); err == nil {
		all = append(all, variant{strconv.FormatInt(date.Unix(), 10), "that of the header Date"})
	}
	if n, err := strconv.ParseInt(c.timestamp, 10, 64); err == nil && n > 0 {
		if len(c.timestamp) >= 13 {
			all = append(all, variant{strconv.FormatInt(n/1000, 10), "in seconds, and the header is in milliseconds"})
		}
		for d := int64(-300); d <= 300; d++ {
			if d != 0 {
				all = append(all, variant{strconv.FormatInt(n+d, 10), fmt.Sprintf("%d seconds away from it", max(d, -d))})
			}
		}
	}
	return all
}

func (c *check) body() {
	if len(c.Body) == 0 {
		c.lines = append(c.lines, Line{"body", false, "there is none: it was not pasted, or the request is not from the service. The signature does not cover it", true})
		return
	}
	event, err := events.Parse(c.Body)
	switch {
	case err != nil:
		c.lines = append(c.lines, Line{"body", false, strings.TrimPrefix(err.Error(), "events: "), true})
	case !strings.EqualFold(event.Service, c.service) && c.service != "":
		c.lines = append(c.lines, Line{"body", false, fmt.Sprintf("it has the form of %s, and the headers are of %s", event.Service, strings.ToLower(c.service)), true})
	default:
		text := event.EventType
		if event.MediaId != "" {
			text += " of " + event.MediaId
		}
		c.add("body", true, "%s. The signature does not cover it", text)
	}
}

// ErrNothing means that nothing was pasted.
var ErrNothing = errors.New("there is no request")
