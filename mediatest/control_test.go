package mediatest_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

// controlled asks the control API of a server.
type controlled struct{ srv *mediatest.Server }

func (c controlled) do(t testing.TB, method, path, body string, change ...func(*http.Request)) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequest(method, c.srv.URL+mediatest.ControlPrefix+path, strings.NewReader(body))
	require.NoError(t, err)
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, f := range change {
		f(req)
	}
	resp, err := c.srv.HTTPClient().Do(req)
	require.NoError(t, err)
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode, resp.Header, string(text)
}

// ok makes a request that must succeed.
func (c controlled) ok(t testing.TB, method, path, body string) map[string]any {
	t.Helper()
	status, _, text := c.do(t, method, path, body)
	require.Equal(t, http.StatusOK, status, text)
	var answer map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &answer), text)
	return answer
}

// A page of another site reaches nothing, neither by a simple request, nor by
// one that asks first, nor by a name that points here.
func TestControl_OtherSites(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t, mediatest.Control())
	c := controlled{srv}
	with := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	host := func(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }
	srv.Fault(mediatest.Fault{Operation: "PutObject"})
	for name, change := range map[string][]func(*http.Request){
		"form":             {with("Content-Type", "text/plain")},
		"no type":          {func(r *http.Request) { r.Header.Del("Content-Type") }},
		"cross site":       {with("Sec-Fetch-Site", "cross-site")},
		"same site":        {with("Sec-Fetch-Site", "same-site")},
		"other origin":     {with("Origin", "https://evil.example.com")},
		"rebound name":     {host("evil.example.com")},
		"rebound and port": {host("evil.example.com:80"), with("Origin", "http://evil.example.com:80")},
		"other address":    {host("192.0.2.1")},
	} {
		status, header, text := c.do(t, http.MethodPost, "reset", "{}", change...)
		require.GreaterOrEqual(t, status, 400, name)
		require.Contains(t, text, `"Error"`, name)
		require.Empty(t, header.Get("Access-Control-Allow-Origin"), name)
	}
	status, header, _ := c.do(t, http.MethodOptions, "reset", "", with("Origin", "https://evil.example.com"), with("Access-Control-Request-Method", "POST"))
	require.GreaterOrEqual(t, status, 400)
	require.Empty(t, header.Get("Access-Control-Allow-Origin"))
	for _, path := range []string{"state", "", "faults"} {
		status, _, _ = c.do(t, http.MethodGet, path, "", host("evil.example.com"))
		require.Equal(t, http.StatusForbidden, status)
		_, header, _ = c.do(t, http.MethodGet, path, "", with("Origin", "https://evil.example.com"))
		require.Empty(t, header.Get("Access-Control-Allow-Origin"))
		require.Equal(t, "same-origin", header.Get("Cross-Origin-Resource-Policy"))
		require.Equal(t, "nosniff", header.Get("X-Content-Type-Options"))
	}
	require.Len(t, c.ok(t, http.MethodGet, "faults", "")["Faults"], 1)

	// What is allowed: programs, and the page itself.
	_, port, err := net.SplitHostPort(strings.TrimPrefix(srv.URL, "http://"))
	require.NoError(t, err)
	for _, change := range [][]func(*http.Request){
		nil, {host("localhost:" + port)}, {host("[::1]:" + port)}, {with("Sec-Fetch-Site", "same-origin"), with("Origin", srv.URL)},
		{with("Content-Type", "application/json; charset=utf-8")},
	} {
		status, _, text := c.do(t, http.MethodPost, "clock", `{"Advance": "1s"}`, change...)
		require.Equal(t, http.StatusOK, status, text)
	}

	// The path of an object in a bucket that the host names is none of it.
	status, _, text := c.do(t, http.MethodGet, "state", "", host("own.oss-cn-shanghai.aliyuncs.com"))
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, text, "<Code>AccessDenied")
	resp, err := srv.HTTPClient().Get(srv.URL + "/own/key")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, "sandbox", resp.Header.Get("Content-Security-Policy"))
	status, _, text = controlled{mediatest.New(t)}.do(t, http.MethodGet, "state", "")
	require.Equal(t, http.StatusForbidden, status) // off by default
	require.Contains(t, text, "<Code>")
}

