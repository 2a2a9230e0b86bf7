package upload

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// newTransport keeps to HTTP/1: parts in parallel are to have a connection
// each.
func newTransport(config *tls.Config) *http.Transport {
	d := &net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second, Control: limitUnsent}
	t := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            pooled(d.DialContext),
		DialTLSContext:         pooled((&tls.Dialer{NetDialer: d, Config: config}).DialContext),
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

// pooled makes connections that send bodies through buffers of a pool. On its
// own net/http takes 32 KiB for each request, and that was three quarters of
// all the garbage of a large upload.
func pooled(dial dialer) dialer {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return pooledConn{c}, nil
	}
}

type pooledConn struct{ net.Conn }

var copyBuffers = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// ReadFrom implements io.ReaderFrom. Only Read and Write are used: with more
// methods to choose from, io.Copy would come back here.
func (c pooledConn) ReadFrom(r io.Reader) (int64, error) {
	buf := copyBuffers.Get().(*[64 << 10]byte)
	defer copyBuffers.Put(buf)
	return io.CopyBuffer(struct{ io.Writer }{c.Conn}, struct{ io.Reader }{r}, buf[:])
}
