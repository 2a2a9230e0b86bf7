//go:build linux || darwin

package ossobject

import (
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// pausingConn is a real connection whose writes take a time of the bubble.
type pausingConn struct {
	*net.TCPConn
	pause time.Duration
}

func (c *pausingConn) Write(p []byte) (int, error) {
	time.Sleep(c.pause)
	return len(p), nil
}

// TestTransport_B57_SlowConnection: a slow link accepts bytes often, not a third
// of a large buffer now and then; a fast one keeps the large buffer.
func TestTransport_B57_SlowConnection(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	for pause, limited := range map[time.Duration]bool{slowWrite / 2: false, slowWrite + 1: true} {
		c, err := net.Dial("tcp", l.Addr().String())
		require.NoError(t, err)
		defer c.Close()
		synctest.Test(t, func(t *testing.T) {
			conn := &bufferedConn{Conn: &pausingConn{c.(*net.TCPConn), pause}}
			n, err := conn.ReadFrom(strings.NewReader(strings.Repeat("x", 200<<10)))
			require.NoError(t, err)
			require.EqualValues(t, 200<<10, n)
		})
		raw, err := c.(*net.TCPConn).SyscallConn()
		require.NoError(t, err)
		var got int
		require.NoError(t, raw.Control(func(fd uintptr) { got, err = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, unsentOption()) }))
		require.NoError(t, err)
		require.Equal(t, limited, got == unsentLimit, "a write took %v, the limit is %d", pause, got)
	}
}
