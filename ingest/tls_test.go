package ingest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// certificate makes a certificate of a server and a client on loopback.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "queue"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// TestServe_TLS: clients need the certificate authority, the token and, if the
// server asks for it, a certificate.
func TestServe_TLS(t *testing.T) {
	t.Parallel()
	cert, pool := certificate(t)
	s, err := Serve(ServerConfig{Dir: filepath.Join(t.TempDir(), "nats"), Listen: "127.0.0.1:0", TLS: &tls.Config{
		Certificates: []tls.Certificate{cert}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12,
	}})
	require.NoError(t, err)
	defer s.Close()
	open := func(cfg Config) error {
		f, err := Open(t.Context(), cfg)
		if err == nil {
			f.Close()
		}
		return err
	}
	client := &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	require.NoError(t, open(Config{Server: s}), "in this process")
	require.NoError(t, open(Config{URL: s.URL, Token: s.Token, TLS: client}))
	require.Error(t, open(Config{URL: s.URL, Token: s.Token}), "unknown authority")
	require.Error(t, open(Config{URL: s.URL, TLS: client}), "no token")
	require.Error(t, open(Config{URL: s.URL, Token: s.Token, TLS: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}), "no certificate")
}
