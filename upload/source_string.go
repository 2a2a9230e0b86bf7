package upload

import (
	"fmt"

	"github.com/alimedia/alimedia-go/internal/redact"
)

// nameOf is the name of a source with its folders, on one printable line, as
// Progress and String show it. It is empty for nil.
func nameOf(src Source) string {
	if src == nil {
		return ""
	}
	if s, ok := src.(fmt.Stringer); ok {
		return s.String()
	}
	return ""
}

// String is the path of the file.
func (s fileSource) String() string { return redact.Line(s.name) }

// GoString is String.
func (s fileSource) GoString() string { return s.String() }

// String is the path of the playlist, or its URL without the query.
func (s hlsSource) String() string {
	if s.web != nil {
		return s.web.String()
	}
	return redact.Line(s.name)
}

// GoString keeps the options, which may hold secrets, out of logs.
func (s hlsSource) GoString() string { return s.String() }

// String is the name of the stream.
func (s *streamSource) String() string { return redact.Line(s.name) }

// String is the name of the stream.
func (s readerFuncSource) String() string { return redact.Line(s.name) }

// String is the name of the bytes.
func (s readerAtSource) String() string { return redact.Line(s.name) }

// String is the new name, and the source in parentheses.
func (s namedSource) String() string {
	return redact.Line(s.name) + " (" + nameOf(s.Source) + ")"
}
