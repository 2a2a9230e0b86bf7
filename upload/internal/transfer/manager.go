package transfer

import (
	"context"
	"log/slog"
	"time"

	"golang.org/x/time/rate"

	"github.com/alimedia/alimedia-go/internal/redact"
	"github.com/alimedia/alimedia-go/internal/retry"
)

// Config is the setting of a [Manager]. Every field but Bandwidth and
// AllowMissingCRC is required.
type Config struct {
	Retry              retry.Policy
	Parallel           int           // the maximum number of concurrent requests that carry bytes
	Bandwidth          int64         // bytes per second of all transfers, 0 for no limit
	PartSize           int64         // bytes
	MultipartThreshold int64         // bytes; smaller sources are sent in one request
	StallTimeout       time.Duration // between two movements of the bytes of a request
	ResponseTimeout    time.Duration // from the last byte of a request to the end of its response
	AllowMissingCRC    bool          // accepts responses without a CRC-64
	Logger             *slog.Logger
}

// Manager owns what transfers share: the concurrency limit and the bandwidth. It
// is safe for concurrent use.
type Manager struct {
	Config
	requests  chan struct{} // holds an element for each request that carries bytes
	bandwidth *rate.Limiter // nil means unlimited
}

// New returns a Manager.
func New(c Config) *Manager {
	m := &Manager{Config: c, requests: make(chan struct{}, c.Parallel)}
	if c.Bandwidth > 0 {
		// An eighth of a second passes at once, which is also about how long a
		// request waits for its next bytes.
		m.bandwidth = rate.NewLimiter(rate.Limit(c.Bandwidth), int(max(1, c.Bandwidth/8)))
	}
	return m
}

// Active is the number of requests that carry bytes at the moment.
func (m *Manager) Active() int { return len(m.requests) }

// admit returns the admission of bytes for one request, see body. The wait does
// not count as a stall.
func (m *Manager) admit(ctx context.Context, a *attempt) func(int) (int, error) {
	limiter := m.bandwidth
	if limiter == nil {
		return nil
	}
	return func(want int) (int, error) {
		n := min(want, limiter.Burst())
		turn := limiter.ReserveN(time.Now(), n)
		wait := turn.Delay()
		if wait == 0 {
			return n, nil
		}
		a.hold()
		if err := retry.Sleep(ctx, wait); err != nil {
			turn.Cancel()
			return 0, err
		}
		a.alive()
		return n, nil
	}
}

func acquire(ctx context.Context, limit chan struct{}) error {
	select {
	case limit <- struct{}{}:
		return nil
	case <-ctx.Done():
		return retry.ContextError(ctx)
	}
}

func release(limit chan struct{}) { <-limit }

// shown is err as a log shows it: redacted and on one line.
func shown(err error) string { return redact.Text(err.Error()) }

// Abort removes a multipart upload of the object at d. An upload that the
// service does not know is no error.
func (m *Manager) Abort(ctx context.Context, d Destination, uploadID string, o Requests) error {
	err := m.client(d, uncounted{o}).abort(ctx, uploadID)
	if IsLost(err) {
		return nil
	}
	return err
}
