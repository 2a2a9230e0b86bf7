package ossobject

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTransport(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	})
	data := make([]byte, 300<<10)
	_, _ = rand.Read(data)
	exchange := func(t *testing.T, srv *httptest.Server, config *tls.Config) (string, error) {
		transport := newTransport(config)
		defer transport.CloseIdleConnections()
		req, err := http.NewRequest(http.MethodPut, srv.URL, nil)
		require.NoError(t, err)

		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(data)), int64(len(data))
		resp, err := transport.RoundTrip(req)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		got, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, data, got)
		return resp.Proto, nil
	}
	t.Run("plain", func(t *testing.T) {
		srv := httptest.NewServer(handler)
		defer srv.Close()
		proto, err := exchange(t, srv, nil)
		require.NoError(t, err)
		require.Equal(t, "HTTP/1.1", proto)
	})
	t.Run("TLS", func(t *testing.T) {
		srv := httptest.NewUnstartedServer(handler)
		srv.EnableHTTP2 = true
		srv.Config.ErrorLog = log.New(io.Discard, "", 0)
		srv.StartTLS()
		defer srv.Close()
		roots := x509.NewCertPool()
		roots.AddCert(srv.Certificate())
		proto, err := exchange(t, srv, &tls.Config{RootCAs: roots})
		require.NoError(t, err)
		require.Equal(t, "HTTP/1.1", proto, "parts share no connection")

		_, err = exchange(t, srv, nil)
		var unknown x509.UnknownAuthorityError
		require.ErrorAs(t, err, &unknown)
		_, err = exchange(t, srv, &tls.Config{RootCAs: roots, ServerName: "oss-cn-shanghai.aliyuncs.com"})
		var wrong x509.HostnameError
		require.ErrorAs(t, err, &wrong)
	})
}

// countedConn counts the writes of a connection that goes nowhere.
type countedConn struct {
	net.Conn
	writes int
	data   []byte
	err    error
}

func (c *countedConn) Write(p []byte) (int, error) {
	c.writes++
	c.data = append(c.data, p...)
	return len(p), c.err
}

// TestRecordBuffer: records are sent together, in their order, and an alert is
// not held back.
func TestRecordBuffer(t *testing.T) {
	t.Parallel()
	raw := new(countedConn)
	records := &recordBuffer{Conn: raw}
	_, err := records.Write([]byte("handshake "))
	require.NoError(t, err)
	require.Equal(t, 1, raw.writes)
	// A tls.Conn writes several records for one write of its user.
	c := &bufferedConn{Conn: &splitConn{Conn: records}, records: records}
	n, err := c.ReadFrom(strings.NewReader("one two three "))
	require.NoError(t, err)
	require.EqualValues(t, len("one two three "), n)
	require.Equal(t, 2, raw.writes)
	_, err = records.Write([]byte("alert"))
	require.NoError(t, err)
	require.Equal(t, "handshake one two three alert", string(raw.data))
	raw.err = io.ErrClosedPipe
	n, err = c.ReadFrom(strings.NewReader("lost"))
	require.ErrorIs(t, err, io.ErrClosedPipe)
	require.Zero(t, n, "what the connection did not take was not written")
}

// splitConn writes byte by byte.
type splitConn struct{ net.Conn }

func (c *splitConn) Write(p []byte) (int, error) {
	for i := range p {
		if _, err := c.Conn.Write(p[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(p), nil
}
