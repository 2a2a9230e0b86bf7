package mediatest

import (
	"context"
	"crypto/rsa"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
)

// TB is the part of testing.TB that [New] needs.
type TB interface {
	Helper()
	Cleanup(func())
	Errorf(format string, args ...any)
}

// Server is a running fake. All methods are safe for concurrent use.
type Server struct {
	// URL is the endpoint of the API and of OSS, such as
	// "http://127.0.0.1:40123".
	URL string

	opts   options
	first  atomic.Pointer[Account] // whom Config is for
	http   *http.Server
	client *http.Client
	away   *http.Client                     // reaches other servers of this machine
	report func(format string, args ...any) // where misuse is told; nil outside tests

	done    chan struct{}  // closed by Close
	serving chan struct{}  // closed when the accept loop has ended
	conns   sync.WaitGroup // open connections
	working sync.WaitGroup // downloads and callbacks
	life    context.Context
	end     context.CancelFunc // of life

	control http.Handler // with the Control option
	vault   *vault       // has a mutex of its own, which may be taken with mu held
	ids     *ids         // likewise

	callbackKey func() *rsa.PrivateKey // signs upload callbacks

	logMu sync.Mutex // serialises the lines of the Log option

	mu        sync.Mutex // guards what follows
	closed    bool
	skew      time.Duration
	started   time.Time
	ahead     time.Duration // of state before the clock of signatures
	timers    []*time.Timer // of what falls due
	events    []*Event
	queues    map[string]*queue
	queueNews chan struct{}             // closed and replaced when a queue changes
	spent     map[string]*bucketOfCalls // by account/operation
	keys      map[string]*key           // by access key id
	nonces    map[string]time.Time      // when each was used
	swept     time.Time                 // when old nonces were forgotten
	buckets   map[string]*bucket
	uploads   map[string]*upload
	accounts  []*Account
	seq       int64 // of the last asset of any account
	custom    map[string]Handler
	instance  instance                 // of the metadata service
	providers map[string]*OIDCProvider // by ARN
	former    []string                 // addresses of the servers that had this state before

	outcomes []*outcome
	faults   []*armed
	calls    map[string]int
	requests []*Request
	gone     int // requests that are no longer in the record
}

// Format shows the address, whatever the verb: what the server holds is secret
// in part.
func (s *Server) Format(f fmt.State, _ rune) {
	if s == nil {
		_, _ = io.WriteString(f, "<nil>")
		return
	}
	fmt.Fprintf(f, "mediatest.Server(%s)", s.URL)
}

// New starts a server that is closed at the end of the test.
func New(t TB, opts ...Option) *Server {
	t.Helper()
	s := newServer(opts)
	s.report = t.Errorf
	s.start()
	t.Cleanup(s.Close)
	return s
}

// Start starts a server outside of tests; the caller closes it.
func Start(opts ...Option) *Server {
	s := newServer(opts)
	s.start()
	return s
}

func newServer(opts []Option) *Server {
	s := &Server{
		opts:      defaults(),
		done:      make(chan struct{}),
		serving:   make(chan struct{}),
		keys:      map[string]*key{},
		nonces:    map[string]time.Time{},
		buckets:   map[string]*bucket{},
		uploads:   map[string]*upload{},
		calls:     map[string]int{},
		custom:    map[string]Handler{},
		queues:    map[string]*queue{},
		queueNews: make(chan struct{}),
		spent:     map[string]*bucketOfCalls{},
		providers: map[string]*OIDCProvider{},
		started:   time.Now().UTC(),

		callbackKey: newCallbackKey(),
		away:        &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	}
	for _, o := range opts {
		o(&s.opts)
	}
	s.vault, s.ids = newVault(s.opts.memory), newIDs(s.opts.seed)
	s.instance = s.newInstance()
	s.life, s.end = context.WithCancel(context.Background())
	s.first.Store(s.addAccount(s.randomDigits(16)))
	if s.opts.control {
		s.control = newControl(s)
	}
	return s
}

// start listens. A machine without a loopback network gets the in-memory
// network, which serves every user of HTTPClient just as well.
func (s *Server) start() {
	listener := s.opts.listener
	if !s.opts.inMemory && listener == nil {
		listener, _ = net.Listen("tcp", "127.0.0.1:0")
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 32, DisableCompression: true}
	if listener != nil {
		transport.DialContext = s.dial
		transport.DialTLSContext = s.dialTLS
		s.URL = addressOf(listener)
	} else {
		pipes := newPipeListener()
		listener = pipes
		// Any host leads here, by TLS or not, so that even the real endpoint
		// names can be tried.
		transport.DialContext = pipes.dial
		transport.DialTLSContext = pipes.dial
		s.URL = "http://" + pipes.Addr().String()
	}
	s.client = &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	// No time-outs: under a fake clock they would come between idle requests.
	s.http = &http.Server{Handler: http.HandlerFunc(s.serve), ConnState: s.track, ConnContext: connContext}
	go func() {
		defer close(s.serving)
		_ = s.http.Serve(listener) // ends with ErrServerClosed
	}()
}

