package events

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/alimedia/alimedia-go"
)

var (
	// ErrSignature means that a callback was not signed with one of the keys for
	// one of the URLs.
	ErrSignature = errors.New("events: the signature does not match")

	// ErrExpired means that a callback was signed outside of [Config].Window.
	ErrExpired = errors.New("events: the signature is too old or in the future")
)

// proof is the signature of a callback and its time.
type proof struct {
	timestamp string // Unix seconds as sent; empty when the callback is not signed
	signature []byte // decoded, so that its spelling makes no difference
}

// proofOf parses the headers of either service.
func proofOf(header http.Header) (proof, error) {
	for _, service := range []string{"VOD", "ICE"} {
		timestamp := header.Get("X-" + service + "-TIMESTAMP")
		signature := header.Get("X-" + service + "-SIGNATURE")
		if timestamp == "" && signature == "" {
			continue
		}
		sum, err := hex.DecodeString(signature)
		if err != nil || len(sum) != md5.Size || timestamp == "" {
			return proof{}, fmt.Errorf("%w: malformed headers", ErrSignature)
		}
		return proof{timestamp, sum}, nil
	}
	return proof{}, nil
}

// signaturesOf returns the signatures of a callback as they were sent.
func signaturesOf(header http.Header) []string {
	var all []string
	for _, service := range []string{"VOD", "ICE"} {
		all = append(all, header.Values("X-"+service+"-SIGNATURE")...)
	}
	return all
}

// time parses the timestamp, which has digits only.
func (p proof) time() (time.Time, error) {
	seconds, err := strconv.ParseUint(p.timestamp, 10, 64)
	if err != nil || len(p.timestamp) > 12 {
		return time.Time{}, fmt.Errorf("%w: malformed timestamp", ErrSignature)
	}
	return time.Unix(int64(seconds), 0), nil
}

// matcher reports whether a proof was made with one of the keys for one of the
// URLs. It is a function so that fmt cannot print the keys that it holds.
type matcher func(proof) bool

// newMatcher tries every key with every URL, so that the time does not show which
// one matched. equal compares in constant time.
func newMatcher(keys []alimedia.Secret, urls []string, equal func(x, y []byte) int) matcher {
	return func(p proof) bool {
		found := 0
		for _, key := range keys {
			for _, url := range urls {
				sum := md5.Sum([]byte(url + "|" + p.timestamp + "|" + string(key)))
				found |= equal(sum[:], p.signature)
			}
		}
		return found == 1
	}
}

// verify returns the proof of a genuine callback. It is empty for an unsigned
// callback that is allowed.
func (r *Receiver) verify(header http.Header) (proof, error) {
	if r.matches == nil {
		return proof{}, nil
	}
	p, err := proofOf(header)
	if err != nil {
		return proof{}, err
	}
	if p.timestamp == "" {
		if !r.unsigned {
			return proof{}, fmt.Errorf("%w: the callback is not signed", ErrSignature)
		}
		return p, nil
	}
	sent, err := p.time()
	if err != nil {
		return proof{}, err
	}
	if !r.matches(p) {
		return proof{}, ErrSignature
	}
	if age := time.Since(sent); age > r.window || age < -r.window {
		return proof{}, ErrExpired
	}
	return p, nil
}
