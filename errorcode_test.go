package alimedia_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
)

func TestErrorCode(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{&alimedia.Error{Code: "Throttling.User", StatusCode: 400}, "Throttling.User"},
		{&alimedia.Error{StatusCode: 502}, "HTTP502"},
		{&alimedia.Error{Code: "a\nb"}, "a b"},
		{&alimedia.Error{Code: strings.Repeat("x", 100)}, strings.Repeat("x", 61) + "..."},
		{fmt.Errorf("%w: %w", context.Canceled, &alimedia.Error{Code: "X"}), "Canceled"},
		{context.DeadlineExceeded, "DeadlineExceeded"},
		{os.ErrDeadlineExceeded, "Timeout"},
		{&alimedia.ValidationError{}, "Validation"},
		{&alimedia.JobError{}, "JobFailed"},
		{&url.Error{Op: "Post", Err: x509.UnknownAuthorityError{}}, "Certificate"},
		{&net.DNSError{IsTimeout: true}, "Timeout"},
		{&url.Error{Op: "Post", Err: errors.New("EOF")}, "Network"},
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, "Network"},
		{&fs.PathError{Err: fs.ErrNotExist}, "NotExist"},
		{fs.ErrPermission, "Permission"},
		{errors.New("anything"), "Other"},
	} {
		require.Equal(t, tt.want, alimedia.ErrorCode(tt.err), "%v", tt.err)
	}
}
