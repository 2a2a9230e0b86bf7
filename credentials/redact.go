package credentials

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

const mask = "***"

// masked has the fields of Credentials and none of its methods.
type masked struct {
	AccessKeyId     string
	AccessKeySecret string    `json:",omitzero"`
	SecurityToken   string    `json:",omitzero"`
	Expires         time.Time `json:",omitzero"`
	Source          string    `json:",omitzero"`
}

func (c Credentials) masked() masked {
	m := masked(c)
	// Of a short id the beginning would be nearly all.
	if len(c.AccessKeyId) > 8 {
		m.AccessKeyId = c.AccessKeyId[:4] + mask
	} else if c.AccessKeyId != "" {
		m.AccessKeyId = mask
	}
	if c.AccessKeySecret != "" {
		m.AccessKeySecret = mask
	}
	if c.SecurityToken != "" {
		m.SecurityToken = mask
	}
	return m
}

func (m masked) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Credentials{AccessKeyId:%q", m.AccessKeyId)
	for _, f := range []struct{ name, value string }{
		{"AccessKeySecret", m.AccessKeySecret},
		{"SecurityToken", m.SecurityToken},
		{"Source", m.Source},
	} {
		if f.value != "" {
			fmt.Fprintf(&b, ", %s:%q", f.name, f.value)
		}
	}
	if !m.Expires.IsZero() {
		fmt.Fprintf(&b, ", Expires:%q", m.Expires.Format(time.RFC3339))
	}
	b.WriteByte('}')
	return b.String()
}

// String names the key by its first characters and shows no secret.
func (c Credentials) String() string { return c.masked().text() }

// GoString is String with the package's name, for %#v.
func (c Credentials) GoString() string { return "credentials." + c.String() }

// Format writes String for every verb, quoted for %q, and GoString for %#v.
func (c Credentials) Format(s fmt.State, verb rune) {
	text := c.String()
	switch {
	case verb == 'v' && s.Flag('#'):
		text = c.GoString()
	case verb == 'q':
		text = strconv.Quote(text)
	}
	_, _ = s.Write([]byte(text))
}

// LogValue makes slog print the key's first characters, source and expiry.
func (c Credentials) LogValue() slog.Value {
	attrs := []slog.Attr{
		slog.String("access_key_id", c.masked().AccessKeyId),
		slog.String("source", c.Source),
	}
	if !c.Expires.IsZero() {
		attrs = append(attrs, slog.Time("expires", c.Expires))
	}
	return slog.GroupValue(attrs...)
}

// MarshalJSON writes an object with the secrets masked. It is for reading:
// the keys cannot be restored from it.
func (c Credentials) MarshalJSON() ([]byte, error) { return json.Marshal(c.masked()) }

// MarshalText writes String, for encodings such as XML and YAML.
func (c Credentials) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// MarshalBinary writes String, for encodings such as gob.
func (c Credentials) MarshalBinary() ([]byte, error) { return []byte(c.String()), nil }
