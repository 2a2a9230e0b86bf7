package main

import (
	"slices"
	"strings"
)

// contender is a way to upload.
type contender struct {
	name   string
	binary string
	args   []string
	stream bool  // reads a stream: of one file only
	batch  bool  // a call for many files: of those only
	least  int64 // the smallest part in bytes that it accepts
	proves string
}

// bare and base are the contenders that the others are compared to: without a
// checksum, and with that of the standard library.
const (
	bare = "net/http"
	base = "net/http + CRC64"
)

var contenders = []contender{
	{name: bare, binary: "floor", args: []string{"-crc=false"}},
	{name: base, binary: "floor", proves: "CRC64"},
	{name: "alimedia File", binary: "ours", proves: "CRC64"},
	{name: "alimedia UploadAll", binary: "ours", args: []string{"-source", "batch"}, batch: true, proves: "CRC64"},
	{name: "alimedia Reader, size known", binary: "ours", args: []string{"-source", "reader"}, stream: true, proves: "CRC64"},
	{name: "alimedia Reader, size unknown", binary: "ours", args: []string{"-source", "stream"}, stream: true, proves: "CRC64"},
	{name: "OSS v1 UploadFile", binary: "ossv1", proves: "CRC64"},
	{name: "OSS v2 UploadFile", binary: "ossv2", proves: "CRC64"},
	{name: "OSS v2 UploadFrom", binary: "ossv2", args: []string{"-source", "reader"}, stream: true, proves: "CRC64"},
	{name: "minio FPutObject", binary: "minio", least: 5 * mb},
	{name: "minio PutObject, reader", binary: "minio", args: []string{"-source", "reader"}, stream: true, least: 5 * mb},
	{name: "aws transfermanager, file", binary: "aws", least: 5 * mb, proves: "CRC32"},
	{name: "aws transfermanager, reader", binary: "aws", args: []string{"-source", "reader"}, stream: true, least: 5 * mb, proves: "CRC32"},
}

// takes reports whether c has a part in what.
func (c contender) takes(what cell) bool {
	if what.files > 1 {
		return !c.stream
	}
	return !c.batch && what.part >= c.least
}

// choose returns the contenders whose name has one of words, and bare and base.
func choose(words string) []contender {
	var chosen []contender
	for _, c := range contenders {
		wanted := func(word string) bool { return strings.Contains(strings.ToLower(c.name), strings.ToLower(word)) }
		if c.name == base || c.name == bare || slices.ContainsFunc(strings.Split(words, ","), wanted) {
			chosen = append(chosen, c)
		}
	}
	return chosen
}
