package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ingest"
)

// ingestFlags are the flags that all commands of ingest share.
type ingestFlags struct {
	nats, name, store             string
	creds, tokenFile, user        string
	caFile, certFile, keyFile     string
	serve                         bool
	listen, serverCert, serverKey string
	clientCA                      string
	server                        *ingest.Server
}

func newIngestCommand(a *app) *cobra.Command {
	f := &ingestFlags{}
	cmd := &cobra.Command{
		Use:   "ingest",
		Short: "Upload or register many files on many machines",
		Long: `A queue of jobs that any number of workers do. The queue is in NATS JetStream: a
server that 'ingest serve' runs, or a cluster of yours (--nats or NATS_URL).

On one machine, in two terminals or with & in one:
  alimedia ingest work --serve --root /data/movies
  alimedia ingest submit /data/movies --target vod

On several machines, one runs the server and the others reach it with TLS:
  alimedia ingest serve --listen 0.0.0.0:4222 --tls-cert cert.pem --tls-key key.pem
  alimedia ingest work --nats tls://queue.example.com:4222 --nats-token-file token --root /data/movies

A job whose worker ends is done by another one, under the same MediaId. A job that
cannot be done is in the dead-letter stream: ingest dead, ingest requeue.
The first Ctrl-C lets a worker finish its jobs or give them back, the second ends it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	flags := cmd.PersistentFlags()
	flags.SortFlags = false
	flags.StringVar(&f.nats, "nats", "", "URL of the NATS server or cluster (default: NATS_URL, or the server of this machine)")
	flags.StringVar(&f.name, "fleet", "ingest", "name of the fleet; each has a queue of its own")
	flags.StringVar(&f.store, "store", "", "folder of the server of this machine (default: ingest in the state folder)")
	flags.StringVar(&f.creds, "nats-creds", "", "credentials file of NATS")
	flags.StringVar(&f.tokenFile, "nats-token-file", "", "file with the token of the server")
	flags.StringVar(&f.user, "nats-user", "", "user of NATS; the password is in NATS_PASSWORD")
	flags.StringVar(&f.caFile, "nats-ca", "", "certificates that the server's may come from (PEM)")
	flags.StringVar(&f.certFile, "nats-cert", "", "certificate of this client (PEM), with --nats-key")
	flags.StringVar(&f.keyFile, "nats-key", "", "private key of this client (PEM)")
	for _, name := range []string{"nats-creds", "nats-token-file", "nats-ca", "nats-cert", "nats-key"} {
		_ = cmd.MarkPersistentFlagFilename(name)
	}
	_ = cmd.MarkPersistentFlagDirname("store")
	cmd.AddCommand(newIngestServeCommand(a, f), newIngestSubmitCommand(a, f), newIngestWorkCommand(a, f), newIngestStatusCommand(a, f),
		newIngestReportCommand(a, f), newIngestDeadCommand(a, f), newIngestRequeueCommand(a, f), newIngestDiscardCommand(a, f))
	return cmd
}

// serverFlags are those of the embedded server.
func (f *ingestFlags) serverFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", "127.0.0.1:4222", "address of the server; one that is not loopback needs TLS")
	flags.StringVar(&f.serverCert, "tls-cert", "", "certificate of the server (PEM)")
	flags.StringVar(&f.serverKey, "tls-key", "", "private key of the server (PEM)")
	flags.StringVar(&f.clientCA, "tls-client-ca", "", "certificates that clients must come from (PEM)")
}

// storeDir is the folder of the server of this machine.
func (a *app) storeDir(f *ingestFlags) (string, error) {
	if f.store != "" {
		return f.store, nil
	}
	dir, err := a.stateDir()
	return filepath.Join(dir, "ingest"), err
}

// startServer runs the embedded server until the command ends.
func (a *app) startServer(f *ingestFlags) error {
	dir, err := a.storeDir(f)
	if err != nil {
		return err
	}
	cfg := ingest.ServerConfig{Dir: dir, Listen: f.listen}
	if f.serverCert != "" || f.serverKey != "" {
		if cfg.TLS, err = tlsConfig(f.serverCert, f.serverKey, "", f.clientCA); err != nil {
			return asUsage(err)
		}
	}
	if f.server, err = ingest.Serve(cfg); err != nil {
		return asUsage(err)
	}
	a.onClose(func() error { f.server.Close(); return nil })
	a.notef("queue: %s, stored in %s; the token for clients is in %s", f.server.URL, dir, filepath.Join(dir, ingest.TokenFile))
	return nil
}

// fleet opens the queue.
func (a *app) fleet(ctx context.Context, f *ingestFlags) (*ingest.Fleet, error) {
	cfg := ingest.Config{
		Name: f.name, URL: f.nats, Server: f.server, CredentialsFile: f.creds, User: f.user, Password: alimedia.Secret(a.env("NATS_PASSWORD")), Logger: a.logger(),
	}
	if cfg.URL == "" {
		cfg.URL = a.env("NATS_URL")
	}
	token := f.tokenFile
	if cfg.URL == "" && cfg.Server == nil {
		dir, err := a.storeDir(f)
		if err != nil {
			return nil, err
		}
		if cfg.URL, err = ingest.ReadURL(dir); err != nil {
			return nil, usagef("no queue: --nats and NATS_URL are empty, and this machine has no server; run 'alimedia ingest serve' or 'alimedia ingest work --serve'")
		}
		if token == "" {
			token = filepath.Join(dir, ingest.TokenFile)
		}
	}
	if token != "" {
		var err error
		if cfg.Token, err = ingest.ReadToken(token); err != nil {
			return nil, asUsage(err)
		}
	}
	if f.caFile != "" || f.certFile != "" || f.keyFile != "" {
		var err error
		if cfg.TLS, err = tlsConfig(f.certFile, f.keyFile, f.caFile, ""); err != nil {
			return nil, asUsage(err)
		}
	}
	fleet, err := ingest.Open(ctx, cfg)
	if err != nil {
		return nil, &failure{code: exitUnavailable, err: err}
	}
	a.onClose(func() error { fleet.Close(); return nil })
	return fleet, nil
}

// tlsConfig reads certificates.
func tlsConfig(cert, key, rootCA, clientCA string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if cert != "" || key != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, err
		}
		c.Certificates = []tls.Certificate{pair}
	}
	var err error
	if rootCA != "" {
		if c.RootCAs, err = certificates(rootCA); err != nil {
			return nil, err
		}
	}
	if clientCA != "" {
		if c.ClientCAs, err = certificates(clientCA); err != nil {
			return nil, err
		}
		c.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return c, nil
}

func certificates(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, usagef("%s has no certificate in PEM form", file)
	}
	return pool, nil
}

func newIngestServeCommand(a *app, f *ingestFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the NATS server that holds the queue",
		Long: `serve runs a NATS server with JetStream in this process. It stores jobs and results in
--store, and listens on this machine only unless --listen and TLS are given. Clients need
the token in the file "token" of the store; those of the same user on this machine find
it by themselves.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := a.startServer(f); err != nil {
				return err
			}
			<-a.ctx.Done()
			a.interrupts.tell()
			return a.ctx.Err()
		},
	}
	f.serverFlags(cmd)
	return cmd
}
