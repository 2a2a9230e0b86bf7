// Package retry says what all clients of this module do alike about failures
// that may pass: the API client, the uploader and the downloader.
package retry

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ServerFailure reports whether an HTTP status says that the server failed and
// may succeed later: 500, 502 to 504, 509, 520 to 524 and the like. Statuses
// that say what the server never does, such as 501, are not among them.
func ServerFailure(status int) bool {
	switch status {
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported, http.StatusVariantAlsoNegotiates,
		http.StatusInsufficientStorage, http.StatusLoopDetected, http.StatusNotExtended, http.StatusNetworkAuthenticationRequired:
		return false
	}
	return 500 <= status && status <= 599
}

// longest is the longest wait that an answer can ask for.
const longest = time.Hour

// After reads the Retry-After field of an answer: seconds or a date. now is
// the time of the server as far as it is known; the answer's own Date wins. It
// returns zero where nothing valid is said and at most one hour.
func After(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if text == "" {
		return 0
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		if !(seconds > 0) { // also not a number
			return 0
		}
		return time.Duration(min(seconds, longest.Seconds()) * float64(time.Second))
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return min(max(at.Sub(now), 0), longest)
}
