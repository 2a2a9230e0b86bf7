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
	// ErrSignature is a callback that was not signed with one of the keys for
	// one of the URLs.
	ErrSignature = errors.New("events: the signature does not match")

	// ErrExpired is a callback that was signed outside of the window.
	ErrExpired = errors.New("events: signed too long ago or in the future")
)

// proof is what a callback's headers say.
type proof struct {
	timestamp string // Unix seconds as sent; empty when the callback is not signed
	signature []byte // decoded, so that its spelling makes no difference
}

// proofOf finds the headers of either service.
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

// signaturesOf lists the signatures of a callback as they were sent.
func signaturesOf(header http.Header) []string {
	var all []string
	for _, service := range []string{"VOD", "ICE"} {
		all = append(all, header.Values("X-"+service+"-SIGNATURE")...)
	}
	return all
}

// time reads the timestamp: nothing but digits.
func (p proof) time() (time.Time, error) {
	seconds, err := strconv.ParseUint(p.timestamp, 10, 64)
	if err != nil || len(p.timestamp) > 12 {
		return time.Time{}, fmt.Errorf("%w: malformed timestamp", ErrSignature)
	}
	return time.Unix(int64(seconds), 0), nil
}

// matcher tells whether a proof was made with one of the keys for one of the
// URLs. It is a function so that the keys it holds are out of the reach of fmt.
type matcher func(proof) bool

// newMatcher tries every key with every URL: how long that takes says nothing
// of which one was right. equal compares in constant time.
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

// verify returns the proof of a genuine callback. It is empty where nothing is
// proved and that is allowed.
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
			return proof{}, fmt.Errorf("%w: there is none", ErrSignature)
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
