package playurl

import (
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go"
)

// Type is the authentication type of a domain name, as the console calls it.
type Type string

// The authentication types. C and CQuery are both type C of the console, whose
// signature is a part of the path or of the query.
const (
	A      Type = "A"
	B      Type = "B"
	C      Type = "C"
	CQuery Type = "CQuery"
)

// DefaultTTL is the validity period of a new domain name in the console.
const DefaultTTL = 30 * time.Minute

// Config has the settings of a [Signer]. Type and Keys are required.
type Config struct {
	Type Type
	// Keys are the keys of the domain name. Sign uses the first one, Verify accepts
	// each. The console takes keys of 16 to 32 letters and digits.
	Keys []alimedia.Secret
	// TTL is the validity period that is set in the console. DefaultTTL if zero.
	TTL time.Duration
	// MaxAhead is how far the time of a URL may be ahead of the clock of Verify. The
	// CDN accepts any time. Zero means any.
	MaxAhead time.Duration
	// UserId is the user that type A has in its signature: letters and digits,
	// usually "0", which is the default.
	UserId string
	// Now returns the current time. time.Now if nil.
	Now func() time.Time
	// Random returns the random part of type A, which makes URLs of the same second
	// differ: letters and digits. By default, 32 hexadecimal digits.
	Random func() string
}

// Signer signs and verifies URLs of one domain name. It is safe for concurrent
// use. With any verb, fmt prints no key.
type Signer struct {
	cfg  Config                   // without Keys
	keys func() []alimedia.Secret // a func: fmt prints unexported fields without asking their methods
}

