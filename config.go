package alimedia

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/alimedia/alimedia-go/credentials"
)

// NetworkVPC selects the endpoint that is reached from inside a VPC of the
// region, see [Config.Network].
const NetworkVPC = "vpc"

// Config is what a client needs to know. The zero value works wherever the
// environment names a region (ALIBABA_CLOUD_REGION_ID) and credentials.
//
// A client copies its Config; changing it afterwards has no effect. Derive a
// client with other settings by the client's With method.
type Config struct {
	// Region is the region ID of the service, such as "cn-shanghai": lower-case
	// letters, digits and hyphens. Empty means ALIBABA_CLOUD_REGION_ID of the
	// environment. It may stay empty only when Endpoint is given. Blanks around
	// the value do not count, here and in Endpoint.
	Region string

	// Endpoint is where requests go: a host, with or without a port, such as
	// "vod.cn-shanghai.aliyuncs.com", or a URL of one. Requests go over HTTPS
	// unless it says http://. Empty means the documented host of the Region; a
	// Region without one is an error of New.
	Endpoint string

	// Network is empty for the public endpoint of the Region, or [NetworkVPC].
	// A Region without a documented endpoint inside a VPC is an error of New.
	// It has no effect when Endpoint is given.
	Network string

	// Credentials is asked before every attempt. Nil means
	// [credentials.Default].
	Credentials credentials.Provider

	// HTTPClient sends the signed requests. Nil means a client of our own
	// with pooled connections, the environment's proxy and TLS 1.2 or newer.
	// Its Transport is the place for tracing and metrics. Its Timeout holds as
	// well as AttemptTimeout.
	HTTPClient *http.Client

	// Logger receives one Debug record per attempt: action, region, status,
	// code, request id, duration, attempt. Another Debug record names the
	// fields of an answer that had another form than documented and stayed
	// zero. Never a parameter, a value of an answer or a secret. Nil means no
	// logging.
	Logger *slog.Logger

	// AttemptTimeout bounds each attempt of a call: from connecting to the last
	// byte of the answer. It bounds as well, on its own, the wait for
	// credentials before each attempt. Zero means one minute; a negative value
	// leaves both to ctx and the HTTPClient. An attempt that takes longer counts
	// as one whose answer was lost, and is repeated where that does no harm.
	AttemptTimeout time.Duration

	// Retry says how often and how patiently a call is repeated.
	Retry Retry

	// RateLimit paces the calls of this client. Nil means no pacing.
	RateLimit *RateLimit

	// UserAgent is added to the User-Agent of every request.
	UserAgent string

	// SkipValidation sends requests without the pre-flight checks.
	SkipValidation bool

	// MaxResponseBytes bounds the body of one response. Zero means 32 MiB.
	MaxResponseBytes int64
}

// Retry bounds the repetition of one call. Which failures are repeated is not
// a setting: throttling and failures before the request was sent always, lost
// answers and 5xx only where repeating the operation does no harm. Where it
// may, the call ends with an error that matches [ErrOutcomeUnknown].
type Retry struct {
	// MaxAttempts counts all attempts, the first one included. Zero means 4;
	// 1 switches repetition off.
	MaxAttempts int

	// BaseDelay is the upper bound of the first wait; it doubles with each
	// attempt and the actual wait is drawn evenly below it. Zero means 200 ms.
	BaseDelay time.Duration

	// MaxDelay bounds a single wait, including one the service asks for.
	// Zero means 20 s.
	MaxDelay time.Duration
}
