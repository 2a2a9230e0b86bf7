package upload

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/internal/retry"
	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
	"github.com/alimedia/alimedia-go/upload/internal/ossobject"
)

const (
	accountTime   = 10 * time.Second // bounds the question whose the keys are
	accountPause  = time.Minute      // after a request without a response
	accountsKnown = 1000             // access keys kept in memory
)

// signer is who signs for an upload: the credentials that the service sees,
// and where STS says whose they are.
type signer struct {
	keys   credentials.Provider
	sts    credentials.CallerIdentityOptions
	region string
}

// signer of the requests to ApsaraVideo VOD.
func (u *Uploader) vodSigner() signer {
	if u.cfg.VOD == nil {
		return signer{}
	}
	var s signer
	u.cfg.VOD.With(func(c *alimedia.Config) { s = u.signerOf(c) })
	s.region = u.cfg.VOD.Region()
	return s
}

// signer of the requests to Intelligent Media Services.
func (u *Uploader) iceSigner() signer {
	if u.cfg.ICE == nil {
		return signer{}
	}
	var s signer
	u.cfg.ICE.With(func(c *alimedia.Config) { s = u.signerOf(c) })
	s.region = u.cfg.ICE.Region()
	return s
}

func (u *Uploader) signerOf(c *alimedia.Config) signer {
	s := signer{keys: c.Credentials}
	s.sts.HTTPClient = c.HTTPClient
	switch {
	case u.cfg.STSEndpoint != "":
		s.sts.Endpoint = u.cfg.STSEndpoint
	case onLoopback(c.Endpoint):
		s.sts.Endpoint = c.Endpoint
	case c.Network == alimedia.NetworkVPC && c.Region != "":
		s.sts.Network, s.sts.Region = c.Network, c.Region
	}
	return s
}

// ossSigner signs for buckets of the user.
func (u *Uploader) ossSigner() signer {
	s := signer{keys: u.cfg.Credentials, region: u.cfg.OSSRegion}
	s.sts.HTTPClient = u.cfg.HTTPClient
	s.sts.Endpoint = u.cfg.STSEndpoint
	for _, other := range []string{u.cfg.OSSEndpoint, u.vodSigner().sts.Endpoint, u.iceSigner().sts.Endpoint} {
		if s.sts.Endpoint == "" && onLoopback(other) {
			s.sts.Endpoint = other
		}
	}
	return s
}

func onLoopback(endpoint string) bool {
	if !strings.Contains(endpoint, "://") {
		endpoint = "https://" + endpoint
	}
	u, err := url.Parse(endpoint)
	return err == nil && ossobject.IsLoopback(u.Hostname())
}

// accounts remembers whose access keys are.
type accounts struct {
	mu      sync.Mutex
	known   map[string]string // by AccessKeyId
	silent  map[string]noResponse
	waiting map[string]chan struct{} // closed when who asks is through
}

type noResponse struct {
	until time.Time
	err   error
}

// owner is whose an upload is: the names under which an earlier run may have
// kept it, the present one first.
type owner []string

const (
	ownedByAccount = "account:"
	ownedByKey     = "key:"
	ownedByScope   = "scope:"
)

// errNoKeys: nothing could be signed at all.
var errNoKeys = errors.New("credentials")

// owner finds out whose the keys of s are. It is an error when that cannot be
// told: then nothing of an earlier run is to be believed.
func (u *Uploader) owner(ctx context.Context, s signer, dir *checkpoint.Dir) (owner, error) {
	if u.cfg.CheckpointScope != "" {
		return owner{ownedByScope + u.cfg.CheckpointScope}, nil
	}
	if s.keys == nil { // which the target refuses
		return owner{ownedByKey}, nil
	}
	keys, err := s.keys.Credentials(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoKeys, err)
	}
	lasting := keys.SecurityToken == ""
	digest := checkpoint.AccessKeyDigest(keys.AccessKeyId)
	id := ""
	if lasting {
		id = dir.Account(digest)
	}
	if id == "" {
		id, err = u.accounts.ask(ctx, keys, s.sts)
		if ctx.Err() != nil {
			return nil, retry.ContextError(ctx)
		}
		if err == nil && lasting {
			dir.SaveAccount(digest, id)
		}
	}
	// A key that lasts belongs to one account for ever, so it says who its
	// owner is although the account has no name.
	switch {
	case err != nil && lasting:
		u.log.WarnContext(ctx, "upload: STS does not tell the account; the checkpoint counts for this access key", "error", err)
		return owner{ownedByKey + digest}, nil
	case err != nil:
		return nil, fmt.Errorf("the account of the temporary credentials is not known (set Config.CheckpointScope): %w", err)
	case lasting:
		return owner{ownedByAccount + id, ownedByKey + digest}, nil
	}
	return owner{ownedByAccount + id}, nil
}

// ask returns the account of keys. One asks for all that wait.
func (a *accounts) ask(ctx context.Context, keys credentials.Credentials, where credentials.CallerIdentityOptions) (string, error) {
	key := keys.AccessKeyId
	for {
		a.mu.Lock()
		if id := a.known[key]; id != "" {
			a.mu.Unlock()
			return id, nil
		}
		if miss, ok := a.silent[key]; ok && time.Now().Before(miss.until) {
			a.mu.Unlock()
			return "", miss.err
		}
		waiting, asked := a.waiting[key]
		if !asked {
			waiting = make(chan struct{})
			if a.waiting == nil {
				a.waiting = make(map[string]chan struct{})
			}
			a.waiting[key] = waiting
			a.mu.Unlock()
			return a.response(ctx, keys, where, waiting)
		}
		a.mu.Unlock()
		select {
		case <-waiting:
		case <-ctx.Done():
			return "", retry.ContextError(ctx)
		}
	}
}

func (a *accounts) response(parent context.Context, keys credentials.Credentials, where credentials.CallerIdentityOptions, done chan struct{}) (string, error) {
	ctx, cancel := context.WithTimeout(parent, accountTime)
	defer cancel()
	who, err := credentials.GetCallerIdentity(ctx, keysOf(keys), where)
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.waiting, keys.AccessKeyId)
	close(done)
	if len(a.known)+len(a.silent) >= accountsKnown || a.known == nil {
		a.known, a.silent = make(map[string]string), make(map[string]noResponse)
	}
	switch {
	case err == nil:
		delete(a.silent, keys.AccessKeyId)
		a.known[keys.AccessKeyId] = who.AccountId
	case parent.Err() == nil: // the end of one caller says nothing of STS
		a.silent[keys.AccessKeyId] = noResponse{time.Now().Add(accountPause), err}
	}
	return who.AccountId, err
}

// keysOf hands out one set of keys.
type keysOf credentials.Credentials

// Credentials implements credentials.Provider.
func (k keysOf) Credentials(context.Context) (credentials.Credentials, error) {
	return credentials.Credentials(k), nil
}
