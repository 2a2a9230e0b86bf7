package rpc

import "bytes"

// scanner walks through JSON text. It stays within the text when that is not
// valid, and then ends early.
type scanner struct {
	src []byte
	at  int
}

// open enters the object or list at the scanner and reports whether it has a
// first member. The walk over the members is
//
//	for more := s.open(); more; more = s.next() {
//		key := s.key() // of an object
//		s.skip()       // or anything else that reads the value
//	}
func (s *scanner) open() bool {
	s.at++
	return s.member()
}

// next goes on to the next member.
func (s *scanner) next() bool {
	s.blank()
	if s.at < len(s.src) && s.src[s.at] == ',' {
		s.at++
		return s.member()
	}
	return s.close()
}

func (s *scanner) member() bool {
	s.blank()
	return s.at < len(s.src) && s.src[s.at] != '}' && s.src[s.at] != ']' || s.close()
}

// close leaves an object or list. It is never true, for its callers' sake.
func (s *scanner) close() bool {
	if s.at < len(s.src) {
		s.at++
	}
	return false
}

// key reads the key of a member: what stands between its quotes.
func (s *scanner) key() []byte {
	raw := s.quoted()
	s.blank()
	if s.at < len(s.src) && s.src[s.at] == ':' {
		s.at++
	}
	s.blank()
	return raw
}

// quoted reads a string: what stands between its quotes.
func (s *scanner) quoted() []byte {
	start := s.at + 1
	if !s.skip() || s.at <= start || s.src[s.at-1] != '"' {
		return nil
	}
	return s.src[start : s.at-1]
}

// text reads a string.
func (s *scanner) text() string { return unquoted(s.quoted()) }

// raw reads any value as it stands.
func (s *scanner) raw() []byte {
	start := s.at
	s.skip()
	return s.src[start:s.at]
}

// count returns how many elements the list at the scanner has, at most limit.
func (s *scanner) count(limit int) (n int) {
	look := *s
	for more := look.open(); more && n < limit; more = look.next() {
		n++
		if n < limit {
			look.skip()
		}
	}
	return n
}

func (s *scanner) blank() {
	for s.at < len(s.src) {
		switch s.src[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}

// skip passes a value and reports whether it was complete.
func (s *scanner) skip() bool {
	if s.at >= len(s.src) {
		return false
	}
	switch s.src[s.at] {
	case '"':
		return s.skipString()
	case '{', '[':
		for depth := 0; s.at < len(s.src); {
			switch s.src[s.at] {
			case '"':
				if !s.skipString() {
					return false
				}
				continue
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					s.at++
					return true
				}
			}
			s.at++
		}
		return false
	default:
		start := s.at
		for s.at < len(s.src) {
			switch s.src[s.at] {
			case ',', ']', '}', ':', '"', '{', '[', ' ', '\t', '\r', '\n':
				return s.at > start
			}
			s.at++
		}
		return s.at > start
	}
}

func (s *scanner) skipString() bool {
	for from := s.at + 1; ; {
		end := bytes.IndexByte(s.src[from:], '"')
		if end < 0 {
			s.at = len(s.src)
			return false
		}
		end += from
		escapes := 0
		for s.src[end-1-escapes] == '\\' {
			escapes++
		}
		if from = end + 1; escapes%2 == 0 {
			s.at = from
			return true
		}
	}
}
