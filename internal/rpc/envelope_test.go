package rpc

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
)

// Code, message and request id survive whatever else is wrong with an error
// document.
func TestCall_ErrorDocuments(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"as documented":        `{"RequestId":"R-9","HostId":"h","Code":"Throttling.User","Message":"m","Recommend":"r"}`,
		"message as a list":    `{"RequestId":"R-9","Code":"Throttling.User","Message":["m"]}`,
		"all as lists":         `{"RequestId":["R-9"],"Code":["Throttling.User"],"Message":[["m"]]}`,
		"odd members":          `{"RequestId":"R-9","HostId":{"a":[1]},"Recommend":[1,2],"Code":"Throttling.User","Message":"m","AccessDeniedDetail":7}`,
		"detail is empty text": `{"AccessDeniedDetail":"","RequestId":"R-9","Code":"Throttling.User","Message":"m"}`,
		"detail is a list":     `{"AccessDeniedDetail":[],"RequestId":"R-9","Code":"Throttling.User","Message":"m"}`,
		"detail is text":       `{"AccessDeniedDetail":"no","RequestId":"R-9","Code":"Throttling.User","Message":"m"}`,
		"detail is null":       `{"AccessDeniedDetail":null,"RequestId":"R-9","Code":"Throttling.User","Message":"m"}`,
		"text after it":        `{"RequestId":"R-9","Code":"Throttling.User","Message":"m"} <!-- gateway -->`,
		"text before it":       `upstream said: {"RequestId":"R-9","Code":"Throttling.User","Message":"m"}`,
		"a page around it":     `<html><style>p { color: red }</style><script>var e = {"RequestId":"R-9","Code":"Throttling.User","Message":"m"};</script>`,
		"a byte order mark":    "\xef\xbb\xbf{\"RequestId\":\"R-9\",\"Code\":\"Throttling.User\",\"Message\":\"m\"}",
		"a callback":           `cb({"RequestId":"R-9","Code":"Throttling.User","Message":"m"});`,
		"in a string":          `"{\"RequestId\":\"R-9\",\"Code\":\"Throttling.User\",\"Message\":\"m\"}"`,
		"in a list":            `[{"RequestId":"R-9","Code":"Throttling.User","Message":"m"}]`,
		"lower case":           `{"requestId":"R-9","code":"Throttling.User","message":"m"}`,
		"with underscores":     `{"request_id":"R-9","error_code":"Throttling.User","error_msg":"m"}`,
		"other names":          `{"RequestID":"R-9","ErrorCode":"Throttling.User","ErrorMessage":"m"}`,
		"within Error":         `{"RequestId":"R-9","Error":{"Code":"Throttling.User","Message":"m"}}`,
		"within error, whole":  `{"error":{"requestId":"R-9","code":"Throttling.User","message":"m"}}`,
		"within data":          `{"data":{"RequestId":"R-9","Code":"Throttling.User","Message":"m"},"RequestId":""}`,
		"within Response":      `{"Response":{"Error":{"Code":"Throttling.User","Message":"m"},"RequestId":"R-9"}}`,
		"within errors":        `{"RequestId":"R-9","errors":[{"code":"Throttling.User","message":"m"}]}`,
		"within text":          `{"RequestId":"R-9","error":"{\"code\":\"Throttling.User\",\"message\":\"m\"}"}`,
		"cut in an escape":     `{"RequestId":"R-9","Code":"Throttling.User","Message":"m\u00`,
		"cut off":              `{"RequestId":"R-9","Code":"Throttling.User","Message":"m`,
		"cut off earlier":      `{"RequestId":"R-9","Message":"m","Code":"Throttling.User","Recom`,
		"cut off in a list":    `{"RequestId":"R-9","Message":"m","Code":"Throttling.User","X":[{"a":`,
		"twice":                `{"RequestId":"R-9","Code":"Throttling.User","Message":"m"}{"Code":"X","Message":"y"}`,
		"XML":                  "<?xml version=\"1.0\"?>\n<Error><RequestId>R-9</RequestId><HostId>h</HostId><Code>Throttling.User</Code><Message>m</Message></Error>",
		"XML with namespaces":  `<e:Error xmlns:e="urn:x"><e:RequestId>R-9</e:RequestId><e:Code>Throttling.User</e:Code><e:Message>m</e:Message></e:Error>`,
		"XML of another root":  `<ErrorResponse xmlns="urn:x"><Error><Code>Throttling.User</Code><Message>m</Message></Error><RequestId>R-9</RequestId></ErrorResponse>`,
		"XML, lower case":      `<error><requestid>R-9</requestid><code>Throttling.User</code><message>m</message></error>`,
		"XML in GBK":           "<?xml version=\"1.0\" encoding=\"GBK\"?><Error><RequestId>R-9</RequestId><Code>Throttling.User</Code><Message>m</Message><X>\xb5\xe7</X></Error>",
		"XML with text":        `junk <Error><RequestId>R-9</RequestId><Code>Throttling.User</Code><Message>m</Message></Error> junk`,
		"XML cut off":          `<Error><RequestId>R-9</RequestId><Code>Throttling.User</Code><Message>m</Message><Host`,
		"XML with odd markup":  `<Error><RequestId>R-9</RequestId><br><Code><![CDATA[Throttling.User]]></Code><Message>m</Message>&nbsp;</Error>`,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, s := scripted(t, response(400, body), ok())
				_, err := call(t, c, unsafeOp, nil)
				require.NoError(t, err)
				require.Len(t, s.seen, 2, "throttling is repeated")
			})
			c, _ := scripted(t, response(400, body))
			c = c.With(func(cfg *alimedia.Config) { cfg.Retry.MaxAttempts = 1 })
			_, err := call(t, c, unsafeOp, nil)
			var e *alimedia.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, []string{"Throttling.User", "m", "R-9"}, []string{e.Code, e.Message, e.RequestId})
		})
	}
}

