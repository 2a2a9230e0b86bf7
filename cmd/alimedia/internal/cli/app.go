package cli

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/demo"
	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/record"
	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/screen"
	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/state"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload"
	"github.com/alimedia/alimedia-go/vod"
)

// app is one run of the command: what its commands share. Clients are made
// when they are first asked for, so that help needs neither credentials nor
// region.
type app struct {
	in       io.Reader
	out, err io.Writer
	env      func(string) string
	term     screen.Terminal

	flags struct {
		profile, region, endpoint string
		record                    string
		timeout                   time.Duration
		json, quiet, debug, demo  bool
	}

	ctx        context.Context // ends with --timeout and with the first interrupt, unless a command drains
	stopTimer  context.CancelFunc
	began      bool // the command line was understood
	interrupts *interrupts

	closing  sync.Mutex // held while the closers run
	mu       sync.Mutex
	demo     *demo.Demo
	closers  []func() error
	recorder *record.Recorder // of --record
	vodC     *vod.Client
	iceC     *ice.Client
}

// simulator is the server of --demo, nil without it.
func (a *app) simulator() (*mediatest.Server, error) {
	if !a.flags.demo {
		return nil, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.demo != nil {
		return a.demo.Server, nil
	}
	dir, err := a.stateDir()
	if err != nil {
		return nil, err
	}
	d, err := demo.Open(a.ctx, dir, a.notef)
	if err != nil {
		return nil, err
	}
	a.demo = d
	a.closers = append(a.closers, d.Close)
	a.notef("demo: simulated on this machine, kept in %s", a.short(d.Dir()))
	return d.Server, nil
}

// config is what clients are made of.
func (a *app) config() (alimedia.Config, error) {
	srv, err := a.simulator()
	if err != nil {
		return alimedia.Config{}, err
	}
	cfg := alimedia.Config{UserAgent: "alimedia/" + version(), Logger: a.logger()}
	if srv != nil {
		with := srv.Config()
		with.UserAgent, with.Logger = cfg.UserAgent, cfg.Logger
		with.HTTPClient, err = a.recorded(with.HTTPClient, with.Credentials)
		return with, err
	}
	cfg.Endpoint, cfg.Credentials = a.flags.endpoint, a.credentials()
	cfg.Region, _, err = a.region()
	if err == nil && cfg.Region == "" {
		err = usagef("no region: give --region, set ALIBABA_CLOUD_REGION_ID, or put region_id into the profile")
	}
	if err == nil {
		cfg.HTTPClient, err = a.recorded(nil, cfg.Credentials)
	}
	return cfg, err
}

// recorded is client, whose requests --record notes.
func (a *app) recorded(client *http.Client, keys credentials.Provider) (*http.Client, error) {
	if a.flags.record == "" {
		return client, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.recorder == nil {
		r, err := record.Open(a.flags.record)
		if err != nil {
			return nil, usagef("--record: %w", err)
		}
		a.recorder = r
		a.closers = append(a.closers, r.Close)
	}
	return a.recorder.Client(client, keys), nil
}

// credentials is the provider that --profile selects, or the default chain.
func (a *app) credentials() credentials.Provider {
	if a.flags.profile != "" {
		return credentials.Profile(a.flags.profile, credentials.ProfileOptions{})
	}
	return credentials.Default()
}

// vod is the client of ApsaraVideo VOD.
func (a *app) vod() (*vod.Client, error) {
	cfg, err := a.config()
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.vodC == nil {
		a.vodC, err = vod.New(cfg)
	}
	return a.vodC, asUsage(err)
}

// ice is the client of Intelligent Media Services.
func (a *app) ice() (*ice.Client, error) {
	cfg, err := a.config()
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.iceC == nil {
		a.iceC, err = ice.New(cfg)
	}
	return a.iceC, asUsage(err)
}

// uploader is an Uploader for every target. A region without one of the
// services leaves that client out: its targets then say what they need.
func (a *app) uploader(change func(*upload.Config)) (*upload.Uploader, error) {
	cfg, err := a.config()
	if err != nil {
		return nil, err
	}
	up := upload.Config{Credentials: cfg.Credentials, Logger: cfg.Logger, UserAgent: cfg.UserAgent}
	var noVOD, noICE error
	up.VOD, noVOD = a.vod()
	up.ICE, noICE = a.ice()
	if noVOD != nil && noICE != nil {
		return nil, errors.Join(noVOD, noICE)
	}
	if srv, _ := a.simulator(); srv != nil {
		oss := srv.UploadConfig()
		up.Credentials, up.HTTPClient, up.OSSEndpoint, up.OSSRegion = oss.Credentials, oss.HTTPClient, oss.OSSEndpoint, oss.OSSRegion
	}
	if up.HTTPClient, err = a.recorded(up.HTTPClient, up.Credentials); err != nil {
		return nil, err
	}
	change(&up)
	u, err := upload.New(up)
	return u, asUsage(err)
}

// stateDir is the folder of what is kept between commands.
func (a *app) stateDir() (string, error) {
	dir, err := state.Dir(a.env)
	if err != nil {
		return "", asUsage(err)
	}
	return dir, state.Make(dir)
}

// short is a path below the home folder as ~/path.
func (a *app) short(path string) string {
	if rest, ok := strings.CutPrefix(path, a.env("HOME")+string(filepath.Separator)); ok && a.env("HOME") != "" {
		return filepath.Join("~", rest)
	}
	return path
}

func (a *app) logger() *slog.Logger {
	if !a.flags.debug {
		return nil
	}
	return slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// onClose adds what is done after the command, also after an interrupt. The
// last added is the first done.
func (a *app) onClose(f func() error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closers = append(a.closers, f)
}

// close waits for a close that is under way.
func (a *app) close() error {
	a.closing.Lock()
	defer a.closing.Unlock()
	a.mu.Lock()
	closers := a.closers
	a.closers = nil
	a.mu.Unlock()
	var errs []error
	for i := len(closers) - 1; i >= 0; i-- {
		errs = append(errs, closers[i]())
	}
	return errors.Join(errs...)
}