func TestControl_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	c := controlled{mediatest.New(t, mediatest.Control())}
	for _, one := range []struct{ method, path, body, says string }{
		{"POST", "faults", `{"Operation": "PutObject", "Sttaus": 503}`, `unknown field \"Sttaus\"`},
		{"POST", "faults", `{"Operation": "PutObjekt"}`, `there is no operation \"PutObjekt\"`},
		{"POST", "faults", `{"Status": 99}`, "from 200 to 599"},
		{"POST", "faults", `{"Foreign": {"Status": 700, "Body": ""}}`, "from 200 to 599"},
		{"POST", "faults", `{"Foreign": {"Endless": true, "Body": ""}}`, "has a Body"},
		{"POST", "faults", `{"Delay": "soon"}`, "is not a duration"},
		{"POST", "faults", `{"Delay": "-1s"}`, "is not a duration"},
		{"POST", "faults", `{"Delay": 3}`, "Go struct field"},
		{"POST", "faults", `{"Nth": -1}`, "counts from 1"},
		{"POST", "faults", `{"Times": -2}`, "-1 for always"},
		{"POST", "faults", `{"AfterBytes": -2}`, "not negative"},
		{"POST", "faults", `[{"Status": 500}, {"Status": 1}]`, "from 200 to 599"},
		{"POST", "faults", `{} {}`, "more than one JSON value"},
		{"POST", "faults", ``, "the body is empty"},
		{"POST", "faults", `{"Message": "` + strings.Repeat("x", 1<<20) + `"}`, "more than 1048576 bytes"},
		{"POST", "clock", `{"Advance": "forever"}`, "at most"},
		{"POST", "outcomes", `{"Times": -1}`, "not negative"},
		{"POST", "outcomes", `{"Operation": "x"}`, "no operation"},
		{"POST", "users", `{}`, "Policy is missing"},
		{"POST", "users", `{"Policy": {"Statement": [{"Effect": "Maybe", "Action": "*"}]}}`, "Effect of Allow or Deny"},
		{"POST", "users", `{"Policy": "{}", "Account": "7"}`, "no account 7"},
		{"POST", "accounts", `{"Id": "x"}`, "not a number"},
		{"POST", "buckets", `{"Name": "_mediatest"}`, "not the name of a bucket"},
		{"POST", "credentials", `{"Account": "7"}`, "no account 7"},
		{"POST", "events", `{"Service": "oss", "EventType": "X"}`, "neither vod nor ice"},
		{"POST", "events", `{"Service": "vod", "EventType": "<b>"}`, "not the name of an event"},
		{"POST", "events", `{"Service": "vod", "EventType": "X", "Account": "7"}`, "no account 7"},
		{"POST", "reset", `{"Hard": true}`, "unknown field"},
		{"POST", "credentials/expire", `[]`, "cannot unmarshal"},
		{"POST", "state", `{}`, "nothing here"},
		{"GET", "state?limit=x", "", "limit is a number"},
		{"GET", "state?limit=10001", "", "limit is a number"},
		{"GET", "state?only=Secrets", "", `the state has no \"Secrets\"`},
		{"GET", "state?all=1", "", `there is no parameter \"all\"`},
		{"GET", "nowhere", "", "nothing here"},
	} {
		status, header, text := c.do(t, one.method, one.path, one.body)
		require.GreaterOrEqual(t, status, 400, one)
		require.Less(t, status, 500, one)
		require.Contains(t, text, one.says, one.path)
		require.Contains(t, header.Get("Content-Type"), "application/json")
	}
	require.Empty(t, c.ok(t, http.MethodGet, "faults", "")["Faults"])
}

func TestControl_Faults(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t, mediatest.Control())
	c, api := controlled{srv}, callerOf(srv, vodVersion)
	c.ok(t, http.MethodPost, "faults", `[{"Operation": "GetVideoInfo", "Params": {"VideoId": "a"}, "Times": -1, "Throttling": true, "RetryAfter": "2s"},
		{"Operation": "GetVideoList", "Foreign": {"Status": 502, "Header": {"Content-Type": "text/html"}, "Body": "<html>"}}]`)
	for range 2 {
		a := api.fails(t, 400, "Throttling.User", "GetVideoInfo", "VideoId", "a")
		require.Equal(t, "2000", a.header.Get("x-acs-retry-after"))
	}
	api.fails(t, 404, "InvalidVideo.NotFound", "GetVideoInfo", "VideoId", "b")
	a := api.call(t, "GetVideoList")
	require.Equal(t, 502, a.status)
	require.Equal(t, "text/html", a.header.Get("Content-Type"))
	require.Equal(t, "<html>", a.raw)
	srv.Fault(mediatest.Fault{Operation: "HeadObject", Times: mediatest.Always, Delay: mediatest.Forever})
	set := c.ok(t, http.MethodGet, "faults", "")["Faults"].([]any)
	require.Len(t, set, 3)
	require.Equal(t, map[string]any{
		"Operation": "GetVideoInfo", "Params": map[string]any{"VideoId": "a"}, "Times": -1.0, "Throttling": true, "RetryAfter": "2s", "Seen": 2.0,
	}, set[0])
	require.Equal(t, map[string]any{"Operation": "HeadObject", "Nth": 1.0, "Times": -1.0, "Delay": "forever", "Seen": 0.0}, set[2])
	c.ok(t, http.MethodDelete, "faults", "")
	require.Empty(t, c.ok(t, http.MethodGet, "faults", "")["Faults"])
}

