package ingest

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/redact"
)

// Config says where the queue of a fleet is. Equal names on one NATS server are
// one fleet.
type Config struct {
	// Name of the fleet: 1 to 32 letters, digits, hyphens and underscores. The
	// default is "ingest".
	Name string

	// URL of the NATS server, or of several servers of a cluster with commas. The
	// default is the environment variable NATS_URL. It may contain credentials,
	// which appear in no error and no log.
	URL string
	// Server is an embedded server of this process. It replaces URL.
	Server *Server

	// Credentials of the NATS connection: a credentials file of NATS, a token, or
	// a user with a password.
	CredentialsFile string
	Token           alimedia.Secret
	User            string
	Password        alimedia.Secret
	// TLS secures the connection. A URL that begins with tls:// uses the default
	// settings without it.
	TLS *tls.Config

	// Of the following, zero means the value of the fleet if it exists.

	// Replicas is the number of servers of a cluster that hold the queue: 1, 3 or
	// 5. The default is 1.
	Replicas int

	// MaxJobs is the maximum number of waiting jobs, and MaxBytes that of their
	// bytes. Submit waits while the queue is full. The defaults are 10 million and
	// 16 GiB.
	MaxJobs  int64
	MaxBytes int64

	// AckWait is how long a worker may be silent before its jobs are delivered to
	// others. The default is 60 s, the minimum 1 s. It is set when the fleet is
	// created: Open returns an error for another value.
	AckWait time.Duration

	// MaxPending is the maximum number of jobs that all workers have in their
	// hands at a time. The default is 10,000.
	MaxPending int

	// Logger receives a record for each job that fails, is given back or is put
	// into the dead-letter stream, and for lost connections. Nil means no logging.
	Logger *slog.Logger
}

// Fleet is a queue with its results. It is safe for concurrent use. Close it.
type Fleet struct {
	cfg Config
	log *slog.Logger
	nc  *nats.Conn
	js  jetstream.JetStream

	jobs, dead jetstream.Stream
	states     jetstream.Stream              // that of the bucket state
	consumers  map[string]jetstream.Consumer // by class

	results, state, shared, workers jetstream.KeyValue
}

// Classes of jobs, which have a consumer each.
const (
	classUpload   = "upload"
	classRegister = "register"
)

var fleetName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

// errStore means that the queue or the key-value store cannot be reached.
var errStore = errors.New("the queue is not available")

// Open connects to the queue of a fleet and creates it if it does not exist. It
// fails if the server is not reached within the time of ctx, at most 10 s.
func Open(ctx context.Context, cfg Config) (*Fleet, error) {
	cfg.Name = cmp.Or(cfg.Name, "ingest")
	if cfg.Server == nil {
		cfg.URL = cmp.Or(cfg.URL, os.Getenv("NATS_URL"))
	}
	switch {
	case !fleetName.MatchString(cfg.Name):
		return nil, fmt.Errorf("ingest: Config.Name %.40q: 1 to 32 letters, digits, hyphens and underscores are needed", cfg.Name)
	case cfg.AckWait != 0 && cfg.AckWait < time.Second:
		return nil, fmt.Errorf("ingest: Config.AckWait is %v, at least 1s is needed", cfg.AckWait)
	case cfg.Replicas < 0 || cfg.MaxJobs < 0 || cfg.MaxBytes < 0 || cfg.MaxPending < 0:
		return nil, errors.New("ingest: a negative number in Config")
	case cfg.URL == "" && cfg.Server == nil:
		return nil, errors.New("ingest: no NATS server: set Config.URL, Config.Server or the environment variable NATS_URL")
	}
	f := &Fleet{cfg: cfg, log: cfg.Logger}
	if f.log == nil {
		f.log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	err := f.connect()
	if err == nil {
		if err = f.create(ctx); err != nil {
			f.Close()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("ingest: %s: %w", cfg.Name, f.clean(err))
	}
	return f, nil
}

// Close ends the connection.
func (f *Fleet) Close() { f.nc.Close() }

// String keeps credentials out of logs.
func (f *Fleet) String() string { return "ingest.Fleet " + f.cfg.Name }

// GoString keeps credentials out of logs.
func (f *Fleet) GoString() string { return f.String() }

func (f *Fleet) connect() (err error) {
	opts := []nats.Option{
		nats.Name("alimedia ingest " + f.cfg.Name),
		nats.MaxReconnects(-1), nats.ReconnectWait(250 * time.Millisecond), nats.ReconnectJitter(250*time.Millisecond, time.Second),
		nats.Timeout(5 * time.Second),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			f.log.Warn("ingest: queue", "error", f.clean(err))
		}),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				f.log.Warn("ingest: connection to the queue lost", "error", f.clean(err))
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { f.log.Info("ingest: connected to the queue again") }),
	}
	url, token := f.cfg.URL, f.cfg.Token
	if s := f.cfg.Server; s != nil {
		url, token = "nats://in-process", s.Token // without TLS
		opts = append(opts, nats.InProcessServer(s.server))
	}
	if token != "" {
		opts = append(opts, nats.Token(string(token)))
	}
	if f.cfg.CredentialsFile != "" {
		opts = append(opts, nats.UserCredentials(f.cfg.CredentialsFile))
	}
	if f.cfg.User != "" {
		opts = append(opts, nats.UserInfo(f.cfg.User, string(f.cfg.Password)))
	}
	if f.cfg.TLS != nil {
		opts = append(opts, nats.Secure(f.cfg.TLS))
	}
	if f.nc, err = nats.Connect(url, opts...); err != nil {
		return err
	}
	f.js, err = jetstream.New(f.nc, jetstream.WithPublishAsyncMaxPending(2*batchSize), jetstream.WithDefaultTimeout(5*time.Second))
	if err != nil {
		f.nc.Close()
	}
	return err
}

