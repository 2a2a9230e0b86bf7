//go:build long

package vod_test

const manyFiles = 1_000_000
