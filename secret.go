package alimedia

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"

	"github.com/alimedia/alimedia-go/internal/reveal"
)

// Secret is text that must not appear in logs, such as an UploadAuth or a private
// key. fmt with any verb, slog with any handler, encoding/json, encoding/xml and
// encoding/gob write *** instead of it.
//
// [Secret.Reveal], or a conversion to string, returns the text. A backend that
// sends an upload credential to a browser does so explicitly, with its own
// struct:
//
//	out, err := video.CreateUploadVideo(ctx, req)
//	…
//	json.NewEncoder(w).Encode(struct{ VideoId, UploadAddress, UploadAuth string }{
//		out.VideoId, out.UploadAddress, out.UploadAuth.Reveal(),
//	})
//
// Requests of the clients contain the text. A Secret that was written as *** is
// decoded as ***, and a request with such a Secret is rejected before it is sent.
type Secret string

const mask = "***"

// Reveal returns the text.
func (s Secret) Reveal() string {
	text, _ := reveal.Cut(string(s))
	return text
}

// String hides the text.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return mask
}

// Format hides the text from every verb.
func (s Secret) Format(f fmt.State, verb rune) {
	if verb == 'q' || verb == 'v' && f.Flag('#') {
		fmt.Fprintf(f, "%q", s.String())
		return
	}
	io.WriteString(f, s.String())
}

// LogValue hides the text from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSON hides the text from encoding/json, and so from slog's JSON
// handler.
func (s Secret) MarshalJSON() ([]byte, error) {
	shown := s.String()
	if _, onItsWay := reveal.Cut(string(s)); onItsWay { // to the service
		shown = string(s)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(shown)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// MarshalText hides the text from encoding/xml and other text encodings.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalBinary hides the text from encoding/gob.
func (s Secret) MarshalBinary() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalBinary decodes the output of MarshalBinary.
func (s *Secret) UnmarshalBinary(data []byte) error {
	*s = Secret(data)
	return nil
}
