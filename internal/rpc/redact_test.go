package rpc

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode"

	"github.com/alibabacloud-go/tea/tea"
	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/internal/redact"
)

// What a response must not show, in a request that has all kinds of secrets.
const (
	secretKey      = `k3y/SECRET+of="account"&1`
	secretToken    = `t0ken/CAIS+abc=="<x>`
	secretTyped    = `typed+pass/word=="1"`
	secretDocument = `document+pass/word==`
	secretNamed    = `named+pass/word==`
	secretRaw      = `raw+pass/word==`
	secretText     = `text+pass/word==`
	secretInner    = `inner+key/of==credential`
)

type secretiveRequest struct {
	Title    string
	SSLPri   alimedia.Secret
	Config   map[string]any `rpc:",json"`
	Document json.RawMessage
	Password string        `rpc:",form"`
	Raw      alimedia.JSON `rpc:",json"`
}

var secretive = secretiveRequest{
	Title: "t", SSLPri: secretTyped, Config: map[string]any{"Deep": []any{map[string]any{"PlayKey": secretDocument}}},
	Document: json.RawMessage(`{"AuthKey":"` + secretRaw + `"}`), Password: secretNamed,
	Raw: `{"Play":[{"PlayKey":"` + secretText + `"}]}`,
}

// echo answers every request with what reply makes of it.
type echo func(*http.Request) *http.Response

func (e echo) RoundTrip(r *http.Request) (*http.Response, error) { return e(r), nil }

func plainResponse(status int, body string, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h[http.CanonicalHeaderKey(header[i])] = []string{header[i+1]}
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}
}

func quoted(s string) string {
	data, _ := json.Marshal(s)
	return strings.Trim(string(data), `"`)
}

func inXML(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}

var escapes = map[string]func(string) string{
	"plain": func(s string) string { return s }, "query": url.QueryEscape, "path": url.PathEscape, "html": html.EscapeString, "json": quoted,
	"query twice": func(s string) string { return url.QueryEscape(url.QueryEscape(s)) },
	"json twice":  func(s string) string { return quoted(quoted(s)) },
	"html twice":  func(s string) string { return html.EscapeString(html.EscapeString(s)) },
}

var envelopeMembers = []string{"Code", "Message", "RequestId", "HostId", "Recommend", "Description", "AccessDeniedDetail", "Unknown"}

// documents are responses with text in one place.
var documents = func() map[string]func(text string) *http.Response {
	all := map[string]func(string) *http.Response{
		"page": func(text string) *http.Response {
			return plainResponse(502, "<html><title>"+text+"</title><body>"+text+"</body></html>", "Content-Type", "text/html")
		},
		"words": func(text string) *http.Response { return plainResponse(500, "trace: "+text) },
		"kind":  func(text string) *http.Response { return plainResponse(500, "x", "Content-Type", text) },
		"kind of": func(text string) *http.Response {
			return plainResponse(500, "x", "Content-Type", `text/plain; x="`+text+`"`)
		},
		"id":         func(text string) *http.Response { return plainResponse(400, `{"Code":"X"}`, "x-acs-request-id", text) },
		"id of 200":  func(text string) *http.Response { return plainResponse(200, `{}`, "x-acs-request-id", text) },
		"id of page": func(text string) *http.Response { return plainResponse(200, `<html>`, "x-acs-request-id", text) },
		"unproven": func(text string) *http.Response {
			return plainResponse(200, `{"RequestId":"`+quoted(text)+`","Other":"`+quoted(text)+`"}`)
		},
		"half": func(text string) *http.Response { return plainResponse(200, `{"MediaId":"`+quoted(text)) },
		"odd field": func(text string) *http.Response {
			return plainResponse(200, `{"MediaId":{"`+quoted(text)+`":"`+quoted(text)+`"}}`)
		},
		"large": func(text string) *http.Response {
			return plainResponse(200, `{"MediaId":"`+strings.Repeat(quoted(text), 1<<12)+`"}`)
		},
		"create": func(text string) *http.Response {
			return plainResponse(502, "\xef\xbb\xbf"+`{"RequestId":"R","MediaId":"v","UploadAuth":"`+quoted(text)+`"}`)
		},
		"signature": func(text string) *http.Response {
			return plainResponse(400, `{"Code":"SignatureDoesNotMatch","Message":"no, `+quoted(text)+`, server string to sign is: `+quoted(text)+`"}`)
		},
	}
	for _, name := range envelopeMembers {
		value := func(text string) string {
			if text = `"` + quoted(text) + `"`; name == "AccessDeniedDetail" {
				return `{"A":` + text + `,"B":[{` + text + `:` + text + `}]}`
			}
			return text
		}
		const code = `,"code":"NoPermission","message":"m"}`
		add := func(kind string, status int, body func(text string) string) {
			all[kind+" "+name] = func(text string) *http.Response { return plainResponse(status, body(text)) }
		}
		add("JSON", 403, func(text string) string { return `{"` + name + `":` + value(text) + code })
		add("JSON lower", 403, func(text string) string { return `{"` + strings.ToLower(name) + `":` + value(text) + code })
		add("verdict", 200, func(text string) string { return `{"Success":false,"` + name + `":` + value(text) + code })
		add("JSON nested", 403, func(text string) string { return `{"error":{"` + name + `":` + value(text) + code + `}` })
		add("JSON list", 403, func(text string) string { return `{"` + name + `":[` + value(text) + `,` + value(text) + `]` + code })
		add("JSON cut", 403, func(text string) string { return `{"Code":"X","` + name + `":` + strings.TrimRight(value(text), `"}]`) })
		add("XML", 403, func(text string) string {
			return `<Error><` + name + `>` + inXML(text) + `</` + name + `><Code>NoPermission</Code><Message>m</Message></Error>`
		})
		add("XML nested", 403, func(text string) string {
			return `<r:R><Error><` + name + `><A>` + inXML(text) + `</A></` + name + `><Code>NoPermission</Code></Error></r:R>`
		})
	}
	return all
}()

