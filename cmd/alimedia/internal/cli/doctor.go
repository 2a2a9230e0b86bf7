package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/internal/catalogue"
	"github.com/alimedia/alimedia-go/internal/redact"
	"github.com/alimedia/alimedia-go/vod"
)

// diagnosis is one run of doctor.
type diagnosis struct {
	*app
	cfg    alimedia.Config
	ready  bool // region and credentials are there
	times  timings
	failed int
}

func newDoctorCommand(a *app) *cobra.Command {
	d := &diagnosis{app: a}
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check credentials, region, network, clock and permissions",
		Long: `doctor prints one line for each thing that the commands need, with ok, warn or
fail, and what to do. It changes nothing: permissions are tried with operations
that only read.

Exit code: 0 if nothing fails, 1 otherwise.`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: noFiles,
		RunE:              func(*cobra.Command, []string) error { return d.run() },
	}
}

const (
	ok   = "ok"
	warn = "warn"
	fail = "fail"
)

// say prints one line.
func (d *diagnosis) say(level, name, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if level == fail {
		d.failed++
	}
	if d.flags.json {
		_ = d.emit(map[string]any{"check": name, "level": level, "text": text}) // a reader that is gone ends the process
		return
	}
	_ = d.verdict(level == ok, level == warn, name, text)
}

const doctorTime = 15 * time.Second // for each check that uses the network

func (d *diagnosis) run() error {
	d.say(ok, "version", "alimedia %s, %s on %s/%s", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	d.region()
	d.proxy()
	d.credentials()
	if d.ready {
		d.account()
		d.permissions()
		d.clock()
		d.storage()
		d.uploads()
	}
	d.checkpoints()
	if d.ctx.Err() != nil {
		return d.ctx.Err()
	}
	if d.failed > 0 {
		return &failure{code: exitFailure, err: fmt.Errorf("%d checks failed", d.failed), silent: d.flags.json}
	}
	return nil
}

func (d *diagnosis) region() {
	if d.flags.demo {
		cfg, err := d.config()
		if err != nil {
			d.say(fail, "region", "%v", err)
			return
		}
		d.cfg, d.ready = cfg, true
		d.say(ok, "region", "%s, simulated by --demo", cfg.Region)
		return
	}
	region, from, err := d.app.region()
	switch {
	case err != nil:
		d.say(fail, "region", "%v", err)
	case region == "":
		d.say(fail, "region", "none: give --region, set ALIBABA_CLOUD_REGION_ID, or set it in the profile with 'aliyun configure'")
	default:
		if d.cfg, err = d.config(); err != nil {
			d.say(fail, "region", "%v", err)
			return
		}
		d.ready = true
		d.say(ok, "region", "%s, from %s", region, from)
	}
}

// proxy tells of the proxies of the environment, without their passwords.
func (d *diagnosis) proxy() {
	var found []string
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"} {
		value := d.env(name)
		if value == "" {
			continue
		}
		u, err := url.Parse(value)
		if err != nil || u.Host == "" {
			if u, err = url.Parse("http://" + value); err != nil || u.Host == "" {
				d.say(fail, "proxy", "%s is not the URL of a proxy: requests will not leave this machine", name)
				return
			}
		}
		found = append(found, name+"="+u.Scheme+"://"+u.Host)
	}
	switch exempt := d.env("NO_PROXY") + d.env("no_proxy"); {
	case d.flags.demo && len(found) > 0:
		d.say(ok, "proxy", "%s is not used by --demo", strings.Join(found, ", "))
	case len(found) == 0:
		d.say(ok, "proxy", "none")
	case exempt != "":
		d.say(ok, "proxy", "%s, but not for %s", strings.Join(found, ", "), exempt)
	default:
		d.say(ok, "proxy", "%s", strings.Join(found, ", "))
	}
}

func (d *diagnosis) credentials() {
	provider := d.cfg.Credentials
	if provider == nil {
		provider = d.app.credentials()
	}
	ctx, cancel := context.WithTimeout(d.ctx, doctorTime)
	defer cancel()
	keys, err := credentials.Ask(ctx, provider)
	if err != nil {
		d.ready = false
		d.say(fail, "keys", "%s. 'alimedia help credentials' lists where they are looked for", redact.Text(err.Error()))
		return
	}
	text := shortId(keys.AccessKeyId) + " from " + keys.Source
	switch {
	case keys.SecurityToken == "":
		text += ", long-lived"
	case keys.Expires.IsZero():
		text += ", temporary"
	case time.Until(keys.Expires) < 0:
		d.say(fail, "keys", "%s, expired at %s: renew them", text, keys.Expires.Local().Format(time.DateTime))
		return
	default:
		text += ", temporary until " + keys.Expires.Local().Format(time.DateTime)
	}
	d.say(ok, "keys", "%s", text)
}

// shortId is enough of an AccessKeyId to recognize it.
func shortId(id string) string {
	if len(id) <= 12 {
		return id
	}
	return id[:8] + "…" + id[len(id)-4:]
}