func TestControl_AccountsAndCredentials(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t, mediatest.Control(), mediatest.AccessKey("mine", "own-secret"))
	require.Equal(t, "mine", srv.Credentials().AccessKeyId)
	c := controlled{srv}
	acc := c.ok(t, http.MethodPost, "accounts", `{"Id": "1234567890123456"}`)
	require.Equal(t, acc, c.ok(t, http.MethodPost, "accounts", `{"Id": "1234567890123456"}`))
	c.ok(t, http.MethodPost, "buckets", `{"Name": "theirs", "Account": "1234567890123456"}`)
	status, _, _ := c.do(t, http.MethodPost, "buckets", `{"Name": "theirs"}`)
	require.Equal(t, http.StatusConflict, status)
	keys := c.ok(t, http.MethodPost, "credentials", `{"Account": "1234567890123456", "Life": "1h"}`)
	api := callerOf(srv, "2015-04-01")
	api.keys.AccessKeyId, api.keys.AccessKeySecret = keys["AccessKeyId"].(string), keys["AccessKeySecret"].(string)
	api.keys.SecurityToken = keys["SecurityToken"].(string)
	require.Equal(t, "1234567890123456", api.ok(t, "GetCallerIdentity").str("AccountId"))
	c.ok(t, http.MethodPost, "credentials/expire", `{}`)
	api.fails(t, 400, "InvalidSecurityToken.Expired", "GetCallerIdentity")
	_, _, state := c.do(t, http.MethodGet, "state", "")
	require.NotContains(t, state, "own-secret")
	require.NotContains(t, state, keys["AccessKeySecret"])
	require.NotContains(t, state, keys["SecurityToken"])
}

func TestControl_EventsAreSent(t *testing.T) {
	t.Parallel()
	called := make(chan string, 1)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		called <- r.Header.Get("X-VOD-SIGNATURE") + string(text)
	}))
	defer hook.Close()
	srv := mediatest.New(t, mediatest.Control())
	c := controlled{srv}
	callerOf(srv, vodVersion).ok(t, "SetMessageCallback", "CallbackType", "HTTP", "CallbackURL", hook.URL, "EventTypeList", "ALL", "AuthSwitch", "on", "AuthKey", "abcdefgh12345678")
	sent := c.ok(t, http.MethodPost, "events", `{"Service": "vod", "EventType": "SnapshotComplete", "Body": {"VideoId": "a", "Status": "success"}}`)
	require.Equal(t, hook.URL, sent["URL"])
	got := <-called
	require.Greater(t, strings.Index(got, "{"), 30, "it is not signed: %s", got)
	require.Contains(t, got, `"EventType":"SnapshotComplete"`)
	require.Contains(t, got, `"VideoId":"a"`)
	require.Len(t, c.ok(t, http.MethodGet, "events", "")["Events"], 1)
	_, _, state := c.do(t, http.MethodGet, "state", "")
	require.NotContains(t, state, "abcdefgh12345678")
	require.Contains(t, state, "(hidden)")
}

func TestControl_StateIsBounded(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t, mediatest.Control())
	c := controlled{srv}
	for _, key := range []string{"a", "b", "c"} {
		srv.PutObject("own", key, []byte(key))
	}
	callerOf(srv, vodVersion).ok(t, "GetVideoList")
	state := c.ok(t, http.MethodGet, "state?limit=2", "")
	require.Len(t, state["Objects"], 2)
	require.EqualValues(t, 3, state["Totals"].(map[string]any)["Objects"])
	require.Equal(t, "c", state["Objects"].([]any)[1].(map[string]any)["Key"])
	require.Equal(t, 1.0, state["Requests"].([]any)[0].(map[string]any)["Number"])
	only := c.ok(t, http.MethodGet, "state?only=Jobs,Events", "")
	require.Equal(t, map[string]any{"Jobs": []any{}, "Events": []any{}}, only)
}

