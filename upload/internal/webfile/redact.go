package webfile

import (
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/alimedia/alimedia-go/internal/redact"
)

// Redacted is the scheme, host and path of a URL: what errors and logs may
// show.
func Redacted(u *url.URL) string {
	bare := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	return clip(bare.String(), 300)
}

// redacted is the error of a connection without secrets: a server may repeat
// what it received.
func (s *stream) redacted(err error) error {
	if err == nil || err == errComplete {
		return err
	}
	text := redact.Text(err.Error(), s.secrets()...)
	if text == err.Error() {
		return err
	}
	return &redactedError{text, err}
}

// redactedError is an error whose own text is not shown.
type redactedError struct {
	text string
	err  error
}

// Error implements error.
func (e *redactedError) Error() string { return e.text }

// Unwrap returns the error with its own text.
func (e *redactedError) Unwrap() error { return e.err }

// secrets is what the requests contain that must not be shown.
func (s *stream) secrets() []string {
	var all []string
	add := func(text string) {
		if len(text) > 3 {
			all = append(all, text)
		}
	}
	add(s.from.RawQuery)
	for _, values := range s.from.Query() {
		for _, v := range values {
			add(v)
		}
	}
	if password, ok := s.from.User.Password(); ok {
		add(password)
		add(base64.StdEncoding.EncodeToString([]byte(s.from.User.Username() + ":" + password)))
	}
	for _, h := range s.Headers {
		for _, values := range h.Fields {
			for _, v := range values {
				add(v)
				if _, credential, ok := strings.Cut(v, " "); ok {
					add(credential)
				}
				for _, cookie := range strings.Split(v, ";") {
					if _, value, ok := strings.Cut(cookie, "="); ok {
						add(value)
					}
				}
			}
		}
	}
	return all
}