// shown is everything that a program may print of an error.
func shown(t *testing.T, err error) []string {
	t.Helper()
	var b bytes.Buffer
	slog.New(slog.NewTextHandler(&b, nil)).Error("x", "err", err)
	slog.New(slog.NewJSONHandler(&b, nil)).Error("x", "err", err)
	texts := []string{err.Error(), fmt.Sprintf("%v|%+v|%q|%s", err, err, err, err), fmt.Sprintf("%#v", err), b.String()}
	var walk func(error)
	walk = func(err error) {
		if err == nil {
			return
		}
		texts = append(texts, err.Error())
		switch e := err.(type) {
		case interface{ Unwrap() error }:
			walk(e.Unwrap())
		case interface{ Unwrap() []error }:
			for _, inner := range e.Unwrap() {
				walk(inner)
			}
		}
	}
	walk(err)
	var e *alimedia.Error
	if errors.As(err, &e) {
		data, jsonErr := json.Marshal(e)
		require.NoError(t, jsonErr)
		texts = append(texts, string(data), fmt.Sprintf("%+v %#v", *e, *e))
		var sdk *tea.SDKError
		require.ErrorAs(t, err, &sdk)
		texts = append(texts, sdk.Error(), tea.StringValue(sdk.Data), tea.StringValue(sdk.Message), fmt.Sprint(sdk.AccessDeniedDetail))
		for _, text := range []string{e.Code, e.Message, e.RequestId, e.HostId, e.Recommend, e.Description} {
			require.LessOrEqual(t, len(text), redact.MaxBytes)
			requireOneLine(t, text)
		}
	}
	require.LessOrEqual(t, len(err.Error()), redact.MaxBytes+len("; ")+len(alimedia.ErrOutcomeUnknown.Error()))
	requireOneLine(t, err.Error())
	return texts
}

func requireOneLine(t *testing.T, text string) {
	t.Helper()
	require.Equal(t, -1, strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }), "%q", text)
}

// Whatever a server repeats of a request, in whatever place and form, nothing
// of it is shown.
func TestCall_B60_EchoedSecrets(t *testing.T) {
	t.Parallel()
	secrets := map[string]func(*http.Request) string{
		"AccessKeySecret": func(*http.Request) string { return secretKey },
		"SecurityToken":   func(*http.Request) string { return secretToken },
		"typed":           func(*http.Request) string { return secretTyped },
		"in a document":   func(*http.Request) string { return secretDocument },
		"in raw JSON":     func(*http.Request) string { return secretRaw },
		"in JSON text":    func(*http.Request) string { return secretText },
		"by its name":     func(*http.Request) string { return secretNamed },
		"Authorization":   func(r *http.Request) string { return r.Header.Get("Authorization") },
		"signature": func(r *http.Request) string {
			_, signature, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
			return signature
		},
	}
	for name, secret := range secrets {
		for form, escape := range escapes {
			t.Run(name+" "+form, func(t *testing.T) {
				t.Parallel()
				for place, document := range documents {
					var told string
					var logged bytes.Buffer
					c, err := New(testService, alimedia.Config{
						Region: "cn-shanghai", Credentials: credentials.Static("LTAIexample", secretKey, secretToken),
						HTTPClient: &http.Client{Transport: echo(func(r *http.Request) *http.Response {
							told = escape(secret(r))
							return document("it is " + told + "\r\n\x1b[31mright? " + strings.Repeat("x", 100))
						})},
						Logger:           slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})),
						MaxResponseBytes: 1 << 16, SkipValidation: true,
					})
					require.NoError(t, err)
					op := Op{Action: "X", Proof: "MediaId"}
					if strings.HasPrefix(place, "verdict") {
						op.Verdict = "Success"
					}
					_, err = Call(t.Context(), c, op, secretive, new(mediaResponse))
					require.Error(t, err, place)
					for _, text := range append(shown(t, err), logged.String()) {
						require.NotContains(t, text, told, place)
						require.NotContains(t, text, told[:len(told)-3], place)
						require.NotContains(t, text, quoted(told), place)
					}
				}
			})
		}
	}
}

