package mediatest

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
)

// randomID returns n random bytes in hexadecimal.
func randomID(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// requestID has the form of the API's request ids.
func requestID() string {
	h := strings.ToUpper(randomID(16))
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// ossRequestID has the form of OSS's request ids.
func ossRequestID() string { return strings.ToUpper(randomID(12)) }

// randomDigits has the form of the ids of accounts, users and roles.
func randomDigits(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	for i := range b {
		b[i] = '0' + b[i]%10
	}
	b[0] = '1' + (b[0]-'0')%9
	return string(b)
}
