package upload

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/internal/retry"
	"github.com/alimedia/alimedia-go/upload/internal/ossobject"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
	"github.com/alimedia/alimedia-go/vod"
)

// Config configures an [Uploader]. Set the clients that your targets need. The
// zero value of every other field is a good default.
type Config struct {
	VOD *vod.Client // for VODVideo, VODImage, VODAttachedMedia and RegisterMedia
	ICE *ice.Client // for ICEMedia, ICEStream, YikeAsset, RegisterMediaInfo and RegisterMediaStream

	// Credentials sign the requests to your own buckets, see [Bucket]. Nil means
	// [credentials.Default]. For other targets the service issues credentials.
	Credentials credentials.Provider

	// HTTPClient sends the requests to OSS. Nil means a client with pooled
	// connections and the proxy of the environment. Leave its Timeout zero: it
	// would limit the time for a whole part.
	HTTPClient *http.Client

	// Logger receives a record for each stage, refresh and retry. Records
	// contain no secrets. Nil means no logging.
	Logger *slog.Logger

	// Observer receives the events of all uploads. Nil means none. See also
	// [alimedia.Config], whose Observer receives the calls of operations.
	Observer *Observer

	// Retry configures the retries of requests to OSS. The defaults are 10
	// attempts, a base delay of 200 ms and a maximum delay of 20 s. The ICE and
	// VOD clients have their own setting.
	Retry alimedia.Retry

	// Parallel is the maximum number of concurrent upload requests across all
	// uploads of the Uploader. The default is 4. An upload from a stream keeps at
	// most Parallel+1 parts in memory.
	Parallel int

	// Files is the maximum number of files that one UploadAll processes at the
	// same time. The default is twice Parallel.
	Files int

	// Bandwidth limits the bytes per second that are sent to OSS across all
	// uploads of the Uploader. Zero means no limit.
	Bandwidth int64

	// PartSize is the size of a part in bytes, from 100 KiB to 5 GiB. It is
	// increased for files that would have more than 10,000 parts. The default is
	// 8 MiB.
	PartSize int64

	// MultipartThreshold is the size in bytes at which a file is sent in parts,
	// at most 5 GiB. The default is 16 MiB.
	MultipartThreshold int64

	// StallTimeout ends a request if no byte of its body moves for this time.
	// The request is then retried. The default is 60 s.
	StallTimeout time.Duration

	// ResponseTimeout ends a request if its response is not complete this long
	// after the last byte of its body was sent, even if the response arrives byte
	// by byte. The request is then retried. OSS needs time to combine many parts.
	// The default is 5 minutes.
	ResponseTimeout time.Duration

	// OSSHosts lists further hosts that upload credentials may be sent to:
	// "oss.example.com", or "*.example.com" for all hosts below. By default they
	// are sent to hosts of aliyuncs.com and to OSSEndpoint, and to a loopback
	// address if the endpoint of the service is one too. See [ErrUntrustedHost].
	OSSHosts []string

	// AllowMissingCRC accepts responses without a CRC-64, for an endpoint that
	// never sends it. The ETag and the size that HeadObject returns are then the
	// only proof that the object is stored. By default a request with such a
	// response is retried and finally fails with [ErrUnproven].
	AllowMissingCRC bool

	// OSSRegion is the region of the signature and of your own buckets. By
	// default it is taken from the host of the endpoint. If that has no region,
	// requests are signed with version 1 of the signature, which needs none.
	OSSRegion string

	// OSSEndpoint replaces the endpoint that the service returns, for example by
	// the endpoint for transfer acceleration or of a test. HTTPS is used, except
	// on loopback.
	OSSEndpoint string

	// OSSInternal uses the internal endpoint of the bucket's region. Only
	// machines in that region can reach it. Its traffic is free of charge.
	OSSInternal bool

	// LocalRegion is the region of this machine, such as "cn-shanghai". Buckets
	// in it are reached through the internal endpoint, others through the public
	// one.
	LocalRegion string

	// CheckpointScope identifies the owner of the uploads in a checkpoint
	// directory instead of the account. Uploads with equal scopes are the same if
	// everything else is equal, see [WithCheckpoint]. Set it if STS cannot be
	// reached, or to divide one directory.
	//
	// By default the owner is the account of the credentials of the client, or of
	// Credentials for a [Bucket]. STS GetCallerIdentity returns it, which needs no
	// permission. It is called once for each access key and takes at most 10 s. If
	// it fails, a long-lived access key is its own owner, and uploads with
	// temporary credentials have no checkpoint.
	CheckpointScope string

	// STSEndpoint is the host or URL of STS. The default is the endpoint of the
	// client if that is on loopback, and otherwise the endpoint that package
	// credentials chooses.
	STSEndpoint string

	// UserAgent is added to the User-Agent of requests to OSS.
	UserAgent string
}

