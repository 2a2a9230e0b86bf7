package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
)

// Exit codes, as `alimedia help exit-codes` explains them.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitPartial     = 3
	exitNotFound    = 4
	exitDenied      = 5
	exitUnavailable = 6
	exitTimeout     = 7
	exitInterrupted = 130 // 128 + SIGINT
	exitTerminated  = 143 // 128 + SIGTERM
)

// failure is an error with an exit code.
type failure struct {
	code   int
	err    error
	silent bool // the user was told already
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// usageError is a command line that is not understood.
type usageError struct {
	error
	cmd *cobra.Command
}

func (e usageError) Unwrap() error { return e.error }

// usagef is an error of the command line or of the configuration.
func usagef(format string, args ...any) error {
	return &failure{code: exitUsage, err: fmt.Errorf(format, args...)}
}

// asUsage makes err an error of the configuration.
func asUsage(err error) error {
	if err == nil {
		return nil
	}
	return &failure{code: exitUsage, err: err}
}

// notFound is an error that says what does not exist.
func notFoundf(format string, args ...any) error {
	return &failure{code: exitNotFound, err: fmt.Errorf(format, args...)}
}

// partly is the error of a command of which some of several parts failed, each
// of which was reported. If all failed it is that of err.
func partly(failed, of int, err error) error {
	if failed < of {
		return &failure{code: exitPartial, err: fmt.Errorf("%d of %d failed", failed, of), silent: true}
	}
	return &failure{code: exitCode(err), err: err, silent: true}
}

// exitCode is the exit code for err.
func exitCode(err error) int {
	var f *failure
	var usage usageError
	var api *alimedia.Error
	var sts *credentials.Error
	var invalid *alimedia.ValidationError
	var network net.Error
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &f):
		return f.code
	case errors.As(err, &usage), errors.As(err, &invalid):
		return exitUsage
	case errors.Is(err, errTimeout), errors.Is(err, context.DeadlineExceeded):
		return exitTimeout
	case errors.Is(err, errTerminated):
		return exitTerminated
	case errors.Is(err, context.Canceled), errors.Is(err, errInterrupted):
		return exitInterrupted
	case errors.As(err, &api):
		return apiExitCode(api)
	case errors.As(err, &sts):
		return exitDenied
	case errors.Is(err, os.ErrNotExist):
		return exitNotFound
	case errors.As(err, &network):
		return exitUnavailable
	}
	return exitFailure
}

func apiExitCode(err *alimedia.Error) int {
	switch {
	case alimedia.IsNotFound(err):
		return exitNotFound
	case alimedia.IsAccessDenied(err), err.StatusCode == 401, slices.ContainsFunc(badKeys, func(code string) bool { return alimedia.HasCode(err, code) }):
		return exitDenied
	case err.Retryable():
		return exitUnavailable
	}
	return exitFailure
}

// badKeys are codes of keys, tokens and signatures that are not accepted.
var badKeys = []string{
	"InvalidAccessKeyId", "SignatureDoesNotMatch", "SignatureNotMatch", "IncompleteSignature", "InvalidSecurityToken",
	"SecurityTokenExpired", "MissingAccessKeyId", "MissingSecurityToken",
}
