package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/answer"
	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/callback"
	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/screen"
	"github.com/alimedia/alimedia-go/events"
	"github.com/alimedia/alimedia-go/mediatest"
)

// callbackKeys is the environment variable with the AuthKeys, separated by
// commas. An AuthKey consists of letters and digits.
const callbackKeys = "ALIMEDIA_CALLBACK_KEY"

const defaultWindow = 5 * time.Minute

func newCallbackCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "callback",
		Short: "Receive event callbacks, and check their signatures",
		Long: `The services report events by HTTP callbacks, which they sign with the AuthKey of
SetMessageCallback (VOD) or SetEventCallback (ICE). Both commands take the key
from the environment variable ` + callbackKeys + `; several keys are
separated by commas.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newVerifyCommand(a), newListenCommand(a))
	return cmd
}

// callbackSecrets are the keys of the environment.
func (a *app) callbackSecrets() []alimedia.Secret {
	var keys []alimedia.Secret
	for key := range strings.SplitSeq(a.env(callbackKeys), ",") {
		if key != "" {
			keys = append(keys, alimedia.Secret(key))
		}
	}
	return keys
}

func newVerifyCommand(a *app) *cobra.Command {
	var url string
	var window time.Duration
	cmd := &cobra.Command{
		Use:   "verify [FILE]",
		Short: "Say why the signature of a callback does or does not match",
		Long: `verify reads a request from FILE or from standard input: headers, and the request
line and the body if you have them. It checks each part of the signed string
URL|timestamp|key, and tries likely mistakes, such as http for https, a slash at
the end of the URL or a blank in the key.

Exit code: 0 if the callback is genuine, 1 if it is not. An old timestamp alone
does not count.`,
		Example:           `  ` + callbackKeys + `=... alimedia callback verify --url https://www.example.com/callback request.txt`,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) { return nil, 0 },
		RunE: func(_ *cobra.Command, args []string) error {
			return a.verifyCallback(args, url, window)
		},
	}
	cmd.Flags().StringVar(&url, "url", "", "CallbackURL as it is configured at the service, byte for byte")
	cmd.Flags().DurationVar(&window, "window", defaultWindow, "how old a callback may be")
	return cmd
}

func (a *app) verifyCallback(args []string, url string, window time.Duration) error {
	keys := a.callbackSecrets()
	switch {
	case len(args) > 1:
		return usagef("verify takes one file, and got %d", len(args))
	case url == "":
		return usagef("verify needs --url: the CallbackURL as it is configured at the service")
	case len(keys) == 0:
		return usagef("verify needs the AuthKey in the environment variable %s", callbackKeys)
	case window <= 0:
		return usagef("--window must be positive")
	}
	name := "-"
	if len(args) == 1 {
		name = args[0]
	} else if a.term.In.TTY {
		a.notef("paste the request, then press Ctrl-D")
	}
	text, err := a.read(name)
	if err != nil {
		return err
	}
	if strings.TrimSpace(text) == "" {
		return usagef("%s: %w", inputName(name), callback.ErrNothing)
	}
	req, err := callback.Parse(text)
	if err != nil {
		return asUsage(err)
	}
	lines, valid := callback.Verify(req, callback.Settings{URL: url, Keys: keys, Now: time.Now(), Window: window})
	if a.flags.json {
		if err := a.emit(map[string]any{"valid": valid, "lines": lines}); err != nil {
			return err
		}
	} else {
		for _, line := range lines {
			if err := a.verdict(line.OK, line.Minor, line.Name, line.Text); err != nil {
				return err
			}
		}
	}
	if !valid {
		return &failure{code: exitFailure, err: errors.New("the callback is not genuine, as far as these settings tell"), silent: a.flags.json}
	}
	return nil
}

// verdict prints one line of a check.
func (a *app) verdict(ok, minor bool, name, text string) error {
	mark := a.term.Paint(a.term.Out, screen.Green, "ok  ")
	switch {
	case !ok && minor:
		mark = a.term.Paint(a.term.Out, screen.Yellow, "warn")
	case !ok:
		mark = a.term.Paint(a.term.Out, screen.Red, "fail")
	}
	p := &page{w: a.out, width: cmp.Or(a.term.Width(), 1<<16)}
	p.item(mark+"  "+screen.Pad(screen.Clean(name), 10)+"  ", 4+2+10+2, screen.Clean(text))
	return p.err
}