func (d *diagnosis) account() {
	ctx, cancel := context.WithTimeout(d.ctx, doctorTime)
	defer cancel()
	who, err := credentials.GetCallerIdentity(ctx, d.cfg.Credentials, credentials.CallerIdentityOptions{
		Endpoint: d.cfg.Endpoint, HTTPClient: d.timed(d.cfg.HTTPClient),
	})
	if err != nil {
		d.say(fail, "account", "%s", d.why(err))
		return
	}
	kind := "an identity of account"
	switch {
	case strings.HasSuffix(who.Arn, ":root"):
		d.say(warn, "account", "%s, the account itself: use a RAM user with 'alimedia policy' instead", who.AccountId)
		return
	case strings.Contains(who.Arn, ":user/"):
		kind = "RAM user " + who.Arn[strings.LastIndex(who.Arn, "/")+1:] + " of account"
	case strings.Contains(who.Arn, ":assumed-role/"):
		kind = "role " + strings.SplitN(who.Arn, "/", 3)[1] + " of account"
	}
	d.say(ok, "account", "%s %s", kind, who.AccountId)
}

// why is an error in words that say what to do.
func (d *diagnosis) why(err error) string {
	text := redact.Text(strings.TrimPrefix(err.Error(), "alimedia: "))
	var api *alimedia.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return text + ": nothing answered in time. Check the network, the proxy and the firewall"
	case errors.As(err, &api):
		if advice := api.Advice(); advice != "" {
			return text + " " + advice
		}
	case !errors.As(err, new(*credentials.Error)):
		return text + ". Check the network, the proxy and the firewall"
	}
	return text
}

// probe is an operation that changes nothing.
type probe struct {
	product, action string
	call            func(context.Context) error
}

// permissions tries operations of both services, and so their endpoints.
func (d *diagnosis) permissions() {
	cfg := d.cfg
	cfg.HTTPClient = d.timed(cfg.HTTPClient)
	cfg.Retry = alimedia.Retry{MaxAttempts: 2}
	const noAsset = "00000000000000000000000000000000"
	var probes []probe
	vodClient, err := vod.New(cfg)
	if err != nil {
		d.say(warn, "vod", "%v", err)
	} else {
		probes = append(probes,
			probe{"vod", "SearchMedia", func(ctx context.Context) error {
				_, err := vodClient.SearchMedia(ctx, vod.SearchMediaRequest{PageSize: 1})
				return err
			}},
			probe{"vod", "GetVideoInfo", func(ctx context.Context) error {
				_, err := vodClient.GetVideoInfo(ctx, vod.GetVideoInfoRequest{VideoId: noAsset})
				return err
			}},
			probe{"vod", "GetPlayInfo", func(ctx context.Context) error {
				_, err := vodClient.GetPlayInfo(ctx, vod.GetPlayInfoRequest{VideoId: noAsset})
				return err
			}})
	}
	iceClient, err := ice.New(cfg)
	if err != nil {
		d.say(warn, "ice", "%v", err)
	} else {
		probes = append(probes,
			probe{"ice", "ListMediaBasicInfos", func(ctx context.Context) error {
				_, err := iceClient.ListMediaBasicInfos(ctx, ice.ListMediaBasicInfosRequest{MaxResults: 1})
				return err
			}},
			probe{"ice", "GetMediaInfo", func(ctx context.Context) error {
				_, err := iceClient.GetMediaInfo(ctx, ice.GetMediaInfoRequest{MediaId: noAsset})
				return err
			}})
	}
	unreachable := map[string]bool{}
	for _, p := range probes {
		if unreachable[p.product] || d.ctx.Err() != nil {
			continue
		}
		unreachable[p.product] = !d.try(p)
	}
	d.say(ok, "uploads", "permissions for them are not tried, because that would create assets: 'alimedia policy vod:CreateUploadVideo vod:RefreshUploadVideo vod:GetVideoInfo' is what they need")
}

// try reports whether the endpoint of the product can be reached.
func (d *diagnosis) try(p probe) bool {
	ctx, cancel := context.WithTimeout(d.ctx, doctorTime)
	defer cancel()
	err := p.call(ctx)
	name := p.product
	var api *alimedia.Error
	isAPI := errors.As(err, &api)
	switch {
	case err == nil, alimedia.IsNotFound(err):
		d.say(ok, name, "%s is allowed; %s", p.action, d.times.last())
	case alimedia.IsAccessDenied(err):
		d.say(fail, name, "%s is denied (%s): 'alimedia policy %s:%s' prints the policy to attach to the identity", p.action, api.Code, p.product, p.action)
	case alimedia.IsThrottled(err):
		d.say(warn, name, "%s was throttled: others use the account's rate now", p.action)
	case isAPI && rejectedKeys(api):
		d.say(fail, name, "%s", d.why(err))
		return false
	case isAPI && api.StatusCode < 500 && api.Code != "":
		d.say(warn, name, "%s", d.why(err))
	default:
		d.say(fail, name, "%s", d.why(err))
		return isAPI
	}
	return true
}

