//go:build linux || darwin

package upload

import (
	"net"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestUpload_B57_FewBytesWaitUnsent: a slow link takes bytes often, not a third
// of a large buffer now and then.
func TestUpload_B57_FewBytesWaitUnsent(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	transport := newTransport(nil)
	c, err := transport.DialContext(ctx, "tcp", l.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	raw, err := c.(pooledConn).Conn.(*net.TCPConn).SyscallConn()
	require.NoError(t, err)
	var got int
	require.NoError(t, raw.Control(func(fd uintptr) { got, err = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, unsentOption()) }))
	require.NoError(t, err)
	require.Equal(t, unsentBytes, got)
}