// The page says foreign words, and does none of them.
func TestControl_PageEscapes(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t, mediatest.Control())
	c := controlled{srv}
	const evil = `"'><script>alert(1)</script><img src=x onerror=alert(2)>`
	srv.AddMedia(mediatest.Media{Title: evil, Status: evil, Type: evil, MediaId: evil, Streams: []mediatest.Stream{{Definition: evil}}})
	srv.PutObject("own", evil, nil)
	api := callerOf(srv, vodVersion)
	api.call(t, "SearchMedia", "Match", evil, evil, evil)
	srv.Fault(mediatest.Fault{Operation: "GetVideoList", Code: evil, Message: evil})
	api.call(t, "GetVideoList")
	srv.Outcome(mediatest.Outcome{Code: evil, Message: evil})
	api.ok(t, "SubmitSnapshotJob", "VideoId", srv.AddMedia(mediatest.Media{}), "UserData", evil)
	c.ok(t, http.MethodPost, "events", `{"Service": "vod", "EventType": "X", "UserData": "{\"MessageCallback\": {\"CallbackURL\": \"javascript:alert(3)\"}}", "Body": {"a": "<script>alert(1)</script>"}}`)
	for _, path := range []string{"", "?part=1", "requests/1", "requests/2"} {
		status, header, page := c.do(t, http.MethodGet, path, "")
		require.Equal(t, http.StatusOK, status, page)
		require.NotContains(t, page, "<script>")
		require.NotContains(t, page, "<img")
		require.NotContains(t, page, `href="javascript`)
		require.Contains(t, page, "alert(", path)
		policy := header.Get("Content-Security-Policy")
		require.Contains(t, policy, "default-src 'none'")
		require.NotContains(t, policy, "unsafe")
		require.Contains(t, policy, "frame-ancestors 'none'")
		require.Equal(t, "no-store", header.Get("Cache-Control"))
	}
	_, header, page := c.do(t, http.MethodGet, "", "")
	_, nonce, _ := strings.Cut(header.Get("Content-Security-Policy"), "'nonce-")
	nonce, _, _ = strings.Cut(nonce, "'")
	require.Equal(t, 2, strings.Count(page, `nonce="`+nonce+`"`))
	require.NotContains(t, page, "http://www")
	for _, number := range []string{"99", "x", "0", "-1"} {
		status, _, page := c.do(t, http.MethodGet, "requests/"+number, "")
		require.Equal(t, http.StatusNotFound, status)
		require.Contains(t, page, "no such request")
	}
}

func TestReset_IsANewServer(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t, mediatest.Control(), mediatest.MemoryLimit(10))
	c, api := controlled{srv}, callerOf(srv, vodVersion)
	id, bucket := srv.Account().Id(), srv.StorageBucket()
	other := srv.AddAccount("77")
	user := srv.NewUser(`{"Statement":[{"Effect":"Allow","Action":"*"}]}`)
	srv.PutObject("own", "a", make([]byte, 100))
	to := targetOf(t, api.ok(t, "CreateUploadVideo", "FileName", "a.mp4", "Title", "t"))
	b := ossBucket(t, srv, to.Bucket, to.keys())
	imur, err := b.InitiateMultipartUpload(to.FileName)
	require.NoError(t, err)
	_, err = b.UploadPart(imur, strings.NewReader("part"), 4, 1)
	require.NoError(t, err)
	require.NoError(t, b.PutObject(to.FileName, strings.NewReader("movie")))
	srv.Outcome(mediatest.Outcome{Code: "X"})
	api.ok(t, "SubmitTranscodeJobs", "VideoId", srv.Medias()[0].MediaId, "TemplateGroupId", "standard")
	require.Len(t, srv.Jobs(), 1)
	require.Equal(t, "X", srv.Jobs()[0].Code)
	srv.Fault(mediatest.Fault{Operation: "GetVideoList"})
	srv.Clock().Advance(time.Hour)
	require.NotZero(t, c.ok(t, http.MethodGet, "state", "")["FileBytes"])

	c.ok(t, http.MethodPost, "reset", "{}")
	state := c.ok(t, http.MethodGet, "state", "")
	for name, n := range state["Totals"].(map[string]any) {
		require.Equal(t, map[bool]float64{true: 1}[name == "Accounts"], n, name)
	}
	require.Zero(t, state["FileBytes"])
	require.Zero(t, state["MemoryBytes"])
	require.Equal(t, "0s", state["Ahead"])
	require.Equal(t, id, srv.Account().Id())
	require.Equal(t, bucket, srv.StorageBucket())
	require.Empty(t, srv.Jobs())
	require.Zero(t, srv.Calls("CreateUploadVideo"))
	api.ok(t, "CreateUploadVideo", "FileName", "a.mp4", "Title", "t")
	api.keys = user
	api.fails(t, 404, "InvalidAccessKeyId.NotFound", "GetVideoList")
	api.keys = other.Credentials()
	api.fails(t, 404, "InvalidAccessKeyId.NotFound", "GetVideoList")
	require.Error(t, b.PutObject(to.FileName, strings.NewReader("movie"))) // the credential went away
}

func TestListener_Serves(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "0.0.0.0:0")
	require.NoError(t, err)
	srv := mediatest.New(t, mediatest.Listener(l))
	require.True(t, strings.HasPrefix(srv.URL, "http://127.0.0.1:"), srv.URL)
	callerOf(srv, vodVersion).ok(t, "GetVideoList")
	srv.Close()
	_, err = l.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
}
