package ingest

import (
	"cmp"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/alimedia/alimedia-go"
)

// ServerConfig configures an embedded NATS server.
type ServerConfig struct {
	// Dir is where the queue and the results are stored. It is created with mode
	// 0700. Files of other users are refused.
	Dir string

	// Listen is the address, such as "127.0.0.1:4222", which is the default.
	// Port 0 means a free one. An address that is not loopback needs TLS.
	Listen string

	// Token is what clients must present. If it is empty, it is read from the file
	// token in Dir. That file is created with mode 0600 and a random token if it
	// does not exist.
	Token alimedia.Secret

	// TLS is the certificate of the server and, if ClientCAs is set, those of its
	// clients.
	TLS *tls.Config

	// MaxStore is the maximum size of the store in bytes. The default is 64 GiB.
	MaxStore int64
}

// Server is an embedded NATS server with JetStream.
type Server struct {
	URL    string // for clients on this machine
	Token  alimedia.Secret
	server *server.Server
}

// Files in ServerConfig.Dir: the token, and the URL for clients on this machine.
const (
	TokenFile = "token"
	urlFile   = "url"
)

// Serve starts a NATS server in this process. Close it.
func Serve(cfg ServerConfig) (*Server, error) {
	if cfg.Dir == "" {
		return nil, errors.New("ingest: ServerConfig.Dir is empty")
	}
	host, port, err := listenAddress(cmp.Or(cfg.Listen, "127.0.0.1:4222"))
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(host); cfg.TLS == nil && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("ingest: ServerConfig.Listen %s is not a loopback address, so ServerConfig.TLS is needed", host)
	}
	if err := ownDir(cfg.Dir); err != nil {
		return nil, err
	}
	if cfg.Token == "" {
		if cfg.Token, err = tokenOf(filepath.Join(cfg.Dir, TokenFile)); err != nil {
			return nil, err
		}
	}
	s, err := server.NewServer(&server.Options{
		ServerName: "alimedia-ingest", Host: host, Port: port, DontListen: false,
		JetStream: true, StoreDir: cfg.Dir, JetStreamMaxStore: cmp.Or(cfg.MaxStore, 64<<30), JetStreamMaxMemory: 64 << 20,
		SyncInterval: 10 * time.Second, Authorization: string(cfg.Token), TLSConfig: cfg.TLS, TLS: cfg.TLS != nil,
		MaxPayload: maxSnapshot + 64<<10, NoLog: true, NoSigs: true,
	})
	if err != nil {
		return nil, fmt.Errorf("ingest: the embedded server: %w", err)
	}
	s.Start()
	if !s.ReadyForConnections(30 * time.Second) {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, fmt.Errorf("ingest: the embedded server does not start on %s: is the port in use, or the directory %s?", net.JoinHostPort(host, fmt.Sprint(port)), cfg.Dir)
	}
	here := strings.NewReplacer("//0.0.0.0:", "//127.0.0.1:", "//[::]:", "//[::1]:").Replace(s.ClientURL())
	if err := os.WriteFile(filepath.Join(cfg.Dir, urlFile), []byte(here+"\n"), 0o600); err != nil {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, err
	}
	return &Server{URL: here, Token: cfg.Token, server: s}, nil
}

// Close stops the server. What it has acknowledged is stored.
func (s *Server) Close() {
	s.server.Shutdown()
	s.server.WaitForShutdown()
}

// String keeps the token out of logs.
func (s *Server) String() string { return "ingest.Server " + s.URL }

// GoString keeps the token out of logs.
func (s *Server) GoString() string { return s.String() }

func listenAddress(text string) (string, int, error) {
	addr, err := net.ResolveTCPAddr("tcp", text)
	if err != nil {
		return "", 0, fmt.Errorf("ingest: ServerConfig.Listen: %w", err)
	}
	if addr.IP == nil {
		addr.IP = net.IPv4zero
	}
	if addr.Port == 0 {
		addr.Port = server.RANDOM_PORT
	}
	return addr.IP.String(), addr.Port, nil
}

// ownDir creates a directory for this user only.
func ownDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("ingest: %s is not a directory", dir)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return os.Chmod(dir, 0o700) // fails for a directory of somebody else
	}
	return nil
}

// tokenOf reads the token from a file, and makes both if there is none.
func tokenOf(file string) (alimedia.Secret, error) {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		token := rand.Text()
		_, err = f.WriteString(token + "\n")
		return alimedia.Secret(token), cmp.Or(err, f.Close())
	}
	if !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	return ReadToken(file)
}

// ReadURL returns the URL of the server that runs, or last ran, with this
// ServerConfig.Dir.
func ReadURL(dir string) (string, error) {
	text, err := readOwn(filepath.Join(dir, urlFile))
	if err != nil {
		return "", err
	}
	if u, err := url.Parse(text); err != nil || u.Host == "" || len(text) > 256 {
		return "", fmt.Errorf("ingest: %s does not hold a URL", filepath.Join(dir, urlFile))
	}
	return text, nil
}

// ReadToken reads the token of an embedded server from a file that only its owner
// can read, see [TokenFile].
func ReadToken(file string) (alimedia.Secret, error) {
	token, err := readOwn(file)
	if err != nil {
		return "", err
	}
	if len(token) < 16 || len(token) > 1024 {
		return "", fmt.Errorf("ingest: %s does not hold a token", file)
	}
	return alimedia.Secret(token), nil
}

// readOwn reads a small file that only its owner can read.
func readOwn(file string) (string, error) {
	info, err := os.Lstat(file)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 || info.Size() > 4096 {
		return "", fmt.Errorf("ingest: %s must be a file of mode 0600", file)
	}
	text, err := os.ReadFile(file)
	return strings.TrimSpace(string(text)), err
}

// urlSecrets are the credentials in the URLs of NATS servers.
func urlSecrets(urls string) (secrets []string) {
	for text := range strings.SplitSeq(urls, ",") {
		u, err := url.Parse(strings.TrimSpace(text))
		if err != nil || u.User == nil {
			continue
		}
		if password, ok := u.User.Password(); ok {
			secrets = append(secrets, password)
		} else {
			secrets = append(secrets, u.User.Username()) // a token
		}
	}
	return secrets
}