// The secrets of the response itself are masked where another member repeats
// them.
func TestCall_B60_SecretsOfTheResponse(t *testing.T) {
	t.Parallel()
	auth := base64.StdEncoding.EncodeToString([]byte(`{"AccessKeySecret":"` + secretInner + `"}`))
	for name, body := range map[string]string{
		"JSON":   `{"Code":"X","Message":"auth ` + auth + ` and ` + secretInner + `","UploadAuth":"` + auth + `"}`,
		"deep":   `{"Code":"X","Message":"auth ` + auth + ` and ` + secretInner + `","A":[{"B":{"UploadAuth":"` + auth + `"}}]}`,
		"text":   `{"Code":"X","Message":"auth ` + auth + ` and ` + secretInner + `","A":"{\"PlayAuth\":\"` + auth + `\"}"}`,
		"XML":    `<Error><UploadAuth>` + auth + `</UploadAuth><Code>X</Code><Message>auth ` + auth + ` and ` + secretInner + `</Message></Error>`,
		"before": `{"UploadAuth":"` + auth + `","Code":"X","Message":"auth ` + auth + ` and ` + secretInner + `"}`,
	} {
		c, _ := scripted(t, response(400, body))
		_, err := call(t, c, unsafeOp, nil)
		require.ErrorContains(t, err, "X (HTTP 400): auth *** and ***", name)
	}
}

// The text of a transport is as foreign as that of a response: it quotes what
// the server or a proxy sent, and URLs.
func TestCall_B60_TransportErrors(t *testing.T) {
	t.Parallel()
	for name, reply := range map[string]string{
		"status line": "HTTP/1.1 2x0 %s\r\n\r\n", "no HTTP": "%s\r\n\r\n", "header": "HTTP/1.1 200 OK\r\n%s\r\n\r\n",
		"length": "HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n", "encoding": "HTTP/1.1 200 OK\r\nTransfer-Encoding: %s\r\n\r\n",
		"chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%s\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			defer listener.Close()
			go func() {
				for {
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					_, _ = conn.Read(make([]byte, 1<<16))
					fmt.Fprintf(conn, reply, secretToken)
					_ = conn.Close()
				}
			}()
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			c, err := New(testService, alimedia.Config{Region: "cn-shanghai", Endpoint: "http://" + listener.Addr().String(), Credentials: credentials.Static("LTAI", secretKey, secretToken),
				HTTPClient: &http.Client{Transport: transport}, Retry: alimedia.Retry{MaxAttempts: 1}})
			require.NoError(t, err)
			_, err = call(t, c, unsafeOp, secretive)
			require.Error(t, err)
			for _, text := range shown(t, err) {
				require.NotContains(t, text, secretToken)
				require.NotContains(t, text, quoted(secretToken))
			}
		})
	}
	inner := &url.Error{Op: "Post", URL: "https://user:pass-word@proxy.example:1/x?Title=private&Signature=" + secretKey, Err: &net.OpError{Op: "dial", Err: errors.New("refused\nby " + secretToken)}}
	c, _ := scripted(t, step{err: fmt.Errorf("proxy http://u:pass-word@h: %w", inner)})
	c = c.With(func(cfg *alimedia.Config) {
		cfg.Credentials, cfg.Retry.MaxAttempts = credentials.Static("LTAI", secretKey, secretToken), 1
	})
	_, err := call(t, c, unsafeOp, nil)
	for _, text := range shown(t, err) {
		for _, hidden := range []string{"pass-word", "private", secretKey, secretToken} {
			require.NotContains(t, text, hidden)
		}
	}
	var op *net.OpError
	require.ErrorAs(t, err, &op, "what it is stays")
	var netErr net.Error
	require.ErrorAs(t, err, &netErr)
	require.NotErrorAs(t, err, new(*url.Error))
}

func TestCall_B60_CredentialsErrors(t *testing.T) {
	t.Parallel()
	c, _ := scripted(t)
	cause := errors.New("the server said:\n{\"SecurityToken\":\"hidden0123\"} " + strings.Repeat("x", 1<<20))
	c = c.With(func(cfg *alimedia.Config) { cfg.Credentials = broken{cause} })
	err := c.Do(t.Context(), readOp, nil, nil)
	require.ErrorIs(t, err, cause)
	require.NotContains(t, err.Error(), "hidden0123")
	require.LessOrEqual(t, len(err.Error()), redact.MaxBytes)
	requireOneLine(t, err.Error())
}

// Short text is no secret: masking it would spoil what programs compare.
func TestCall_ShortKeysLeaveCodesAlone(t *testing.T) {
	t.Parallel()
	c, _ := scripted(t, failure(403, "Forbidden.RAM"))
	c = c.With(func(cfg *alimedia.Config) { cfg.Credentials = credentials.Static("a", "b", "RAM") })
	_, err := call(t, c, unsafeOp, nil)
	require.True(t, alimedia.HasCode(err, "Forbidden.RAM"))
}
