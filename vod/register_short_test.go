//go:build !long

package vod_test

const manyFiles = 20_000
