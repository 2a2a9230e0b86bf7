//go:build long

package upload

const (
	killRounds  = 200
	queueRounds = 40
)