// New returns a Signer. It returns an error if a setting is missing or cannot
// work.
func New(cfg Config) (*Signer, error) {
	if !slices.Contains([]Type{A, B, C, CQuery}, cfg.Type) {
		return nil, errors.New("playurl: Config.Type is none of A, B, C and CQuery")
	}
	if len(cfg.Keys) == 0 {
		return nil, errors.New("playurl: Config.Keys is empty")
	}
	keys := slices.Clone(cfg.Keys)
	for i, key := range keys {
		if key == "" || key.Reveal() == key.String() || strings.ContainsFunc(key.Reveal(), notPrintable) {
			return nil, fmt.Errorf("playurl: Config.Keys[%d] is empty, masked, or has blanks or characters that are not ASCII", i)
		}
	}
	if cfg.TTL < 0 || cfg.MaxAhead < 0 {
		return nil, errors.New("playurl: Config.TTL or Config.MaxAhead is negative")
	}
	if cfg.TTL == 0 {
		cfg.TTL = DefaultTTL
	}
	if cfg.UserId == "" {
		cfg.UserId = "0"
	}
	if !isWord(cfg.UserId) {
		return nil, errors.New("playurl: Config.UserId has other characters than letters and digits, or more than 128")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Random == nil {
		cfg.Random = random
	}
	cfg.Keys = nil
	return &Signer{cfg, func() []alimedia.Secret { return keys }}, nil
}

// Format shows the type, whatever the verb.
func (s Signer) Format(f fmt.State, _ rune) {
	if s.keys == nil {
		io.WriteString(f, "playurl.Signer()")
		return
	}
	fmt.Fprintf(f, "playurl.Signer(type %s, %d keys, TTL %v)", s.cfg.Type, len(s.keys()), s.cfg.TTL)
}

// Sign signs a URL, which is valid from now on for TTL. With type B the time has
// whole minutes, so the URL is valid for up to a minute less.
//
// rawURL is an http or https URL without user information and fragment. Its path
// and query are kept as they are, except that characters which a URL cannot have,
// such as blanks and Chinese characters, are percent-encoded. A percent sign
// begins an escape: use [Signer.SignObject] for names that are not escaped.
//
// Whoever has the result can play it: keep it out of logs. Errors do not contain
// it.
func (s *Signer) Sign(rawURL string) (string, error) { return s.sign(rawURL, s.cfg.Now()) }

// SignUntil signs a URL that is valid until a time, which may be sooner or later
// than with Sign. With type B it ends up to a minute before.
func (s *Signer) SignUntil(rawURL string, until time.Time) (string, error) {
	if !until.After(s.cfg.Now()) {
		return "", errors.New("playurl: the requested end of validity has passed")
	}
	return s.sign(rawURL, until.Add(-s.cfg.TTL))
}

// SignObject signs the URL of an object: base is the domain name, such as
// play.example.com or http://play.example.com, https by default, and object is
// the key of the object in its bucket, not escaped, such as
// "videos/片头 100%.mp4".
func (s *Signer) SignObject(base, object string) (string, error) {
	if object == "" || strings.HasPrefix(object, "/") {
		return "", errors.New("playurl: the key of an object is not empty and does not begin with a slash")
	}
	if !strings.Contains(base, "://") {
		base = "https://" + base
	}
	l, err := parse(strings.TrimSuffix(base, "/"))
	if err != nil {
		return "", err
	}
	if l.path != "/" || l.hasQuery {
		return "", errors.New("playurl: the domain name of an object has a path or a query")
	}
	return s.Sign(l.origin + "/" + escapeObject(object))
}

func (s *Signer) sign(rawURL string, at time.Time) (string, error) {
	l, err := parse(rawURL)
	if err != nil {
		return "", err
	}
	if l.signed(s.cfg.Type) {
		return "", fmt.Errorf("playurl: the URL has a signature of type %s already", s.cfg.Type)
	}
	stamp, err := s.stamp(at)
	if err != nil {
		return "", err
	}
	key := s.keys()[0].Reveal()
	switch s.cfg.Type {
	case A:
		random := s.cfg.Random()
		if !isWord(random) {
			return "", errors.New("playurl: Config.Random returned other characters than letters and digits, or more than 128")
		}
		t := ticket{stamp: stamp, random: random, user: s.cfg.UserId}
		l.add("auth_key=" + stamp + "-" + random + "-" + s.cfg.UserId + "-" + t.hash(A, key, l.path))
	case B:
		l.path = "/" + stamp + "/" + ticket{stamp: stamp}.hash(B, key, l.path) + l.path
	case C:
		l.path = "/" + ticket{stamp: stamp}.hash(C, key, l.path) + "/" + stamp + l.path
	case CQuery:
		l.add("KEY1=" + ticket{stamp: stamp}.hash(CQuery, key, l.path) + "&KEY2=" + stamp)
	}
	return l.String(), nil
}

// chinaTime is the time zone of type B, all year.
var chinaTime = time.FixedZone("UTC+8", 8*60*60)

const minutes = "200601021504"

// stamp is a time in the form of the type.
func (s *Signer) stamp(at time.Time) (string, error) {
	unix := at.Unix()
	if unix < 0x10000000 || unix > 0xffffffff { // 8 hexadecimal digits, and 10 decimal ones but for the fake clock of testing/synctest
		return "", errors.New("playurl: a URL cannot have this time")
	}
	switch s.cfg.Type {
	case A:
		return strconv.FormatInt(unix, 10), nil
	case B:
		return at.In(chinaTime).Format(minutes), nil
	default:
		return strconv.FormatInt(unix, 16), nil
	}
}

// ticket is what a signature says.
type ticket struct{ stamp, random, user, digest string }

// hash is the digest that proves the ticket for a path.
func (t ticket) hash(typ Type, key, path string) string {
	var text string
	switch typ {
	case A:
		text = path + "-" + t.stamp + "-" + t.random + "-" + t.user + "-" + key
	case B:
		text = key + t.stamp + path
	default:
		text = key + path + t.stamp
	}
	sum := md5.Sum([]byte(text)) // the service has no other
	return hex.EncodeToString(sum[:])
}

func random() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

func notPrintable(r rune) bool { return r <= ' ' || r > '~' }

// isWord reports whether text can be a part of an auth_key.
func isWord(text string) bool {
	return text != "" && len(text) <= 128 && !strings.ContainsFunc(text, func(r rune) bool {
		return !('0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z')
	})
}
