package webupload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/vod"
)

// Config configures a [Handler].
type Config struct {
	// VOD creates, refreshes and checks assets of ApsaraVideo VOD: the targets
	// [Video], [Image] and [AttachedMedia].
	VOD *vod.Client

	// ICE does the same for the target [Media].
	ICE *ice.Client

	// Owner returns who sends the request, such as the ID of the signed-in user. It
	// is called before the body is read, and its result is part of the Upload-Token:
	// it must be the same for the same user. An error or an empty text is responded
	// to with 401; a [*Refusal] decides the response itself. It is required.
	Owner func(r *http.Request) (string, error)

	// Policy decides whether the owner may upload the file, and what is created: the
	// target that it returns is sent to the service as it is. An error that is a
	// [*Refusal] is sent to the browser; with any other the response is 500. It is
	// required, unless only Credentials is used.
	Policy func(ctx context.Context, r Request) (Target, error)

	// Completed is called when the service has the file, before Complete responds. If
	// it returns a [*Refusal], the asset is deleted and the browser gets the refusal.
	// With any other error the response is 500, and the page can call Complete again.
	// It is called at most once at a time for an asset and not again after it
	// returned nil, as long as the handler remembers the asset (the last 10,000). Other
	// processes and a restarted one do not know, so make it idempotent. Nil means that
	// nothing is called.
	Completed func(ctx context.Context, asset Asset) error

	// Keys sign the Upload-Tokens. The first one signs, all of them verify, so that
	// a key can be rotated. Each is random and has at least 32 bytes. All processes of
	// a backend need the same Keys.
	Keys []alimedia.Secret

	// TokenLife is how long an Upload-Token is valid. It ends the time in which an
	// upload can be refreshed, resumed and completed. Zero means 24 hours. The
	// maximum is 7 days, after which the service removes the parts of unfinished
	// uploads.
	TokenLife time.Duration

	// Origins are the origins of pages on other hosts that may call the handler, such
	// as "https://app.example.com". Requests of the handler's own origin are always
	// allowed, and so are requests that no browser sent. Cookies are allowed with
	// these origins.
	Origins []string

	// ClientKey names the client for ClientRate, such as an IP address. Nil means the
	// owner.
	ClientKey func(r *http.Request, owner string) string

	// ClientRate limits the requests of one client to all handlers together. Zero
	// means 2 requests per second with a burst of 60.
	ClientRate Rate

	// TotalRate limits the requests of all clients. Zero means 50 requests per second
	// with a burst of 100. Requests beyond ClientRate do not count.
	TotalRate Rate

	// STS configures Credentials. Nil means that Credentials responds with 404.
	STS *STS

	// Logger receives a Warn record for each request that was refused, with the
	// reason. The record contains nothing of the request or of a credential. Nil means
	// no logging, except of panics of hooks, which are logged to slog.Default().
	Logger *slog.Logger
}

// Format hides the Keys even if fmt does not call the methods of fields.
func (c Config) Format(f fmt.State, verb rune) {
	type plain Config
	fmt.Fprintf(f, fmt.FormatString(f, verb), plain(c))
}

// Rate is a number of requests per second with a burst. A negative PerSecond means
// no limit.
type Rate struct {
	PerSecond float64
	Burst     int
}

const (
	defaultLife = 24 * time.Hour
	maxLife     = 7 * 24 * time.Hour
	minKey      = 32 // bytes

	// remembered is the number of clients and of completed assets that are known.
	remembered = 10_000
)

// New returns the handlers of cfg.
func New(cfg Config) (*Handler, error) {
	switch {
	case cfg.Owner == nil:
		return nil, errors.New("webupload: Config.Owner: is required")
	case cfg.Policy == nil && cfg.STS == nil:
		return nil, errors.New("webupload: Config.Policy: is required without STS")
	case cfg.Policy != nil && cfg.VOD == nil && cfg.ICE == nil:
		return nil, errors.New("webupload: Config.VOD or Config.ICE: one is required with a Policy")
	case cfg.Policy != nil && len(cfg.Keys) == 0:
		return nil, errors.New("webupload: Config.Keys: at least one is required with a Policy")
	case slices.ContainsFunc(cfg.Keys, func(k alimedia.Secret) bool { return len(k) < minKey }):
		return nil, fmt.Errorf("webupload: Config.Keys: a key has less than %d bytes", minKey)
	case cfg.TokenLife < 0 || cfg.TokenLife > maxLife:
		return nil, errors.New("webupload: Config.TokenLife: must be between 0 and 7 days")
	}
	if err := cfg.STS.check(); err != nil {
		return nil, err
	}
	h := &Handler{
		cfg:    cfg,
		tokens: newTokens(slices.Clone(cfg.Keys), cmp.Or(cfg.TokenLife, defaultLife)),
		rates:  newRates(orRate(cfg.ClientRate, Rate{2, 60}), orRate(cfg.TotalRate, Rate{50, 100})),
		log:    cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler)),
		panics: cmp.Or(cfg.Logger, slog.Default()),
	}
	h.cfg.Keys = nil // only tokens has them
	if cfg.STS != nil {
		sts := *cfg.STS
		if sts.Source == nil {
			sts.Source = credentials.Default()
		}
		h.cfg.STS = &sts
	}
	for _, origin := range cfg.Origins {
		if err := h.origins.allow(origin); err != nil {
			return nil, fmt.Errorf("webupload: Config.Origins: %w", err)
		}
	}
	return h, nil
}

func orRate(r, fallback Rate) Rate {
	if r.PerSecond == 0 {
		return fallback
	}
	return r
}
