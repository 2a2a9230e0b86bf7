// Command mediatestd runs package mediatest as a process: VOD, ICE, OSS and STS
// simulated at one fixed address, for tests in any language.
//
//	go run github.com/alimedia/alimedia-go/mediatest/cmd/mediatestd@latest
//
// It prints a block that a shell can read: comments, and the variables that
// clients need. SIGINT or SIGTERM ends it with exit code 0. README.md describes
// its flags and its control API.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"

	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/vod"
)

const closingTime = 10 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, stop, os.Args[1:], os.Stdout, os.Stderr)
	os.Exit(code)
}

// run is the program; it returns the exit code.
func run(ctx context.Context, stop func(), args []string, stdout, stderr io.Writer) int {
	cfg, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "mediatestd: %v\n", err)
		return 2
	}
	listener, err := net.Listen("tcp", cfg.addr)
	if err != nil {
		fmt.Fprintf(stderr, "mediatestd: %v\n", explain(cfg.addr, err))
		return 1
	}
	srv := mediatest.Start(append(cfg.options(stderr), mediatest.Listener(listener))...)
	saved, err := keepState(ctx, srv, cfg, stderr)
	if err != nil {
		fmt.Fprintf(stderr, "mediatestd: %v\n", err)
		srv.Close()
		return 1
	}
	if _, err := fmt.Fprint(stdout, banner(srv, cfg)); err != nil {
		fmt.Fprintf(stderr, "mediatestd: standard output: %v\n", err)
	}
	if tcp, ok := listener.Addr().(*net.TCPAddr); ok && !tcp.IP.IsLoopback() {
		fmt.Fprintf(stderr, "mediatestd: %s is no loopback address: every machine that reaches it controls this server\n", listener.Addr())
	}
	<-ctx.Done()
	stop() // a second signal ends the process at once
	code := 0
	if err := saved(); err != nil {
		fmt.Fprintf(stderr, "mediatestd: the state is not saved: %v\n", err)
		code = 1
	}
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		srv.Close()
	}()
	select {
	case <-closed:
		return code
	case <-time.After(closingTime):
		fmt.Fprintf(stderr, "mediatestd: not everything ended within %v\n", closingTime)
		return 1
	}
}

// explain says what to do about an address that cannot be had.
func explain(addr string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s is in use: stop what listens there, or choose another address with -addr, where port 0 takes any free one", addr)
	}
	return fmt.Errorf("cannot listen: %w", err)
}

// The keys are the same everywhere, so that clients can be configured once.
const (
	defaultAddr   = "127.0.0.1:8620"
	defaultID     = "mediatest"
	defaultSecret = "mediatest-secret"
)

type config struct {
	addr, region, storage string
	id, secret            string
	life, processing      time.Duration
	memory                int64
	strict, quirks        bool
	throttle, discard     bool
	callbacks             string
	uploads               string
	state                 string
	every                 time.Duration
	log                   bool
}

func parse(args []string, stderr io.Writer) (config, error) {
	var c config
	f := flag.NewFlagSet("mediatestd", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&c.addr, "addr", defaultAddr, "`address` to listen on")
	f.StringVar(&c.region, "region", "cn-shanghai", "`region` of the services")
	f.StringVar(&c.storage, "storage-region", "", "`region` of the managed bucket (default: that of the services)")
	f.StringVar(&c.id, "access-key-id", cmp.Or(os.Getenv("MEDIATEST_ACCESS_KEY_ID"), defaultID),
		"AccessKey `ID` of the first account; also by MEDIATEST_ACCESS_KEY_ID")
	f.StringVar(&c.secret, "access-key-secret", "",
		"AccessKey `secret` of the first account; also by MEDIATEST_ACCESS_KEY_SECRET (default "+defaultSecret+")")
	f.DurationVar(&c.life, "credential-life", 3000*time.Second, "how long issued credentials are valid")
	f.DurationVar(&c.processing, "processing", 0, "how long assets and jobs are processed")
	f.Int64Var(&c.memory, "memory", 64<<20, "`bytes` of objects in memory; more go into a temporary file")
	f.BoolVar(&c.strict, "strict", false, "refuse operations without behavior and unknown parameters")
	f.BoolVar(&c.quirks, "quirks", false, "answer with the oddities of the documented samples")
	f.BoolVar(&c.throttle, "throttle", false, "limit calls to the rates that VOD documents")
	f.BoolVar(&c.discard, "discard", false, "keep size and CRC-64 of objects, but not their bytes")
	f.StringVar(&c.callbacks, "callbacks", "local", "where callbacks are posted: local (this machine), `all` or off")
	f.StringVar(&c.uploads, "upload-endpoint", "",
		"`URL` of OSS in upload addresses, such as http://localhost:8620, which uploaders in browsers need (default: the server's)")
	f.StringVar(&c.state, "state", "", "`file` that keeps what the server holds: read at the start, written at the end and every -save-every; it has secrets")
	f.DurationVar(&c.every, "save-every", 30*time.Second, "how often the -state file is written when something has changed")
	f.BoolVar(&c.log, "log", false, "write a line for each request to standard error")
	if err := f.Parse(args); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			err = errors.New("see mediatestd -help")
		}
		return c, err
	}
	c.secret = cmp.Or(c.secret, os.Getenv("MEDIATEST_ACCESS_KEY_SECRET"), defaultSecret)
	return c, c.check(f.Args())
}

