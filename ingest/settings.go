package ingest

import (
	"cmp"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/upload"
)

type settings = *alimedia.Config

// clientSettings shows the settings of the clients of cfg.
func clientSettings(cfg upload.Config, look func(settings)) {
	if cfg.VOD != nil {
		cfg.VOD.With(look)
	}
	if cfg.ICE != nil {
		cfg.ICE.With(look)
	}
}

func onLoopback(endpoint string) bool {
	if !strings.Contains(endpoint, "://") {
		endpoint = "https://" + endpoint
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// newUploaders makes the clients of this worker: their calls wait for the rate of
// the fleet, and what a job has learned is stored before its next request.
func (w *worker) newUploaders() (err error) {
	cfg := &w.cfg.Upload
	if cfg.VOD != nil {
		cfg.VOD = cfg.VOD.With(w.adapt("vod"))
	}
	if cfg.ICE != nil {
		cfg.ICE = cfg.ICE.With(w.adapt("ice"))
	}
	cfg.HTTPClient = remembering(cfg.HTTPClient)
	// A fleet has one account, see join, and its queue is its own.
	cfg.CheckpointScope = "ingest:" + w.cfg.Account
	if cfg.Logger == nil {
		cfg.Logger = w.Fleet.cfg.Logger
	}
	if w.uploader, err = upload.New(*cfg); err != nil {
		return err
	}
	whole := *cfg
	whole.MultipartThreshold = max(whole.MultipartThreshold, wholeSize)
	w.whole, err = upload.New(whole)
	return err
}

// wholeSize is the size in bytes up to which some files are sent in one request.
const wholeSize = 64 << 20

func (w *worker) adapt(product string) func(settings) {
	return func(c settings) {
		c.RateLimit = alimedia.NewRateLimitFunc(w.rates.of(product))
		c.HTTPClient = remembering(c.HTTPClient)
	}
}

// remembering returns a client whose requests are sent after the state of their
// job is stored.
func remembering(client *http.Client) *http.Client {
	if client == nil {
		client = &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}
	}
	sender := *client
	sender.Transport = memory{cmp.Or(sender.Transport, http.DefaultTransport)}
	return &sender
}
