package ossobject

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

// newTransport uses HTTP/1: parts that are sent in parallel need a connection
// each.
func newTransport(config *tls.Config) *http.Transport {
	d := &net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}
	t := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            buffered(d.DialContext),
		DialTLSContext:         dialTLS(d, config),
		TLSClientConfig:        config, // behind a proxy
		TLSHandshakeTimeout:    10 * time.Second,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        50 * time.Second,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: 256 << 10,
		Protocols:              new(http.Protocols),
	}
	t.Protocols.SetHTTP1(true)
	return t
}

type dialer = func(ctx context.Context, network, address string) (net.Conn, error)

// buffered makes connections that send bodies through buffers of a pool.
// net/http allocates 32 KiB for each request otherwise, three quarters of all
// garbage of a large upload.
func buffered(dial dialer) dialer {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &bufferedConn{Conn: c}, nil
	}
}

// dialTLS makes connections whose TLS records are sent several at a time.
// crypto/tls makes a system call for each record of 16 KiB otherwise.
func dialTLS(d *net.Dialer, config *tls.Config) dialer {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := d.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		own := config.Clone()
		if own == nil {
			own = new(tls.Config)
		}
		if own.ServerName == "" {
			own.ServerName, _, _ = net.SplitHostPort(address)
		}
		own.DynamicRecordSizingDisabled = true // small records are for pages that are shown early
		records := &recordBuffer{Conn: c}
		encrypted := tls.Client(records, own)
		if err := encrypted.HandshakeContext(ctx); err != nil {
			c.Close()
			return nil, err
		}
		return &bufferedConn{Conn: encrypted, records: records}, nil
	}
}

// recordBuffer holds back TLS records until flush. Other writes, such as alerts,
// pass through.
type recordBuffer struct {
	net.Conn

	mu   sync.Mutex
	hold bool
	data []byte
}

// Write implements io.Writer.
func (b *recordBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.hold {
		return b.Conn.Write(p)
	}
	b.data = append(b.data, p...)
	return len(p), nil
}

func (b *recordBuffer) holdBack() {
	b.mu.Lock()
	b.hold = true
	b.mu.Unlock()
}

func (b *recordBuffer) flush() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, err := b.Conn.Write(b.data)
	b.hold, b.data = false, b.data[:0]
	return err
}

// bufferedConn is a connection that is written by one goroutine at a time.
type bufferedConn struct {
	net.Conn
	records *recordBuffer // nil without TLS
	slow    bool
}

// write writes p at once.
func (c *bufferedConn) write(p []byte) (int, error) {
	if c.records == nil {
		return c.Conn.Write(p)
	}
	c.records.holdBack()
	n, err := c.Conn.Write(p)
	if failed := c.records.flush(); err == nil && failed != nil {
		n, err = 0, failed
	}
	return n, err
}

var copyBuffers = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// slowWrite is how long a write has to wait before the connection counts as
// slow.
const slowWrite = time.Second

// ReadFrom implements io.ReaderFrom.
//
// The operating system accepts megabytes before it sends them. On a slow link it
// then accepts nothing until a third of that is sent: a silence of minutes, which
// looks like a stall. A slow connection therefore gets a low limit for bytes
// that are not sent yet. Fast ones keep the large buffer, which costs less CPU.
func (c *bufferedConn) ReadFrom(r io.Reader) (total int64, err error) {
	buf := copyBuffers.Get().(*[64 << 10]byte)
	defer copyBuffers.Put(buf)
	for {
		n, readErr := r.Read(buf[:])
		if n > 0 {
			began := time.Now()
			written, err := c.write(buf[:n])
			total += int64(written)
			if err != nil {
				return total, err
			}
			if !c.slow && time.Since(began) > slowWrite {
				c.slow = true
				limitUnsent(c.Conn)
			}
		}
		if readErr == io.EOF {
			return total, nil
		}
		if readErr != nil {
			return total, readErr
		}
	}
}

// limitUnsent lowers the limit of unsent bytes of a connection, if the system
// knows one.
func limitUnsent(c net.Conn) {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	if b, ok := c.(*recordBuffer); ok {
		c = b.Conn
	}
	if s, ok := c.(syscall.Conn); ok {
		if raw, err := s.SyscallConn(); err == nil {
			_ = raw.Control(setUnsentLimit)
		}
	}
}