func TestCall_AccessDeniedDetail(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"object": `{"Code":"NoPermission","Message":"m","AccessDeniedDetail":{"AuthAction":"vod:X","Deep":{"Password":"hidden","List":["a",7]}}}`,
		"text":   `{"Code":"NoPermission","Message":"m","AccessDeniedDetail":"{\"AuthAction\":\"vod:X\",\"Deep\":{\"Password\":\"hidden\",\"List\":[\"a\",7]}}"}`,
	} {
		c, _ := scripted(t, response(403, body))
		_, err := call(t, c, unsafeOp, nil)
		var e *alimedia.Error
		require.ErrorAs(t, err, &e, name)
		require.Equal(t, "vod:X", e.AccessDeniedDetail["AuthAction"])
		require.NotContains(t, e.AccessDeniedDetail["Deep"], "hidden")
		require.True(t, alimedia.IsAccessDenied(err))
	}
	c, _ := scripted(t, response(403, `<Error><Code>X</Code><AccessDeniedDetail><AuthAction>vod:X</AuthAction></AccessDeniedDetail></Error>`),
		failure(403, "Forbidden.IllegalStatus"), failure(403, "Forbidden.ResourceNotEmpty"))
	_, err := call(t, c, unsafeOp, nil)
	require.True(t, alimedia.IsAccessDenied(err))
	for range 2 {
		_, err = call(t, c, unsafeOp, nil)
		require.False(t, alimedia.IsAccessDenied(err))
		require.NotContains(t, err.Error(), "RAM action")
	}
}

