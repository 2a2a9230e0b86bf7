package alimedia

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is text that must not be read by chance, such as the UploadAuth of an
// upload: fmt, slog and text encodings show ***. Convert it to get the text;
// encoding/json carries it as it is, so that a backend can pass it on to the
// browser that uploads.
type Secret string

const mask = "***"

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
