package rpc

import (
	"crypto/sha256"
	"encoding/binary"
)

// Fingerprint is equal for requests of one operation that are equal on the wire.
// It tells nothing of the secrets among the parameters.
func Fingerprint(in any) ([sha256.Size]byte, error) {
	p, err := Encode(in)
	if err != nil {
		return [sha256.Size]byte{}, err
	}
	h := sha256.New()
	for _, list := range [][]pair{p.query, p.form} {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(list)))
		h.Write(n[:])
		for _, parameter := range list {
			for _, text := range []string{parameter.key, parameter.value} {
				binary.BigEndian.PutUint64(n[:], uint64(len(text)))
				h.Write(n[:])
				h.Write([]byte(text))
			}
		}
	}
	return [sha256.Size]byte(h.Sum(nil)), nil
}
