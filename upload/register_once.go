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

// attempts is what is known of the requests of one call.
type attempts struct {
	lost   bool          // one before the last may have had its effect
	unsure bool          // so may the last
	skew   time.Duration // of the service's clock
	asked  time.Time     // when the last that may have had its effect was sent or given up
	note   func(time.Time) error
}

// of is client with its requests watched. The client is for one call.
func (a *attempts) of(client *ice.Client) *ice.Client { return client.With(a.watch) }

func (a *attempts) watch(c *alimedia.Config) {
	sender := *c.HTTPClient
	sender.Transport = watched{cmp.Or(sender.Transport, http.DefaultTransport), a}
	c.HTTPClient = &sender
}

// mayBeOurs reports whether the service may know the object from a request of
// this upload whose answer did not arrive.
func (a *attempts) mayBeOurs(file subject) bool { return a.lost || file.repeated }

// before reports whether an asset was created before the upload began, both by
// the clock of the service.
func (a *attempts) before(created string, file subject) bool {
	at, err := alimedia.ParseTime(created)
	return err == nil && at.Add(time.Second).Before(file.began.Add(a.skew)) // it has whole seconds
}

type watched struct {
	http.RoundTripper
	*attempts
}

const maxRefusal = 64 << 10 // bytes of a refusal that are looked at

// RoundTrip implements http.RoundTripper.
func (t watched) RoundTrip(r *http.Request) (*http.Response, error) {
	t.lost = t.lost || t.unsure
	if err := t.record(time.Now()); err != nil {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, err
	}
	answer, err := t.RoundTripper.RoundTrip(r)
	t.unsure = true
	if err != nil { // it may still have its effect
		_ = t.record(time.Now())
		return nil, err
	}
	if date, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
		if t.skew = time.Until(date); t.skew.Abs() < 2*time.Second {
			t.skew = 0
		}
	}
	if answer.StatusCode/100 == 4 {
		// A nonce that is used means that the service has had this very request.
		head, _ := io.ReadAll(io.LimitReader(answer.Body, maxRefusal))
		answer.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(head), answer.Body), answer.Body}
		if !bytes.Contains(head, []byte("SignatureNonceUsed")) {
			t.unsure = false
			_ = t.record(time.Time{})
		}
	}
	return answer, nil
}

// record keeps when the service was asked, zero when it has refused.
func (a *attempts) record(at time.Time) error {
	if a.asked = at; a.note == nil {
		return nil
	}
	return a.note(at)
}

// once asks for what must not be done twice. An earlier request whose answer
// did not arrive, of this run or another, is looked up first.
func (f subject) once(ctx context.Context, client *ice.Client, look func(until time.Time) (bool, error), do func(*ice.Client) error) error {
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
		sent := attempts{note: f.note}
		failed = do(sent.of(client))
		if asked = sent.asked; failed == nil || asked.IsZero() || ctx.Err() != nil || again {
			return failed
		}
	}
}

// settling is for how long what was registered may not be found. It takes the
// service 2 to 3 seconds.
const settling = 10 * time.Second

// lookUp finds the asset that the object already is. Until the time given it
// is asked for again.
func lookUp(ctx context.Context, client *ice.Client, fileURL string, until time.Time) (*ice.GetMediaInfoResponse, error) {
	return alimedia.Poll(ctx, time.Second, func(ctx context.Context) (*ice.GetMediaInfoResponse, bool, error) {
		info, err := client.GetMediaInfo(ctx, ice.GetMediaInfoRequest{InputURL: fileURL})
		if alimedia.IsNotFound(err) && time.Now().Before(until) {
			return nil, false, nil
		}
		return info, err == nil, err
	})
}

// errUnknown: the answer of an earlier registration never arrived.
var errUnknown = errors.New("whether an earlier request has registered the object cannot be told")

// errRehearsed is how a call ends that would have been sent.
var errRehearsed = errors.New("upload: not sent")

// rehearsal is cfg with clients that check, encode and sign, but do not send.
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
