package browser

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"log/slog"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

const (
	appHost = "app.example.com"
	vodHost = "vod.cn-shanghai.aliyuncs.com"
	ossHost = "oss-cn-shanghai.aliyuncs.com"
)

// front is what Chromium takes for the Internet: every host name leads to it,
// with TLS. It hands the hosts of Alibaba Cloud on to mediatest.
type front struct {
	address string
	pin     string // SHA-256 of its certificate's key, as Chromium wants it

	mu   sync.Mutex
	seen map[string]int // requests by method and host
}

func newFront(t *testing.T, srv *mediatest.Server, app http.Handler) *front {
	t.Helper()
	f := &front{seen: map[string]int{}}
	certificate, pin := newCertificate(t)
	f.pin = pin
	target, err := url.Parse(srv.URL)
	require.NoError(t, err)
	services := &httputil.ReverseProxy{
		Transport: srv.HTTPClient().Transport,
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host },
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.seen[r.Method+" "+r.Host]++
		f.mu.Unlock()
		switch {
		case r.Host == appHost:
			app.ServeHTTP(w, r)
		case r.Host == vodHost, strings.HasSuffix(r.Host, "."+ossHost):
			services.ServeHTTP(w, r)
		default:
			http.NotFound(w, r)
		}
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // Chromium tries http too
	server.StartTLS()
	t.Cleanup(server.Close)
	f.address = server.Listener.Addr().String()
	return f
}

func (f *front) requests() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.seen)
}

// newCertificate makes a certificate that nobody signed, and the pin by which a
// client trusts it all the same.
func newCertificate(t *testing.T) (certificate tls.Certificate, pin string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{appHost, vodHost, "*." + ossHost},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	require.NoError(t, err)
	sum := sha256.Sum256(public)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, base64.StdEncoding.EncodeToString(sum[:])
}