// clean keeps credentials of the URL out of an error.
func (f *Fleet) clean(err error) error {
	secrets := append([]string{string(f.cfg.Token), string(f.cfg.Password)}, urlSecrets(f.cfg.URL)...)
	text := redact.Text(err.Error(), secrets...)
	if text == err.Error() {
		return err
	}
	return errors.New(text)
}

// adopt fills in what the configuration leaves open: from the fleet if it exists,
// by the defaults otherwise.
func (f *Fleet) adopt(ctx context.Context) error {
	c := &f.cfg
	stream, err := f.js.Stream(ctx, c.Name+"_jobs")
	if err == nil {
		was := stream.CachedInfo().Config
		c.Replicas, c.MaxJobs, c.MaxBytes = cmp.Or(c.Replicas, was.Replicas), cmp.Or(c.MaxJobs, was.MaxMsgs), cmp.Or(c.MaxBytes, was.MaxBytes)
		consumer, err := stream.Consumer(ctx, classUpload)
		if err == nil {
			was := consumer.CachedInfo().Config
			if c.AckWait != 0 && c.AckWait != was.AckWait {
				return fmt.Errorf("Config.AckWait is %v, that of the fleet is %v", c.AckWait, was.AckWait)
			}
			c.AckWait, c.MaxPending = was.AckWait, cmp.Or(c.MaxPending, was.MaxAckPending)
		} else if !errors.Is(err, jetstream.ErrConsumerNotFound) {
			return err
		}
	} else if !errors.Is(err, jetstream.ErrStreamNotFound) {
		return err
	}
	c.Replicas, c.MaxJobs, c.MaxBytes = cmp.Or(c.Replicas, 1), cmp.Or(c.MaxJobs, 10_000_000), cmp.Or(c.MaxBytes, 16<<30)
	c.AckWait, c.MaxPending = cmp.Or(c.AckWait, time.Minute), cmp.Or(c.MaxPending, 10_000)
	return nil
}

func (f *Fleet) create(ctx context.Context) (err error) {
	if err := f.adopt(ctx); err != nil {
		return err
	}
	name := f.cfg.Name
	f.jobs, err = f.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: name + "_jobs", Description: "jobs that wait or are worked on", Subjects: []string{name + ".jobs.>"},
		Retention: jetstream.WorkQueuePolicy, Storage: jetstream.FileStorage, Replicas: f.cfg.Replicas,
		// A full queue refuses jobs, and so does one that has the job already.
		Discard: jetstream.DiscardNew, DiscardNewPerSubject: true, MaxMsgsPerSubject: 1,
		MaxMsgs: f.cfg.MaxJobs, MaxBytes: f.cfg.MaxBytes, MaxMsgSize: maxJob + 1<<10,
		Duplicates: 2 * time.Minute,
	})
	if err != nil {
		return fmt.Errorf("the stream of jobs: %w", err)
	}
	f.dead, err = f.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: name + "_dead", Description: "jobs that cannot be done", Subjects: []string{name + ".dead.>"},
		Retention: jetstream.LimitsPolicy, Storage: jetstream.FileStorage, Replicas: f.cfg.Replicas,
		Discard: jetstream.DiscardNew, MaxMsgs: f.cfg.MaxJobs, MaxBytes: f.cfg.MaxBytes, MaxMsgsPerSubject: 1, AllowDirect: true,
		Duplicates: 2 * time.Minute,
	})
	if err != nil {
		return fmt.Errorf("the dead-letter stream: %w", err)
	}
	f.consumers = make(map[string]jetstream.Consumer)
	for _, class := range []string{classUpload, classRegister} {
		f.consumers[class], err = f.jobs.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
			Durable: class, FilterSubject: name + ".jobs." + class + ".>", AckPolicy: jetstream.AckExplicitPolicy,
			AckWait: f.cfg.AckWait, MaxDeliver: -1, MaxAckPending: f.cfg.MaxPending, MaxRequestBatch: maxFetch, MaxWaiting: 4096,
		})
		if err != nil {
			return fmt.Errorf("the consumer %s: %w", class, err)
		}
	}
	for _, b := range []struct {
		kv      *jetstream.KeyValue
		name    string
		purpose string
		ttl     time.Duration
	}{
		{&f.results, "results", "what became of each job", 0},
		{&f.state, "state", "what the next worker needs to continue, and where submissions stopped", 0},
		{&f.shared, "shared", "rates and the account", 0},
		{&f.workers, "workers", "workers that are alive", f.cfg.AckWait},
	} {
		*b.kv, err = f.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
			Bucket: name + "_" + b.name, Description: b.purpose, TTL: b.ttl, Replicas: f.cfg.Replicas, History: 1,
		})
		if err != nil {
			return fmt.Errorf("the bucket %s: %w", b.name, err)
		}
	}
	f.states, err = f.js.Stream(ctx, "KV_"+f.state.Bucket())
	return err
}

// erase removes a key of the state bucket. Unlike KeyValue.Purge it leaves no
// marker, of which there would be one for each job.
func (f *Fleet) erase(ctx context.Context, key string) error {
	return f.states.Purge(ctx, jetstream.WithPurgeSubject("$KV."+f.state.Bucket()+"."+key))
}

// subject of a job. There is one message on it at most.
func (f *Fleet) subject(j Job) string {
	class := classUpload
	if j.Target.registers() {
		class = classRegister
	}
	return f.cfg.Name + ".jobs." + class + "." + digest(j.Key)
}
