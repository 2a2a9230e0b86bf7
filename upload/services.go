package upload

import (
	"cmp"
	"net/http"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/upload/internal/ossobject"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

// watch has c keep to the time of the services, which every response of theirs
// tells. It reports whether they are reached on loopback.
func (cfg *Config) watch(c *transfer.Clock) (local bool) {
	local = cfg.VOD != nil || cfg.ICE != nil
	change := func(client *alimedia.Config) {
		sender := *client.HTTPClient
		sender.Transport = timed{cmp.Or(sender.Transport, http.DefaultTransport), c}
		client.HTTPClient = &sender
		endpoint, err := ossobject.ParseEndpoint(client.Endpoint)
		local = local && err == nil && ossobject.IsLoopback(ossobject.Address{Endpoint: endpoint}.Host())
	}
	if cfg.VOD != nil {
		cfg.VOD = cfg.VOD.With(change)
	}
	if cfg.ICE != nil {
		cfg.ICE = cfg.ICE.With(change)
	}
	return local
}

// timed is a transport whose responses set a clock.
type timed struct {
	http.RoundTripper
	clock *transfer.Clock
}

// RoundTrip implements http.RoundTripper.
func (t timed) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := t.RoundTripper.RoundTrip(r)
	if err == nil {
		if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
			t.clock.Set(date)
		}
	}
	return response, err
}