var regionID = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

func (c *config) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("unexpected argument %q; see mediatestd -help", rest[0])
	case !regionID.MatchString(c.region), c.storage != "" && !regionID.MatchString(c.storage):
		return errors.New("a region ID has lower-case letters, digits and hyphens, such as cn-shanghai")
	case c.every <= 0:
		return errors.New("-save-every must be more than zero")
	case c.life <= 0:
		return errors.New("-credential-life must be more than zero")
	case c.processing < 0:
		return errors.New("-processing is negative")
	case c.memory < 0:
		return errors.New("-memory is negative")
	case c.callbacks != "local" && c.callbacks != "all" && c.callbacks != "off":
		return fmt.Errorf("-callbacks is %q: neither local nor all nor off", c.callbacks)
	case c.uploads != "" && !endpoint(c.uploads):
		return fmt.Errorf("-upload-endpoint is %q: no URL such as http://localhost:8620", c.uploads)
	case !plain(c.id) || !plain(c.secret):
		return errors.New("the AccessKey has other characters than A to Z, a to z, 0 to 9 and .-_+/=")
	}
	return nil
}

func endpoint(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.Path == "" && u.RawQuery == "" && u.User == nil
}

// plain reports whether a shell takes the text as it is.
func plain(text string) bool {
	for _, r := range text {
		switch {
		case r >= 'A' && r <= 'Z', r >= 'a' && r <= 'z', r >= '0' && r <= '9':
		case r != '.' && r != '-' && r != '_' && r != '+' && r != '/' && r != '=':
			return false
		}
	}
	return text != ""
}

func (c *config) options(stderr io.Writer) []mediatest.Option {
	all := []mediatest.Option{
		mediatest.Control(), mediatest.Region(c.region), mediatest.StorageRegion(c.storage), mediatest.AccessKey(c.id, c.secret),
		mediatest.CredentialLife(c.life), mediatest.Processing(c.processing), mediatest.MemoryLimit(c.memory),
	}
	if c.strict {
		all = append(all, mediatest.Strict())
	}
	if c.quirks {
		all = append(all, mediatest.Quirks())
	}
	if c.discard {
		all = append(all, mediatest.Discard())
	}
	if c.throttle {
		all = append(all, mediatest.Throttle(vod.DocumentedRates()))
	}
	if c.uploads != "" {
		all = append(all, mediatest.EncodeUpload(func(address, auth map[string]any) (string, string) {
			address["Endpoint"] = c.uploads
			return mediatest.EncodeBase64(address), mediatest.EncodeBase64(auth)
		}))
	}
	if c.log {
		all = append(all, mediatest.Log(stderr))
	}
	switch c.callbacks {
	case "all":
		all = append(all, mediatest.EventClient(&http.Client{Timeout: 5 * time.Second}))
	case "off":
		all = append(all, mediatest.EventClient(&http.Client{Transport: refusing{}}))
	}
	return all
}

// refusing posts nothing.
type refusing struct{}

func (refusing) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("callbacks are off")
}

// banner tells how to use the server, in words that a shell can read.
func banner(srv *mediatest.Server, c config) string {
	page := srv.URL + mediatest.ControlPrefix
	return fmt.Sprintf(`# mediatest: VOD, ICE, OSS and STS at %s
# page:    %s
# control: %sstate
# The keys are good for this server only. End it with Ctrl+C.
export MEDIATEST_URL=%s
export ALIBABA_CLOUD_REGION_ID=%s
export ALIBABA_CLOUD_ACCESS_KEY_ID=%s
export ALIBABA_CLOUD_ACCESS_KEY_SECRET=%s
`, srv.URL, page, page, srv.URL, c.region, c.id, c.secret)
}
