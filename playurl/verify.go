package playurl

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Errors of [Signer.Verify]. A CDN answers all of them with HTTP 403.
var (
	ErrUnsigned = errors.New("playurl: the URL has no signature of the expected type")
	ErrForged   = errors.New("playurl: the signature is not that of any key")
	ErrExpired  = errors.New("playurl: the URL has expired")
	ErrAhead    = errors.New("playurl: the time of the URL is too far ahead")
)

// Verified is what the signature of a URL proves.
type Verified struct {
	URL     string    // without the signature; a path with its query if that was verified
	Path    string    // as it is written, percent-encoded
	Time    time.Time // of the signature; with type B in whole minutes
	Expires time.Time // Time plus TTL
	Key     int       // index in Config.Keys of the key that has signed
	UserId  string    // type A only
	Random  string    // type A only
}

// Verify checks a whole URL, or its path with the query, as RequestURI of an
// http.Request has it. It returns [ErrUnsigned], [ErrForged], [ErrExpired] or
// [ErrAhead], or an error for a URL that Sign refuses, too.
//
// A URL is valid until its time plus TTL, and also before its time. An error
// ErrExpired or ErrAhead means that the signature itself is right. Signatures are
// compared in constant time. Errors contain no part of the URL.
func (s *Signer) Verify(rawURL string) (*Verified, error) {
	l, err := s.read(rawURL)
	if err != nil {
		return nil, err
	}
	found, t := detect(s.cfg.Type, l)
	if !found {
		return nil, s.unsigned(l)
	}
	l = l.without(s.cfg.Type)
	used := -1
	for i, key := range s.keys() { // all of them, so that the time does not tell which
		if subtle.ConstantTimeCompare([]byte(t.hash(s.cfg.Type, key.Reveal(), l.path)), []byte(t.digest)) == 1 && used < 0 {
			used = i
		}
	}
	if used < 0 {
		return nil, ErrForged
	}
	at, err := timeOf(s.cfg.Type, t.stamp)
	if err != nil {
		return nil, ErrForged // signed by someone with the key, but not a time
	}
	v := &Verified{URL: l.String(), Path: l.path, Time: at, Expires: at.Add(s.cfg.TTL), Key: used, UserId: t.user, Random: t.random}
	switch now := s.cfg.Now(); {
	case now.After(v.Expires):
		return nil, ErrExpired
	case s.cfg.MaxAhead > 0 && at.Sub(now) > s.cfg.MaxAhead:
		return nil, ErrAhead
	}
	return v, nil
}

func (s *Signer) read(rawURL string) (link, error) {
	if len(rawURL) > maxURL {
		return link{}, errLong
	}
	if !strings.HasPrefix(rawURL, "/") {
		return parse(rawURL)
	}
	if strings.Contains(rawURL, "#") {
		return link{}, errFragment
	}
	return parseTarget(rawURL)
}

// unsigned says which other type the URL is signed by.
func (s *Signer) unsigned(l link) error {
	for _, other := range []Type{A, B, C, CQuery} {
		if found, _ := detect(other, l); found {
			return fmt.Errorf("%w: type %s instead of %s", ErrUnsigned, other, s.cfg.Type)
		}
	}
	return ErrUnsigned
}

// detect finds a signature by its form.
func detect(typ Type, l link) (bool, ticket) {
	switch typ {
	case A:
		value, ok := l.parameter("auth_key")
		parts := strings.Split(value, "-")
		if !ok || len(parts) != 4 || len(parts[0]) < 9 || len(parts[0]) > 10 || !all(parts[0], isDigit) || !isWord(parts[1]) || !isWord(parts[2]) || !isDigest(parts[3]) {
			return false, ticket{}
		}
		return true, ticket{stamp: parts[0], random: parts[1], user: parts[2], digest: parts[3]}
	case CQuery:
		digest, ok := l.parameter("KEY1")
		stamp, too := l.parameter("KEY2")
		return ok && too && isDigest(digest) && len(stamp) == 8 && all(stamp, isHex), ticket{stamp: stamp, digest: digest}
	}
	parts := strings.SplitN(l.path, "/", 4)
	if len(parts) != 4 {
		return false, ticket{}
	}
	if typ == B {
		return len(parts[1]) == len(minutes) && all(parts[1], isDigit) && isDigest(parts[2]), ticket{stamp: parts[1], digest: parts[2]}
	}
	return isDigest(parts[1]) && len(parts[2]) == 8 && all(parts[2], isHex), ticket{stamp: parts[2], digest: parts[1]}
}

// signed reports whether a URL has a signature, or a parameter that would be
// taken for one.
func (l link) signed(typ Type) bool {
	switch typ {
	case A:
		return l.has("auth_key")
	case CQuery:
		return l.has("KEY1") || l.has("KEY2")
	}
	found, _ := detect(typ, l)
	return found
}

func (l link) has(name string) bool { return strings.Contains("&"+l.query, "&"+name+"=") }

// without is the link without its signature.
func (l link) without(typ Type) link {
	switch typ {
	case A:
		l.remove("auth_key")
	case CQuery:
		l.remove("KEY1")
		l.remove("KEY2")
	default:
		l.path = "/" + strings.SplitN(l.path, "/", 4)[3]
	}
	return l
}

// parameter is the value of a parameter of the query that is there once.
func (l link) parameter(name string) (value string, ok bool) {
	for part := range strings.SplitSeq(l.query, "&") {
		if v, is := strings.CutPrefix(part, name+"="); is {
			if ok {
				return "", false
			}
			value, ok = v, true
		}
	}
	return value, ok
}

func (l *link) remove(name string) {
	var kept []string
	for part := range strings.SplitSeq(l.query, "&") {
		if !strings.HasPrefix(part, name+"=") {
			kept = append(kept, part)
		}
	}
	l.query = strings.Join(kept, "&")
	l.hasQuery = len(kept) > 0
}

// timeOf reads the time of a signature.
func timeOf(typ Type, stamp string) (time.Time, error) {
	switch typ {
	case A:
		n, err := strconv.ParseInt(stamp, 10, 64)
		return time.Unix(n, 0), err
	case B:
		return time.ParseInLocation(minutes, stamp, chinaTime)
	default:
		n, err := strconv.ParseInt(stamp, 16, 64)
		return time.Unix(n, 0), err
	}
}

func isDigest(text string) bool {
	return len(text) == 32 && all(text, func(c byte) bool { return isDigit(c) || 'a' <= c && c <= 'f' })
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func all(text string, is func(byte) bool) bool {
	for i := range len(text) {
		if !is(text[i]) {
			return false
		}
	}
	return true
}
