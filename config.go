package alimedia

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/alimedia/alimedia-go/credentials"
)

// NetworkVPC selects the endpoint inside a VPC of the region, see
// [Config.Network].
const NetworkVPC = "vpc"

// Config configures a client. The zero value works if the environment has a
// region (ALIBABA_CLOUD_REGION_ID) and credentials.
//
// A client copies its Config, so later changes have no effect. The client's With
// method returns a client with other settings.
type Config struct {
	// Region is the region ID of the service, such as "cn-shanghai": lower-case
	// letters, digits and hyphens. Empty means the environment variable
	// ALIBABA_CLOUD_REGION_ID. A region is required unless Endpoint is set.
	// Leading and trailing spaces are ignored, here and in Endpoint.
	Region string

	// Endpoint is the host of the service, such as
	// "vod.cn-shanghai.aliyuncs.com", optionally with a port, or a URL of it.
	// Requests use HTTPS unless the URL begins with http://. Empty means the
	// documented host of the Region. New returns an error for a Region without
	// one.
	Endpoint string

	// Network is empty for the public endpoint of the Region, or [NetworkVPC].
	// New returns an error for a Region without a documented VPC endpoint.
	// Network has no effect if Endpoint is set.
	Network string

	// Credentials provides the credentials. The client calls it before every
	// attempt. Nil means [credentials.Default].
	Credentials credentials.Provider

	// HTTPClient sends the signed requests. Nil means a default client with
	// pooled connections, the proxy of the environment, and TLS 1.2 or later.
	// Its Timeout applies in addition
	// to AttemptTimeout.
	HTTPClient *http.Client

	// Logger receives one Debug record per attempt: action, region, status,
	// code, request ID, duration and attempt. Another Debug record names the
	// fields of a response that could not be decoded and are zero. No record
	// contains parameters, values of responses or secrets. Nil means no logging.
	Logger *slog.Logger

	// Observer receives the events of calls, for traces and metrics. Nil means
	// none.
	Observer *Observer

	// AttemptTimeout is the maximum time of each attempt, from connecting to the
	// last byte of the response. The wait for credentials before each attempt
	// has the same limit of its own. Zero means one minute. A negative value
	// means no limit but those of ctx and HTTPClient. An attempt that takes
	// longer is handled like a lost response.
	AttemptTimeout time.Duration

	// Retry limits the retries of a call.
	Retry Retry

	// RateLimit limits the rate of calls. Nil means unlimited.
	RateLimit *RateLimit

	// UserAgent is added to the User-Agent of every request.
	UserAgent string

	// SkipValidation sends requests without validating them first.
	SkipValidation bool

	// MaxResponseBytes is the maximum size of a response body. Zero means 32 MiB.
	MaxResponseBytes int64
}

// Retry limits the retries of a call. Throttled calls, and failures before the
// request was sent, are always retried. Status 5xx and lost responses are retried
// only if the operation is safe to repeat. Otherwise the call returns an error
// that matches [ErrOutcomeUnknown].
type Retry struct {
	// MaxAttempts is the maximum number of attempts, including the first. Zero
	// means 4, and 10 in upload.Config. 1 means no retries.
	MaxAttempts int

	// BaseDelay is the upper bound of the first delay. The bound doubles with
	// each attempt. The delay has full jitter: it is random between zero and the
	// bound. Zero means 200 ms.
	BaseDelay time.Duration

	// MaxDelay is the maximum of a single delay, including one that the service
	// requests. Zero means 20 s.
	MaxDelay time.Duration
}
