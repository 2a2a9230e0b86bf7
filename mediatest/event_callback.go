package mediatest

import (
	"crypto/md5"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go"
)

// Callback is an event message as the services post it to a callback URL.
//
//	req, err := mediatest.Callback{
//		Service: "vod", URL: callbackURL, AuthKey: key,
//		Body: `{"EventType":"FileUploadComplete","VideoId":"…","Status":"success"}`,
//	}.Request()
//	...
//	handler.ServeHTTP(httptest.NewRecorder(), req)
type Callback struct {
	Service string          // "vod" or "ice": whose headers carry the signature
	URL     string          // the CallbackURL as configured, which is what gets signed
	AuthKey alimedia.Secret // empty: not signed, as with AuthSwitch off
	Body    string          // the JSON
	Time    time.Time       // when it is sent; zero means now
}

// Format hides the AuthKey also where fmt calls no methods of fields.
func (c Callback) Format(f fmt.State, verb rune) {
	type plain Callback
	fmt.Fprintf(f, fmt.FormatString(f, verb), plain(c))
}

// Request is the signed POST to URL. Set the URL of the request to send it
// elsewhere, such as to a test server; the signature stays that of c.URL.
func (c Callback) Request() (*http.Request, error) {
	if c.Service != "vod" && c.Service != "ice" {
		return nil, fmt.Errorf("mediatest: Callback.Service is %q: neither vod nor ice", c.Service)
	}
	req, err := http.NewRequest(http.MethodPost, c.URL, strings.NewReader(c.Body))
	if err != nil {
		return nil, fmt.Errorf("mediatest: Callback.URL: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	if c.AuthKey == "" {
		return req, nil
	}
	sent := c.Time
	if sent.IsZero() {
		sent = time.Now()
	}
	timestamp := strconv.FormatInt(sent.Unix(), 10)
	digest := md5.New()
	fmt.Fprintf(digest, "%s|%s|%s", c.URL, timestamp, string(c.AuthKey))
	header := "X-" + strings.ToUpper(c.Service)
	req.Header.Set(header+"-TIMESTAMP", timestamp)
	req.Header.Set(header+"-SIGNATURE", fmt.Sprintf("%x", digest.Sum(nil)))
	return req, nil
}