// rejectedKeys reports whether every other operation will be rejected, too.
func rejectedKeys(err *alimedia.Error) bool {
	return slices.ContainsFunc([]string{"InvalidAccessKeyId", "SignatureDoesNotMatch", "IncompleteSignature", "InvalidSecurityToken", "InvalidTimeStamp"},
		func(code string) bool { return alimedia.HasCode(err, code) })
}

const (
	mostSkew    = 15 * time.Minute // beyond it the services refuse signatures
	notableSkew = 30 * time.Second
)

func (d *diagnosis) clock() {
	skew, known := d.times.skew()
	abs := max(skew, -skew).Round(time.Second)
	direction := "ahead of"
	if skew > 0 {
		direction = "behind"
	}
	switch {
	case !known:
		d.say(warn, "clock", "not compared: no service answered")
	case abs >= mostSkew:
		d.say(fail, "clock", "%v %s the service's: set it, for example by NTP; the services refuse signatures of 15 minutes away", abs, direction)
	case abs >= notableSkew:
		d.say(warn, "clock", "%v %s the service's: let NTP set it", abs, direction)
	default:
		d.say(ok, "clock", "within %v of the service's", max(abs, time.Second))
	}
}

// storage tries the endpoint of OSS in the region. Any answer will do.
func (d *diagnosis) storage() {
	address := "https://oss-" + d.cfg.Region + ".aliyuncs.com/"
	if d.cfg.Endpoint != "" {
		address = d.cfg.Endpoint
		if !strings.Contains(address, "://") {
			address = "https://" + address
		}
	} else if d.cfg.Region == "" {
		d.say(warn, "oss", "not tried: no region")
		return
	}
	ctx, cancel := context.WithTimeout(d.ctx, doctorTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, address, nil)
	if err != nil {
		d.say(fail, "oss", "%s", d.why(err))
		return
	}
	client := d.timed(d.cfg.HTTPClient)
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := client.Do(req)
	if err != nil {
		d.say(fail, "oss", "uploads will not work: %s", d.why(err))
		return
	}
	res.Body.Close()
	d.say(ok, "oss", "%s", d.times.last())
}

// uploads says which uploads the region takes.
func (d *diagnosis) uploads() {
	regions := strings.Fields(catalogue.Find("ice", "CreateUploadMedia").Regions)
	if d.cfg.Region == "" || slices.Contains(regions, d.cfg.Region) {
		d.say(ok, "targets", "vod, ice, stream, yike and oss, as far as permissions go")
		return
	}
	d.say(warn, "targets", "%s has no uploads to ICE (--target ice and stream): they are in %s", d.cfg.Region, strings.Join(regions, ", "))
}

func (d *diagnosis) checkpoints() {
	dir, err := d.stateDir()
	if err != nil {
		d.say(fail, "state", "%v: set ALIMEDIA_STATE_DIR to a folder that you can write to", err)
		return
	}
	f, err := os.CreateTemp(dir, "doctor.*")
	if err != nil {
		d.say(fail, "state", "uploads cannot be resumed: %v. Set ALIMEDIA_STATE_DIR to a folder that you can write to", err)
		return
	}
	f.Close()
	os.Remove(f.Name())
	if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		d.say(warn, "state", "%s is open to other users: chmod 700 %s", filepath.ToSlash(dir), filepath.ToSlash(dir))
		return
	}
	d.say(ok, "state", "checkpoints are in %s", dir)
}

// timings are what responses tell of the way to the services.
type timings struct {
	mu    sync.Mutex
	text  string
	skews []time.Duration
}

// timed is a client like c that measures.
func (d *diagnosis) timed(c *http.Client) *http.Client {
	measured := http.Client{}
	if c != nil {
		measured = *c
	}
	base := measured.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	measured.Transport = &stopwatch{base, &d.times}
	return &measured
}

type stopwatch struct {
	base  http.RoundTripper
	times *timings
}

func (s *stopwatch) RoundTrip(req *http.Request) (*http.Response, error) {
	start := time.Now()
	res, err := s.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	took := time.Since(start)
	s.times.mu.Lock()
	defer s.times.mu.Unlock()
	s.times.text = fmt.Sprintf("%s answers in %v", req.URL.Host, max(took.Round(time.Millisecond), time.Millisecond))
	if date, err := http.ParseTime(res.Header.Get("Date")); err == nil {
		// The Date has whole seconds, rounded down.
		s.times.skews = append(s.times.skews, date.Add(time.Second/2).Sub(start.Add(took/2)))
	}
	return res, nil
}

func (t *timings) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text
}

// skew is how far the clock of the services is ahead of this machine's: the
// median, because one answer may be that of a cache.
func (t *timings) skew() (time.Duration, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.skews) == 0 {
		return 0, false
	}
	sorted := slices.Sorted(slices.Values(t.skews))
	return sorted[len(sorted)/2], true
}