// New validates cfg and returns an Uploader. It sends no request.
func New(cfg Config) (*Uploader, error) {
	cfg.Parallel = cmp.Or(cfg.Parallel, 4)
	cfg.Files = cmp.Or(cfg.Files, 2*cfg.Parallel)
	cfg.PartSize = cmp.Or(cfg.PartSize, 8<<20)
	cfg.MultipartThreshold = cmp.Or(cfg.MultipartThreshold, 16<<20)
	cfg.StallTimeout = cmp.Or(cfg.StallTimeout, time.Minute)
	cfg.ResponseTimeout = cmp.Or(cfg.ResponseTimeout, 5*time.Minute)
	cfg.OSSRegion, cfg.LocalRegion = strings.TrimSpace(cfg.OSSRegion), strings.TrimSpace(cfg.LocalRegion)
	cfg.Retry.MaxAttempts = cmp.Or(cfg.Retry.MaxAttempts, 10)
	cfg.Retry.BaseDelay = cmp.Or(cfg.Retry.BaseDelay, 200*time.Millisecond)
	cfg.Retry.MaxDelay = cmp.Or(cfg.Retry.MaxDelay, 20*time.Second)
	switch {
	case cfg.Parallel < 0:
		return nil, fmt.Errorf("upload: Config.Parallel is %d, at least 1 is needed", cfg.Parallel)
	case cfg.Files < 0:
		return nil, fmt.Errorf("upload: Config.Files is %d, at least 1 is needed", cfg.Files)
	case cfg.Bandwidth < 0:
		return nil, fmt.Errorf("upload: Config.Bandwidth is %d bytes per second, zero means no limit", cfg.Bandwidth)
	case cfg.PartSize < transfer.MinPartSize || cfg.PartSize > transfer.MaxPartSize:
		return nil, fmt.Errorf("upload: Config.PartSize is %d bytes, OSS takes %d to %d", cfg.PartSize, transfer.MinPartSize, int64(transfer.MaxPartSize))
	case cfg.MultipartThreshold < 0 || cfg.MultipartThreshold > transfer.MaxPartSize:
		return nil, fmt.Errorf("upload: Config.MultipartThreshold is %d bytes, a single request takes at most %d", cfg.MultipartThreshold, int64(transfer.MaxPartSize))
	case cfg.OSSRegion != "" && !ossobject.IsRegion(cfg.OSSRegion):
		return nil, fmt.Errorf("upload: Config.OSSRegion %.40q is not a region ID, such as \"cn-shanghai\"", cfg.OSSRegion)
	case cfg.LocalRegion != "" && !ossobject.IsRegion(cfg.LocalRegion):
		return nil, fmt.Errorf("upload: Config.LocalRegion %.40q is not a region ID, such as \"cn-shanghai\"", cfg.LocalRegion)
	case cfg.StallTimeout < 0 || cfg.ResponseTimeout < 0 || cfg.Retry.MaxAttempts < 0 || cfg.Retry.BaseDelay < 0 || cfg.Retry.MaxDelay < 0:
		return nil, errors.New("upload: a negative time or count in Config.StallTimeout, Config.ResponseTimeout or Config.Retry")
	}
	if cfg.OSSEndpoint != "" {
		endpoint, err := ossobject.ParseEndpoint(cfg.OSSEndpoint)
		if err != nil {
			return nil, fmt.Errorf("upload: Config.OSSEndpoint: %w", err)
		}
		cfg.OSSEndpoint = endpoint
	}
	hosts, err := ossobject.ParseHosts(cfg.OSSHosts)
	if err != nil {
		return nil, fmt.Errorf("upload: Config.OSSHosts: %w", err)
	}
	cfg.OSSHosts = hosts
	if cfg.Credentials == nil {
		cfg.Credentials = credentials.Default()
	}
	u := &Uploader{cfg: cfg, log: cfg.Logger, api: new(transfer.Clock)}
	if u.log == nil {
		u.log = slog.New(slog.DiscardHandler)
	}
	u.trust = ossobject.Trust{Hosts: cfg.OSSHosts, Loopback: u.cfg.watch(u.api)}
	u.oss = ossobject.NewClient(ossobject.Config{HTTPClient: cfg.HTTPClient, UserAgent: userAgent(cfg.UserAgent), AllowMissingCRC: cfg.AllowMissingCRC})
	u.engine = transfer.New(transfer.Config{
		Retry:    retry.Policy(cfg.Retry),
		Parallel: cfg.Parallel, Bandwidth: cfg.Bandwidth, PartSize: cfg.PartSize, MultipartThreshold: cfg.MultipartThreshold,
		StallTimeout: cfg.StallTimeout, ResponseTimeout: cfg.ResponseTimeout, AllowMissingCRC: cfg.AllowMissingCRC, Logger: u.log,
	})
	return u, nil
}

func userAgent(more string) string {
	if more != "" {
		more = " " + more
	}
	return "alimedia-go/" + alimedia.Version + more
}