// item writes text behind a head of a width, and its further lines below.
func (p *page) item(head string, width int, text string) {
	if p.width-width < 30 { // a narrow terminal: the text is below the head
		p.line(strings.TrimRight(head, " "))
		p.text("      ", text)
		return
	}
	body := &strings.Builder{}
	inner := &page{w: body, width: p.width - width}
	inner.text("", text)
	for i, line := range strings.Split(strings.TrimSuffix(body.String(), "\n"), "\n") {
		if i > 0 {
			head = strings.Repeat(" ", width)
		}
		p.line(head + line)
	}
}

// listening is one run of callback listen.
type listening struct {
	*app
	addr, url string
	count     int
	window    time.Duration
	unsigned  bool

	mu   sync.Mutex
	got  int
	err  error
	done chan struct{}
}

func newListenCommand(a *app) *cobra.Command {
	l := &listening{app: a, done: make(chan struct{})}
	cmd := &cobra.Command{
		Use:   "listen",
		Short: "Receive callbacks and print the events",
		Long: `listen serves HTTP on --addr and prints a line for each event, with --json the
message. It verifies signatures with the key in ` + callbackKeys + ` and --url.
Without a key it takes every callback, which --unsigned must allow.

The services must reach the address: put a proxy with HTTPS in front of it. They
wait 5 seconds for a response.

With --demo it also sends itself two signed callbacks, as the services would.`,
		Example:           `  ` + callbackKeys + `=... alimedia callback listen --addr :8080 --url https://www.example.com/callback`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: noFiles,
		RunE:              func(*cobra.Command, []string) error { return l.run() },
	}
	flags := cmd.Flags()
	flags.StringVar(&l.addr, "addr", "127.0.0.1:8080", "address to listen on; port 0 takes any free one")
	flags.StringVar(&l.url, "url", "", "CallbackURL as it is configured at the service, byte for byte")
	flags.IntVar(&l.count, "count", 0, "end after this number of events (0: when interrupted)")
	flags.DurationVar(&l.window, "window", defaultWindow, "how old a callback may be")
	flags.BoolVar(&l.unsigned, "unsigned", false, "take callbacks without a signature, too: anyone can send these")
	return cmd
}

// demoURL and demoKey sign the callbacks of --demo.
const (
	demoURL = "https://www.example.com/callback"
	demoKey = "Demo1234567890"
)

func (l *listening) run() error {
	keys := l.callbackSecrets()
	demo := l.flags.demo && len(keys) == 0
	if demo {
		keys, l.url = []alimedia.Secret{demoKey}, demoURL
	}
	switch {
	case l.count < 0 || l.window <= 0:
		return usagef("--count must not be negative, and --window must be positive")
	case len(keys) == 0 && !l.unsigned:
		return usagef("listen needs the AuthKey in the environment variable %s, or --unsigned", callbackKeys)
	case len(keys) > 0 && l.url == "":
		return usagef("listen needs --url, the CallbackURL as it is configured at the service, to verify signatures")
	}
	cfg := events.Config{Keys: keys, Window: l.window, AllowUnsigned: l.unsigned, Logger: slog.New(rejections{l.app})}
	if l.url != "" {
		cfg.URLs = []string{l.url}
	}
	receiver, err := events.New(cfg, l.handle)
	if err != nil {
		return asUsage(err)
	}
	listener, err := new(net.ListenConfig).Listen(l.ctx, "tcp", l.addr)
	if err != nil {
		return usagef("--addr: %w", err)
	}
	l.notef("listening on http://%s", listener.Addr().String())
	if tcp, ok := listener.Addr().(*net.TCPAddr); ok && !tcp.IP.IsLoopback() && l.unsigned {
		l.notef("every machine that reaches this address can send events: --unsigned is set")
	}
	return l.serve(listener, receiver, demo)
}

