package webupload_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/webupload"
)

// Bodies that are not what the documentation says create nothing and reach no hook.
func TestHostile_Bodies(t *testing.T) {
	t.Parallel()
	ok := `"FileName":"a.mp4","FileSize":5`
	long := strings.Repeat("x", 5000)
	for name, body := range map[string]string{
		"empty":                    ``,
		"no object":                `["a"]`,
		"null":                     `null`,
		"not JSON":                 `{"FileName":"a.mp4","FileSize":5`,
		"two documents":            `{` + ok + `}{}`,
		"no size":                  `{"FileName":"a.mp4"}`,
		"size of zero":             `{"FileName":"a.mp4","FileSize":0}`,
		"negative size":            `{"FileName":"a.mp4","FileSize":-1}`,
		"size as text":             `{"FileName":"a.mp4","FileSize":"5"}`,
		"size with a fraction":     `{"FileName":"a.mp4","FileSize":5.5}`,
		"size beyond int64":        `{"FileName":"a.mp4","FileSize":9223372036854775808}`,
		"null size":                `{"FileName":"a.mp4","FileSize":null}`,
		"no name":                  `{"FileSize":5}`,
		"duplicate key":            `{` + ok + `,"FileSize":6}`,
		"duplicate key, escaped":   `{` + ok + `,"FileSiz\u0065":6}`,
		"key in another case":      `{` + ok + `,"filesize":6}`,
		"unknown key":              `{` + ok + `,"TemplateGroupId":"x"}`,
		"duplicate metadata":       `{` + ok + `,"Metadata":{"a":"1","a":"2"}}`,
		"nested metadata":          `{` + ok + `,"Metadata":{"a":{"b":"c"}}}`,
		"deep":                     `{` + ok + `,"Title":` + strings.Repeat(`[`, 7000) + strings.Repeat(`]`, 7000) + `}`,
		"not UTF-8":                "{" + ok + ",\"Title\":\"\xff\"}",
		"half a surrogate":         `{` + ok + `,"Title":"\ud800"}`,
		"path":                     `{"FileName":"../../etc/passwd.mp4","FileSize":5}`,
		"Windows path":             `{"FileName":"..\\a.mp4","FileSize":5}`,
		"absolute path":            `{"FileName":"/a.mp4","FileSize":5}`,
		"only dots":                `{"FileName":"..","FileSize":5}`,
		"no extension":             `{"FileName":"mp4","FileSize":5}`,
		"odd extension":            `{"FileName":"a.m p4","FileSize":5}`,
		"extension of other kinds": `{"FileName":"a.ＭＰ４","FileSize":5}`,
		"NUL":                      `{"FileName":"a\u0000.mp4","FileSize":5}`,
		"line break":               `{"FileName":"a\r\nX: y.mp4","FileSize":5}`,
		"direction override":       `{"FileName":"a\u202e4pm.exe","FileSize":5}`,
		"long name":                `{"FileName":"` + long + `.mp4","FileSize":5}`,
		"long title":               `{` + ok + `,"Title":"` + long + `"}`,
		"control in title":         `{` + ok + `,"Title":"a\u001b[2J"}`,
		"control in tag":           `{` + ok + `,"Tags":["a\u0007"]}`,
		"control in description":   `{` + ok + `,"Description":"a\u0007"}`,
		"control in metadata":      `{` + ok + `,"Metadata":{"a":"\u0000"}}`,
		"control in a name":        `{` + ok + `,"Metadata":{"\u0000":"a"}}`,
		"tags as text":             `{` + ok + `,"Tags":"a"}`,
		"many tags":                `{` + ok + `,"Tags":["` + strings.Repeat(`","`, 16) + `"]}`,
		"much metadata":            `{` + ok + `,"Metadata":{` + manyMembers(40) + `}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, nil)
			requireRefused(t, post(t, d.Create, "ann", body), 400, "InvalidRequest")
			require.Empty(t, d.asked)
			require.Zero(t, d.srv.Calls("CreateUploadVideo"))
		})
	}
	d := newDesk(t, nil)
	require.Equal(t, 200, post(t, d.Create, "ann", `{"FileName":"度假 🏖️.mp4","FileSize":5,"Description":"a\nb\tc"}`).StatusCode, "other names are fine")
}

func manyMembers(n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf(`"k%d":"v"`, i)
	}
	return strings.Join(all, ",")
}

// Requests that are refused before their body is read.
func TestHostile_Requests(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*http.Request)
		status int
		code   string
	}{
		"GET":              {func(r *http.Request) { r.Method = http.MethodGet }, 405, "MethodNotAllowed"},
		"PUT":              {func(r *http.Request) { r.Method = http.MethodPut }, 405, "MethodNotAllowed"},
		"plain OPTIONS":    {func(r *http.Request) { r.Method = http.MethodOptions }, 405, "MethodNotAllowed"},
		"a form":           {set("Content-Type", "application/x-www-form-urlencoded"), 415, "UnsupportedMediaType"},
		"a form with JSON": {set("Content-Type", "text/plain"), 415, "UnsupportedMediaType"},
		"no type":          {func(r *http.Request) { r.Header.Del("Content-Type") }, 415, "UnsupportedMediaType"},
		"a similar type":   {set("Content-Type", "application/jsonp"), 415, "UnsupportedMediaType"},
		"nobody":           {set("X-User", ""), 401, "Unauthorized"},
		"huge":             {func(r *http.Request) { r.ContentLength = webupload.MaxBytes + 1 }, 413, "RequestTooLarge"},
		"huge, unsaid": {func(r *http.Request) {
			r.ContentLength = -1
			r.Body = io.NopCloser(strings.NewReader(strings.Repeat(" ", webupload.MaxBytes+1)))
		}, 413, "RequestTooLarge"},
		"broken": {func(r *http.Request) {
			r.Body = io.NopCloser(io.MultiReader(strings.NewReader("{"), failing{errors.New("the line broke")}))
		}, 400, "InvalidRequest"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, nil)
			a := post(t, d.Create, "ann", movie, tt.change)
			requireRefused(t, a, tt.status, tt.code)
			require.Equal(t, "close", a.Header.Get("Connection"), "what is left of the body is not read")
			require.Empty(t, d.asked)
		})
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// Pages of other origins are refused, whatever the browser, unless they are
// allowed; and only those may read a response.
func TestHostile_Origins(t *testing.T) {
	t.Parallel()
	const ours, shop, evil = "https://backend.example.com", "https://shop.example.com", "https://evil.example.com"
	for name, tt := range map[string]struct {
		origin, site string
		status       int
		shared       string
	}{
		"own page":                  {ours, "same-origin", 200, ""},
		"own page, older browser":   {ours, "", 200, ""},
		"no browser":                {"", "", 200, ""},
		"allowed page":              {shop, "cross-site", 200, shop},
		"allowed page, no metadata": {shop, "", 200, shop},
		"other page":                {evil, "cross-site", 403, ""},
		"other page, no metadata":   {evil, "", 403, ""},
		"page of a sibling":         {"https://x.backend.example.com", "same-site", 403, ""},
		"opaque":                    {"null", "cross-site", 403, ""},
		"opaque, no metadata":       {"null", "", 403, ""},
		"hidden origin":             {"", "cross-site", 403, ""},
		"like the allowed":          {shop + ".evil.example.com", "", 403, ""},
		"the allowed without TLS":   {"http://shop.example.com", "cross-site", 403, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, func(c *webupload.Config) { c.Origins = []string{shop} })
			headers := func(r *http.Request) {
				for name, value := range map[string]string{"Origin": tt.origin, "Sec-Fetch-Site": tt.site} {
					if value != "" {
						r.Header.Set(name, value)
					}
				}
			}
			a := post(t, d.Create, "ann", movie, headers)
			require.Equal(t, tt.status, a.StatusCode, a.text)
			require.Equal(t, tt.shared, a.Header.Get("Access-Control-Allow-Origin"))
			require.Contains(t, a.Header.Values("Vary"), "Origin")
			if tt.status == 403 {
				requireRefused(t, a, 403, "OriginNotAllowed")
				require.Empty(t, d.asked)
			}
			asks := post(t, d.Create, "", "", headers, set("Access-Control-Request-Method", "POST"), func(r *http.Request) { r.Method = http.MethodOptions })
			if tt.shared == "" {
				require.Equal(t, 403, asks.StatusCode)
				require.Empty(t, asks.Header.Get("Access-Control-Allow-Methods"))
				return
			}
			require.Equal(t, 204, asks.StatusCode, asks.text)
			require.Equal(t, shop, asks.Header.Get("Access-Control-Allow-Origin"))
			require.Equal(t, "POST", asks.Header.Get("Access-Control-Allow-Methods"))
			require.Contains(t, asks.Header.Get("Access-Control-Allow-Headers"), "Upload-Token")
			require.Equal(t, "true", asks.Header.Get("Access-Control-Allow-Credentials"))
			require.Contains(t, a.Header.Get("Access-Control-Expose-Headers"), "Upload-Token")
		})
	}
}

// Only the owner of an upload refreshes, completes and cancels it, for as long as the
// token is valid.
func TestHostile_Tokens(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	id, proof := d.create(t, "ann", movie)
	other, otherProof := d.create(t, "bob", movie)
	d.store(t, id, "movie")
	payload, mac, _ := strings.Cut(proof, ".")
	body := `{"VideoId":"` + id + `"}`
	for name, tt := range map[string]struct{ user, body, token string }{
		"no token":           {"ann", body, ""},
		"no signature":       {"ann", body, payload + "."},
		"no payload":         {"ann", body, "." + mac},
		"not a token":        {"ann", body, "x"},
		"another user":       {"bob", body, proof},
		"a user before":      {"an", body, proof},
		"another asset":      {"ann", `{"VideoId":"` + other + `"}`, proof},
		"of another asset":   {"ann", body, otherProof},
		"own with a foreign": {"bob", body, otherProof},
		"changed payload":    {"ann", body, flip(payload) + "." + mac},
		"changed signature":  {"ann", body, payload + "." + flip(mac)},
		"longer signature":   {"ann", body, proof + "AA"},
		"padded":             {"ann", body, proof + "="},
		"huge":               {"ann", body, proof + strings.Repeat("A", 1<<20)},
	} {
		t.Run(name, func(t *testing.T) {
			for _, h := range []http.HandlerFunc{d.Refresh, d.Complete, d.Cancel} {
				requireRefused(t, post(t, h, tt.user, tt.body, token(tt.token)), 403, "UploadNotAllowed")
			}
		})
	}
	require.Zero(t, d.srv.Calls("RefreshUploadVideo")+d.srv.Calls("GetVideoInfo")+d.srv.Calls("DeleteVideo"), "the service is not asked")
	require.Empty(t, d.completed)
	for _, text := range []string{`{}`, `{"VideoId":""}`, `{"VideoId":"a","MediaId":"b"}`, `{"VideoId":"a","MediaId":"a"}`, `{"VideoId":["a"]}`, `{"VideoId":"` + id + `","Size":1}`} {
		requireRefused(t, post(t, d.Refresh, "ann", text, token(proof)), 400, "InvalidRequest")
	}
	require.Equal(t, 200, post(t, d.Complete, "ann", body, token(proof)).StatusCode)
}

// flip changes a character in the middle, where all its bits count.
func flip(text string) string {
	b := []byte(text)
	if b[4] == 'A' {
		b[4] = 'B'
	} else {
		b[4] = 'A'
	}
	return string(b)
}

func TestHostile_TokenExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, func(c *webupload.Config) { c.TokenLife = time.Hour }, mediatest.InMemory())
		id, proof := d.create(t, "ann", movie)
		body := `{"VideoId":"` + id + `"}`
		time.Sleep(59 * time.Minute)
		require.Equal(t, 200, post(t, d.Refresh, "ann", body, token(proof)).StatusCode)
		time.Sleep(2 * time.Minute)
		for _, h := range []http.HandlerFunc{d.Refresh, d.Complete, d.Cancel} {
			requireRefused(t, post(t, h, "ann", body, token(proof)), 403, "UploadExpired")
		}
	})
}

// A key that is rotated verifies until it is removed.
func TestHandler_KeyRotation(t *testing.T) {
	t.Parallel()
	srvs := map[string]*desk{}
	for name, keys := range map[string][]alimedia.Secret{"old": {oldKey}, "both": {newKey, oldKey}, "new": {newKey}} {
		srvs[name] = newDesk(t, func(c *webupload.Config) { c.Keys = keys })
	}
	verifies := func(by, proof string) bool {
		a := post(t, srvs[by].Complete, "ann", `{"VideoId":"x"}`, token(proof))
		require.Contains(t, []int{403, 404}, a.StatusCode, a.text)
		return a.StatusCode == 404 // the token is good, and the service does not know the asset
	}
	sign := func(by string) string {
		d := srvs[by]
		d.srv.Fault(mediatest.Fault{Operation: "CreateUploadVideo", Edit: func(_ mediatest.Request, a *mediatest.Response) {
			a.Body = `{"RequestId":"r","VideoId":"x","UploadAddress":"e30=","UploadAuth":"e30="}`
		}})
		_, proof := d.create(t, "ann", movie)
		return proof
	}
	old, both := sign("old"), sign("both")
	require.True(t, verifies("old", old) && verifies("both", old) && verifies("both", both) && verifies("new", both))
	require.False(t, verifies("new", old), "the old key is gone")
	require.False(t, verifies("old", both), "the first key signs")
}

// The application hears of an upload once, however often and by how many requests it
// is completed.
func TestHostile_CompletionReplayed(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	id, proof := d.create(t, "ann", movie)
	d.store(t, id, "movie")
	body := `{"VideoId":"` + id + `"}`
	d.fail = errors.New("the database is down")
	requireRefused(t, post(t, d.Complete, "ann", body, token(proof)), 500, "InternalError")
	d.fail = nil
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			a := post(t, d.Complete, "ann", body, token(proof))
			if a.StatusCode != 200 {
				requireRefused(t, a, 409, "UploadBusy")
			}
		})
	}
	wg.Wait()
	require.Equal(t, 200, post(t, d.Complete, "ann", body, token(proof)).StatusCode)
	require.Len(t, d.completed, 2, "the failed one is repeated, once")
	require.NotContains(t, post(t, d.Complete, "ann", body, token(proof)).text, "database")
}

// A hook that panics is a 500, and the next request is served.
func TestHostile_PanickingHooks(t *testing.T) {
	t.Parallel()
	boom := func() { panic("secret of the hook: " + string(newKey)) }
	for name, change := range map[string]func(*webupload.Config){
		"Owner":     func(c *webupload.Config) { c.Owner = func(*http.Request) (string, error) { boom(); return "", nil } },
		"ClientKey": func(c *webupload.Config) { c.ClientKey = func(*http.Request, string) string { boom(); return "" } },
		"Policy": func(c *webupload.Config) {
			c.Policy = func(context.Context, webupload.Request) (webupload.Target, error) { boom(); return nil, nil }
		},
		"nil target": func(c *webupload.Config) {
			c.Policy = func(context.Context, webupload.Request) (webupload.Target, error) { return nil, nil }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, change)
			a := post(t, d.Create, "ann", movie)
			requireRefused(t, a, 500, "InternalError")
			require.NotContains(t, a.text, "secret")
			require.Zero(t, d.srv.Calls("CreateUploadVideo"))
		})
	}
	var times int
	d := newDesk(t, func(c *webupload.Config) {
		c.Completed = func(context.Context, webupload.Asset) error {
			if times++; times == 1 {
				panic("once")
			}
			return nil
		}
	})
	id, proof := d.create(t, "ann", movie)
	d.store(t, id, "movie")
	requireRefused(t, post(t, d.Complete, "ann", `{"VideoId":"`+id+`"}`, token(proof)), 500, "InternalError")
	require.Equal(t, 200, post(t, d.Complete, "ann", `{"VideoId":"`+id+`"}`, token(proof)).StatusCode, "the asset is not locked for ever")
	require.Contains(t, d.log.String(), "webupload: panic")
}

// Each client has a rate of its own, and one that is beyond it takes nothing of the
// others'.
func TestHostile_Rates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, func(c *webupload.Config) {
			c.ClientRate = webupload.Rate{PerSecond: 0.5, Burst: 3}
			c.TotalRate = webupload.Rate{PerSecond: 1, Burst: 5}
		}, mediatest.InMemory())
		status := func(user string) int { return post(t, d.Create, user, movie).StatusCode }
		for range 3 {
			require.Equal(t, 200, status("ann"))
		}
		for range 10 {
			a := post(t, d.Create, "ann", movie)
			requireRefused(t, a, 429, "TooManyRequests")
			require.Equal(t, "2", a.Header.Get("Retry-After"))
		}
		require.Equal(t, 200, status("bob"))
		require.Equal(t, 200, status("eve"))
		require.Equal(t, 429, status("bob"), "the limit of all")
		time.Sleep(2 * time.Second)
		require.Equal(t, 200, status("ann"))
		require.Equal(t, 429, status("ann"))
	})
	byAddress := newDesk(t, func(c *webupload.Config) {
		c.ClientRate, c.ClientKey = webupload.Rate{PerSecond: 0.001, Burst: 1}, func(r *http.Request, _ string) string { return r.RemoteAddr }
	})
	require.Equal(t, 200, post(t, byAddress.Create, "ann", movie).StatusCode)
	require.Equal(t, 429, post(t, byAddress.Create, "bob", movie).StatusCode, "of the same address")
}

// A body that does not arrive ends after 10 seconds, with its connection.
func TestHostile_SlowBody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, nil, mediatest.InMemory())
		ours, theirs := net.Pipe()
		listener := &oneConn{conn: make(chan net.Conn, 1), done: make(chan struct{})}
		listener.conn <- theirs
		server := &http.Server{Handler: http.HandlerFunc(d.Create)}
		ended := make(chan struct{})
		go func() { defer close(ended); _ = server.Serve(listener) }()
		began := time.Now()
		_, err := io.WriteString(ours, "POST / HTTP/1.1\r\nHost: h\r\nX-User: ann\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
		require.NoError(t, err)
		response, err := http.ReadResponse(bufio.NewReader(ours), nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusRequestTimeout, response.StatusCode)
		require.InDelta(t, 10, time.Since(began).Seconds(), 1)
		_, _ = io.Copy(io.Discard, response.Body)
		_, err = ours.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF, "the connection is closed")
		_ = server.Close()
		<-ended
	})
}

// Writers that cannot set a deadline wait no longer.
func TestHostile_SlowBodyWithoutDeadlines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, nil, mediatest.InMemory())
		body, end := io.Pipe()
		a := post(t, d.Create, "ann", "", func(r *http.Request) { r.Body, r.ContentLength = body, 100 })
		requireRefused(t, a, 408, "RequestTimeout")
		_ = end.Close()
	})
}

// oneConn is a listener of a single connection in memory.
type oneConn struct {
	conn chan net.Conn
	done chan struct{}
	once sync.Once
}

func (l *oneConn) Accept() (net.Conn, error) {
	select {
	case c := <-l.conn:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
func (l *oneConn) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *oneConn) Addr() net.Addr { return &net.TCPAddr{} }

// What the service says of a failure stays here, except for the request ID, and what
// is secret is nowhere but in the response that hands it out.
func TestHostile_Secrets(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fault  mediatest.Fault
		status int
		code   string
	}{
		"denied":    {mediatest.Fault{Status: 403, Code: "Forbidden.RAM", Message: "the role acs:ram::1:role/x may not", Times: mediatest.Always}, 502, "ServiceError"},
		"throttled": {mediatest.Fault{Status: 429, Code: "Throttling.User", Message: "slow down", Times: mediatest.Always}, 503, "ServiceBusy"},
		"gone":      {mediatest.Fault{Status: 404, Code: "InvalidVideo.NotFound", Message: "no", Times: mediatest.Always}, 404, "UploadNotFound"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t, nil, mediatest.InMemory())
				tt.fault.Operation = "CreateUploadVideo"
				d.srv.Fault(tt.fault)
				a := post(t, d.Create, "ann", movie)
				requireRefused(t, a, tt.status, tt.code)
				require.NotEmpty(t, a.str("requestId"))
				require.NotContains(t, a.text, "role")
				require.NotContains(t, a.text, tt.fault.Code)
				require.Contains(t, d.log.String(), tt.fault.Code, "the log has the reason")
				if tt.status == 503 {
					require.NotEmpty(t, a.Header.Get("Retry-After"))
				}
			})
		})
	}
	d := newDesk(t, nil)
	a := post(t, d.Create, "ann", movie)
	proof := a.Header.Get("Upload-Token")
	for range 2 { // a failure logs, too
		d.store(t, a.str("VideoId"), "movie")
		post(t, d.Refresh, "ann", `{"VideoId":"`+a.str("VideoId")+`"}`, token(proof))
	}
	require.NotContains(t, d.log.String(), a.str("UploadAuth"))
	require.NotContains(t, d.log.String(), proof)
	shown := fmt.Sprintf("%v %+v %#v %s", d.Handler, d.Handler, d.Handler, webupload.Config{Keys: []alimedia.Secret{newKey}})
	require.NotContains(t, shown, string(newKey))
	require.NotContains(t, proof, "ann")
}

// A refusal of the policy is the browser's to read, and a request that breaks rules of
// the reference is explained without values.
func TestHandler_PolicyRefuses(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	d.refusal = fmt.Errorf("quota: %w", webupload.Refuse(402, "QuotaExceeded", "Your plan has no space left."))
	a := post(t, d.Create, "ann", movie)
	requireRefused(t, a, 402, "QuotaExceeded")
	require.Equal(t, "Your plan has no space left.", a.str("message"))
	d.refusal = &webupload.Refusal{Status: 200}
	requireStatus := post(t, d.Create, "ann", movie)
	require.Equal(t, 403, requireStatus.StatusCode, "a refusal is never a success")
	require.Equal(t, "Refused", requireStatus.str("code"))
	d.refusal = errors.New("SELECT secret FROM users failed")
	a = post(t, d.Create, "ann", movie)
	requireRefused(t, a, 500, "InternalError")
	require.NotContains(t, a.text, "SELECT")
	d.refusal, d.target = nil, webupload.Video{Title: strings.Repeat("t", 129), FileName: "a.mp4"}
	a = post(t, d.Create, "ann", movie)
	requireRefused(t, a, 400, "InvalidUpload")
	require.Contains(t, a.str("message"), "Title: at most 128 characters")
	require.NotContains(t, a.text, "ttt")
	require.Zero(t, d.srv.Calls("CreateUploadVideo"))
}

// A canceled upload leaves neither an asset nor parts; a stored one is not canceled.
func TestHandler_Cancel(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	id, proof := d.create(t, "ann", movie)
	body := `{"VideoId":"` + id + `"}`
	a := post(t, d.Cancel, "ann", body, token(proof))
	require.Equal(t, 200, a.StatusCode, a.text)
	require.Equal(t, map[string]any{"VideoId": id}, a.body)
	_, there := d.srv.Media(id)
	require.False(t, there)
	require.Equal(t, 1, d.srv.Calls("DeleteMultipartUpload"), "of the parts that were sent")
	require.Equal(t, 200, post(t, d.Cancel, "ann", body, token(proof)).StatusCode, "again")
	requireRefused(t, post(t, d.Refresh, "ann", body, token(proof)), 404, "UploadNotFound")
	requireRefused(t, post(t, d.Complete, "ann", body, token(proof)), 404, "UploadNotFound")

	id, proof = d.create(t, "ann", movie)
	d.store(t, id, "movie")
	requireRefused(t, post(t, d.Cancel, "ann", `{"VideoId":"`+id+`"}`, token(proof)), 409, "AlreadyUploaded")
	_, there = d.srv.Media(id)
	require.True(t, there)
}

func TestNew_Config(t *testing.T) {
	t.Parallel()
	owner := func(*http.Request) (string, error) { return "", nil }
	policy := func(context.Context, webupload.Request) (webupload.Target, error) { return nil, nil }
	for name, tt := range map[string]struct {
		cfg  webupload.Config
		want string
	}{
		"no owner":   {webupload.Config{}, "Owner"},
		"no policy":  {webupload.Config{Owner: owner}, "Policy"},
		"no client":  {webupload.Config{Owner: owner, Policy: policy}, "VOD or Config.ICE"},
		"STS, Allow": {webupload.Config{Owner: owner, STS: &webupload.STS{}}, "STS.Allow"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := webupload.New(tt.cfg)
			require.ErrorContains(t, err, tt.want)
		})
	}
	for name, change := range map[string]func(*webupload.Config){
		"Config.Keys: at least one":          func(c *webupload.Config) { c.Keys = nil },
		"a key has less than 32 bytes":       func(c *webupload.Config) { c.Keys = []alimedia.Secret{newKey, "short"} },
		"Config.TokenLife":                   func(c *webupload.Config) { c.TokenLife = 8 * 24 * time.Hour },
		"Config.Origins: invalid origin":     func(c *webupload.Config) { c.Origins = []string{"https://a.example.com/path"} },
		`Config.Origins: invalid origin "*"`: func(c *webupload.Config) { c.Origins = []string{"*"} },
	} {
		d := newDesk(t, func(c *webupload.Config) {
			good := *c
			change(&good)
			_, err := webupload.New(good)
			require.ErrorContains(t, err, name)
			require.NotContains(t, err.Error(), string(newKey))
		})
		require.NotNil(t, d)
	}
}