// dial takes names such as own.localhost to the loopback network, as browsers do
// and not every resolver does, and what stands for the server to the server.
func (s *Server) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if s.standsFor(address) {
		address = strings.TrimPrefix(s.URL, "http://")
	} else if host, port, err := net.SplitHostPort(address); err == nil && strings.HasSuffix(host, ".localhost") {
		address = net.JoinHostPort("127.0.0.1", port)
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}

// dialTLS is for https: with the server, which has no certificate of a real
// endpoint, there is no TLS.
func (s *Server) dialTLS(ctx context.Context, network, address string) (net.Conn, error) {
	if s.standsFor(address) {
		return s.dial(ctx, network, address)
	}
	return new(tls.Dialer).DialContext(ctx, network, address)
}

// standsFor reports whether an address is the name of a real endpoint, or one at
// which the state of this server was served before.
func (s *Server) standsFor(address string) bool {
	host, port, err := net.SplitHostPort(address)
	switch {
	case err != nil:
		return false
	case strings.HasSuffix(host, ".aliyuncs.com"):
		return true
	case host == "localhost", strings.HasSuffix(host, ".localhost"):
		address = net.JoinHostPort("127.0.0.1", port)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(s.former, address)
}

// addressOf is the URL by which this machine reaches a listener.
func addressOf(l net.Listener) string {
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return "http://" + l.Addr().String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

func (s *Server) track(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.conns.Add(1)
	case http.StateClosed, http.StateHijacked:
		s.conns.Done()
	}
}

// Close ends all connections and waits until the server's goroutines are
// gone. What was stored can still be looked at, but for bytes that went into the
// temporary file.
func (s *Server) Close() {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	for _, timer := range s.timers {
		timer.Stop()
	}
	s.mu.Unlock()
	if first {
		s.end()
		close(s.done) // wakes requests that a Fault delays
		_ = s.http.Close()
		s.client.CloseIdleConnections()
	}
	<-s.serving
	s.conns.Wait()
	s.working.Wait()
	s.vault.close()
}

// Config is what a client of the first account needs to talk to this server:
// its region, endpoint, long-lived credentials and HTTP client.
func (s *Server) Config() alimedia.Config { return s.first.Load().Config() }

// HTTPClient reaches the server, also when it is [InMemory]. It follows no
// redirects and uses no proxy. It takes every name that ends in .localhost to
// this machine, for endpoints such as "http://localhost:40123" that OSS clients
// put the bucket before. It takes names that end in .aliyuncs.com, of http and
// https, to the server, so that the URLs in its answers work, and so it does with
// the addresses of earlier servers whose state was loaded, see [Server.Load].
func (s *Server) HTTPClient() *http.Client { return s.client }

// Credentials are the long-lived keys that Config carries. They may do
// everything in the first account and never expire.
func (s *Server) Credentials() credentials.Credentials { return s.first.Load().Credentials() }

// SetClockSkew moves the server's clock ahead of this machine's (or behind,
// when negative): signatures and expiry are judged by that clock, and the Date
// header shows it.
func (s *Server) SetClockSkew(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skew = d
}

// misuse reports a mistake in how the fake is used.
func (s *Server) misuse(format string, args ...any) {
	if s.report != nil {
		s.report("mediatest: "+format, args...)
	}
}

// serve is the one way in: name the request, apply a fault, let the service
// answer.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if s.opts.control {
		if isControl(r) {
			s.control.ServeHTTP(w, r)
			return
		}
		sandbox(w)
	}
	if allowOrigin(w, r) {
		return
	}
	if r.Method == http.MethodGet && r.URL.Path == callbackKeyPath {
		s.serveCallbackKey(w)
		return
	}
	query, _ := url.ParseQuery(r.URL.RawQuery)
	x := &exchange{srv: s, r: r, query: query, operation: action(r, query)}
	if x.operation == "" && isRPCForm(r) {
		x.operation = actionOfForm(r)
	}
	x.api = x.operation != ""
	switch {
	case x.api:
	case s.isPlay(r):
		x.cdn, x.operation, x.key = true, "Play", r.URL.Path
	case asksMetadata(r):
		x.metadata, x.operation, x.key = true, metadataOperation(r), r.URL.Path
	case asksQueue(r):
		x.queue = true
		x.operation, x.key = queueOperation(r, query)
	default:
		x.aim()
	}
	x.begin(w)
	defer x.end()
	x.run()
}
