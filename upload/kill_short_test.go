//go:build !long

package upload

const (
	killRounds  = 10
	queueRounds = 1
)
