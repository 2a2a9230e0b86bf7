package mediatest_test

import (
	"crypto/sha256"
	"encoding/hex"
)

func hexHash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