func TestCall_RetryAfter(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		status    int
		code      string
		header    map[string]string
		want      time.Duration
		throttled bool
	}{
		{"milliseconds", 403, "Forbidden.RAM", map[string]string{"x-acs-retry-after": "1500"}, 1500 * time.Millisecond, true},
		{"zero", 403, "Forbidden.RAM", map[string]string{"x-acs-retry-after": "0"}, 0, false},
		{"negative", 403, "X", map[string]string{"x-acs-retry-after": "-5"}, 0, false},
		{"seconds", 400, "X", map[string]string{"Retry-After": "3"}, 3 * time.Second, true},
		{"a date", 400, "X", map[string]string{"Retry-After": "Fri, 02 Jan 2026 03:04:10 GMT", "Date": "Fri, 02 Jan 2026 03:04:05 GMT"}, 5 * time.Second, true},
		{"of a failure", 503, "X", map[string]string{"Retry-After": "3"}, 3 * time.Second, false},
		{"older header of a throttled call", 400, "Throttling", map[string]string{"x-ratelimit-user": "Remain:0,TimeLeft:2000"}, 2 * time.Second, true},
		{"older header of another", 403, "Forbidden", map[string]string{"x-ratelimit-user": "Remain:5,TimeLeft:2000"}, 0, false},
		{"not for ever", 400, "Throttling", map[string]string{"x-acs-retry-after": "99999999999999"}, time.Hour, true},
	} {
		st := failure(tt.status, tt.code)
		st.header = tt.header
		c, _ := scripted(t, st)
		c = c.With(func(cfg *alimedia.Config) { cfg.Retry.MaxAttempts = 1 })
		_, err := call(t, c, readOp, nil)
		var e *alimedia.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, tt.want, e.RetryAfter, tt.name)
		require.Equal(t, tt.throttled, alimedia.IsThrottled(err), tt.name)
	}
}

// What is large or hostile is bounded, and the rest survives it.
func TestCall_B62_HostileErrorDocuments(t *testing.T) {
	long := strings.Repeat("x", 22<<20)
	var members strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&members, `"k%d":{},`, i)
	}
	for name, body := range map[string]string{
		"a long message":      `{"Message":"` + long + `","Code":"Throttling.User","RequestId":"R-9"}`,
		"a long code":         `{"Code":"Throttling.User.` + long + `","RequestId":"R-9"}`,
		"beyond the limit":    `{"Code":"Throttling.User","RequestId":"R-9","Message":"` + long,
		"deep":                `{"Code":"Throttling.User","RequestId":"R-9","Error":` + strings.Repeat(`{"Error":`, 1<<20),
		"deep lists":          `{"Code":"Throttling.User","RequestId":"R-9","Message":` + strings.Repeat(`[`, 1<<20) + strings.Repeat(`]`, 1<<20) + `}`,
		"many members":        `{"Code":"Throttling.User","RequestId":"R-9"` + strings.Repeat(`,"a":1`, 1<<18) + `}`,
		"a large detail":      `{"Code":"Throttling.User","RequestId":"R-9","AccessDeniedDetail":{` + members.String() + `"b":1}}`,
		"many beginnings":     strings.Repeat("{", 1<<20) + `{"Code":"Throttling.User","RequestId":"R-9"}`,
		"attributes":          `<Error ` + strings.Repeat(`a="" `, 1<<20) + `><Code>Throttling.User</Code>`,
		"many elements":       `<Error><Code>Throttling.User</Code><RequestId>R-9</RequestId>` + strings.Repeat("<a>", 1<<20),
		"entities":            `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Error><Code>Throttling.User</Code><RequestId>R-9</RequestId></Error>`,
		"backslashes":         `{"Code":"Throttling.User","RequestId":"R-9","Message":"` + strings.Repeat(`\\`, 1<<20) + `"}`,
		"titles without ends": strings.Repeat("<title>", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := scripted(t, response(400, body))
			c = c.With(func(cfg *alimedia.Config) {
				cfg.Retry.MaxAttempts = 1
				if name == "beyond the limit" {
					cfg.MaxResponseBytes = 1 << 20
				}
			})
			_, err := call(t, c, unsafeOp, nil)
			var e *alimedia.Error
			require.ErrorAs(t, err, &e)
			require.LessOrEqual(t, len(err.Error()), 1024)
			require.LessOrEqual(t, len(e.Message), 1024)
			require.LessOrEqual(t, len(e.AccessDeniedDetail), 32)
			require.Equal(t, name == "a large detail", len(e.AccessDeniedDetail) > 0)
			switch name {
			case "attributes", "titles without ends", "many beginnings":
			default:
				require.True(t, alimedia.IsThrottled(err))
				require.Equal(t, "R-9", e.RequestId)
			}
		})
	}
}