func (l *listening) serve(listener net.Listener, handler http.Handler, demo bool) error {
	srv := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(listener) }()
	failed := make(chan error, 1)
	if demo {
		go func() { failed <- sendDemo(l.ctx, "http://"+listener.Addr().String()) }()
	}
	var err error
wait:
	for {
		select {
		case err = <-served:
			return err
		case err = <-failed:
			if err != nil {
				break wait
			}
		case <-l.done:
			break wait
		case <-l.ctx.Done():
			break wait
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(l.ctx), closeWithin)
	defer cancel()
	if closing := srv.Shutdown(ctx); err == nil {
		err = closing
	}
	<-served
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err == nil && l.err != nil:
		err = l.err
	case err == nil && errors.Is(context.Cause(l.ctx), errTimeout):
		err = errTimeout
	}
	if err == nil {
		l.notef("received %d events", l.got)
	}
	return err // an interrupt is how listening ends, and no failure
}

// handle prints an event. One that cannot be printed is not taken.
func (l *listening) handle(_ context.Context, event events.Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil || l.count > 0 && l.got >= l.count {
		return errors.New("it ends")
	}
	if err := l.print(event); err != nil {
		l.err = err
		close(l.done)
		return err
	}
	if l.got++; l.got == l.count {
		close(l.done)
	}
	return nil
}

func (l *listening) print(event events.Event) error {
	if l.flags.json {
		message, err := answer.Decode([]byte(event.Raw))
		if err != nil {
			return err
		}
		text, err := answer.JSON(map[string]any{"service": event.Service, "event": event.EventType, "mediaId": event.MediaId, "message": answer.Mask(message)}, false)
		if err != nil {
			return err
		}
		_, err = l.out.Write(text)
		return err
	}
	at := event.EventTime
	if at.IsZero() {
		at = time.Now()
	}
	parts := []string{at.Local().Format(time.DateTime), event.Service, event.EventType}
	for _, part := range []string{event.MediaId, jobOf(event), event.Status, event.ErrorCode, event.ErrorMessage} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	_, err := fmt.Fprintln(l.out, screen.Clean(strings.Join(parts, "  ")))
	return err
}

func jobOf(event events.Event) string {
	if event.JobId == "" {
		return ""
	}
	return "job " + event.JobId
}

// rejections tells of callbacks that were not taken.
type rejections struct{ *app }

func (rejections) Enabled(context.Context, slog.Level) bool { return true }
func (r rejections) WithAttrs([]slog.Attr) slog.Handler     { return r }
func (r rejections) WithGroup(string) slog.Handler          { return r }

func (r rejections) Handle(_ context.Context, record slog.Record) error {
	var status, why, from string
	record.Attrs(func(attr slog.Attr) bool {
		switch attr.Key {
		case "status":
			status = attr.Value.String()
		case "error":
			why = strings.TrimPrefix(attr.Value.String(), "events: ")
		case "remote":
			from = attr.Value.String()
		}
		return true
	})
	r.notef("callback from %s answered with %s: %s", from, status, why)
	return nil
}

// sendDemo sends callbacks of both services to a receiver.
func sendDemo(ctx context.Context, target string) error {
	for _, c := range []struct {
		service string
		message map[string]any
	}{
		{"vod", map[string]any{"EventType": "FileUploadComplete", "EventTime": time.Now().UTC().Format(time.RFC3339), "VideoId": "93ab850b4f6f46e91d24d81d4a5b5c5d", "Size": 300000, "Status": "success"}},
		{"ice", map[string]any{"EventType": "RegisterMediaComplete", "UserId": 1234567890123456, "EventTime": time.Now().UTC().Format(time.RFC3339), "MessageBody": map[string]any{"MediaId": "5e778ec0027b71ed80a8909598506302", "Status": "Success"}}},
	} {
		body, err := json.Marshal(c.message)
		if err != nil {
			return err
		}
		signed, err := mediatest.Callback{Service: c.service, URL: demoURL, AuthKey: demoKey, Body: string(body)}.Request()
		if err != nil {
			return err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(string(body)))
		if err != nil {
			return err
		}
		req.Header = signed.Header
		res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		res.Body.Close()
	}
	return nil
}
