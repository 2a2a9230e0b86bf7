//go:build !(amd64 || arm64) || purego

package crc64

import "hash/crc64"

func update(crc uint64, p []byte) uint64 { return crc64.Update(crc, table, p) }
