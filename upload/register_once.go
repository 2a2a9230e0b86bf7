package upload

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
)

// attempts observes the requests of one API call.
type attempts struct {
	lost   bool          // a request before the last one may have had an effect
	unsure bool          // the last request may have had an effect
	skew   time.Duration // of the service's clock
	asked  time.Time     // when the last request that may have had an effect was sent or abandoned
	note   func(time.Time) error
}

// of returns a client for one call whose requests are observed.
func (a *attempts) of(client *ice.Client) *ice.Client { return client.With(a.watch) }

func (a *attempts) watch(c *alimedia.Config) {
	sender := *c.HTTPClient
	sender.Transport = watched{cmp.Or(sender.Transport, http.DefaultTransport), a}
	c.HTTPClient = &sender
}

// mayBeOurs reports whether a request of this upload whose response was lost may
// have registered the object.
func (a *attempts) mayBeOurs(file fileInfo) bool { return a.lost || file.mayBeRegistered }

// before reports whether an asset was created before the upload began, by the
// clock of the service.
func (a *attempts) before(created string, file fileInfo) bool {
	at, err := alimedia.ParseTime(created)
	return err == nil && at.Add(time.Second).Before(file.began.Add(a.skew)) // CreateTime has whole seconds
}

type watched struct {
	http.RoundTripper
	*attempts
}

const maxErrorBody = 64 << 10 // bytes of an error response that are read

// RoundTrip implements http.RoundTripper.
func (t watched) RoundTrip(r *http.Request) (*http.Response, error) {
	t.lost = t.lost || t.unsure
	if err := t.record(time.Now()); err != nil {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, err
	}
	response, err := t.RoundTripper.RoundTrip(r)
	t.unsure = true
	if err != nil { // the request may still have an effect
		_ = t.record(time.Now())
		return nil, err
	}
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		if t.skew = time.Until(date); t.skew.Abs() < 2*time.Second {
			t.skew = 0
		}
	}
	if response.StatusCode/100 == 4 {
		// A used nonce means that the service has received this request before.
		head, _ := io.ReadAll(io.LimitReader(response.Body, maxErrorBody))
		response.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(head), response.Body), response.Body}
		if !bytes.Contains(head, []byte("SignatureNonceUsed")) {
			t.unsure = false
			_ = t.record(time.Time{})
		}
	}
	return response, nil
}

// record records the time of a request, and zero after the service refused it.
func (a *attempts) record(at time.Time) error {
	if a.asked = at; a.note == nil {
		return nil
	}
	return a.note(at)
}

// once sends a request that must not take effect twice. It first looks up the
// effect of an earlier request, of this run or another, whose response was lost.
func (f fileInfo) once(ctx context.Context, client *ice.Client, look func(until time.Time) (bool, error), do func(*ice.Client) error) error {
	asked := f.asked
	var failed error
	for again := false; ; again = true {
		if !asked.IsZero() {
			found, err := look(asked.Add(settling))
			switch {
			case err != nil && failed != nil:
				return fmt.Errorf("%w; %w: %w", failed, errUnknown, err)
			case err != nil:
				return fmt.Errorf("%w: %w", errUnknown, err)
			case found:
				return nil
			}
		}
		sent := attempts{note: f.saveAsked}
		failed = do(sent.of(client))
		if asked = sent.asked; failed == nil || asked.IsZero() || ctx.Err() != nil || again {
			return failed
		}
	}
}

// settling is how long the service may not find an object that was registered.
// The service takes 2 to 3 seconds.
const settling = 10 * time.Second

// lookUp finds the asset that the object is registered as. It asks repeatedly
// until the given time.
func lookUp(ctx context.Context, client *ice.Client, fileURL string, until time.Time) (*ice.GetMediaInfoResponse, error) {
	return alimedia.Poll(ctx, time.Second, func(ctx context.Context) (*ice.GetMediaInfoResponse, bool, error) {
		info, err := client.GetMediaInfo(ctx, ice.GetMediaInfoRequest{InputURL: fileURL})
		if alimedia.IsNotFound(err) && time.Now().Before(until) {
			return nil, false, nil
		}
		return info, err == nil, err
	})
}

// errUnknown means that the response of an earlier registration was lost.
var errUnknown = errors.New("it is unknown whether an earlier request has registered the object")

// errRehearsed is the error of a request that passed all checks and was not sent.
var errRehearsed = errors.New("upload: not sent")

// rehearsal returns cfg with clients that check, encode and sign requests, but do
// not send them.
func rehearsal(cfg Config) Config {
	change := func(c *alimedia.Config) {
		c.HTTPClient = &http.Client{Transport: unsent{}}
		c.Retry.MaxAttempts = 1
		c.Logger = nil
	}
	if cfg.VOD != nil {
		cfg.VOD = cfg.VOD.With(change)
	}
	if cfg.ICE != nil {
		cfg.ICE = cfg.ICE.With(change)
	}
	return cfg
}

type unsent struct{}

// RoundTrip implements http.RoundTripper.
func (unsent) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r.Body.Close()
	}
	return nil, errRehearsed
}
