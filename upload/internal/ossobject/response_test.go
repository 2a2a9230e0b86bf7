package ossobject

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
	"github.com/stretchr/testify/require"
)

func TestObject_B09_RetryAfterADate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := &Object{clock: new(transfer.Clock)}
		var r *transfer.ServiceError
		at := time.Now().Add(40 * time.Second).UTC().Format(http.TimeFormat)
		require.ErrorAs(t, o.serviceError(&response{status: 503, header: http.Header{"Retry-After": {at}}}), &r)
		require.Equal(t, 40*time.Second, r.API.RetryAfter)
	})
}

func TestReadErrorDocument(t *testing.T) {
	t.Parallel()
	want := errorDocument{code: "AccessDenied", message: "no & never", requestID: "R", hostID: "H", ec: "0003", serverTime: "2026-01-02T03:04:05.000Z"}
	for name, text := range map[string]string{
		"OSS":                    `<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>no &amp; never</Message><RequestId>R</RequestId><HostId>H</HostId><EC>0003</EC><ServerTime>2026-01-02T03:04:05.000Z</ServerTime></Error>`,
		"lower case":             `<error><code>AccessDenied</code><message>no &amp; never</message><requestid>R</requestid><hostid>H</hostid><ec>0003</ec><servertime>2026-01-02T03:04:05.000Z</servertime></error>`,
		"BOM, text":              "\xef\xbb\xbf\n<Error><Code><![CDATA[AccessDenied]]></Code><Message>no &amp; never</Message><RequestId>R</RequestId><HostId>H</HostId><EC>0003</EC><ServerTime>2026-01-02T03:04:05.000Z</ServerTime></Error> and more <b>",
		"other charset, cut off": `<?xml version="1.0" encoding="GBK"?><Error xmlns="urn:x"><Code> AccessDenied </Code><Message>no &amp; never</Message><RequestId>R</RequestId><HostId>H</HostId><EC>0003</EC><ServerTime>2026-01-02T03:04:05.000Z</ServerTime><Ser`,
		"nested":                 `<ErrorResponse><Error><Code>AccessDenied</Code><Message>no &amp; never</Message><HostId>H</HostId><EC>0003</EC><ServerTime>2026-01-02T03:04:05.000Z</ServerTime></Error><RequestId>R</RequestId></ErrorResponse>`,
		"JSON":                   `{"Code":"AccessDenied","message":"no & never","RequestId":"R","HostId":"H","EC":"0003","ServerTime":"2026-01-02T03:04:05.000Z"} trailing`,
		"JSON in it":             `{"error":{"code":"AccessDenied","Message":["no & never"],"requestId":"R","hostId":"H","ec":"0003","serverTime":"2026-01-02T03:04:05.000Z"}}`,
	} {
		require.Equal(t, want, readErrorDocument([]byte(text)), name)
	}
	for _, text := range []string{"", "plain", "<html><code>x</code></html>", "<!DOCTYPE html><html><body><code>x", "[]", "{", "null", strings.Repeat("<a>", 1<<20)} {
		require.Zero(t, readErrorDocument([]byte(text)))
	}
}

// TestObject_B62_ElementsAreCounted: a list has no more elements than OSS lists.
func TestObject_B62_ElementsAreCounted(t *testing.T) {
	t.Parallel()
	for n, ok := range map[int]bool{transfer.MaxParts: true, transfer.MaxParts + 1: false} {
		var doc struct{ Part boundedList[struct{}] }
		err := xml.Unmarshal([]byte("<List>"+strings.Repeat("<Part/>", n)+"</List>"), &doc)
		require.Equal(t, ok, err == nil)
		require.LessOrEqual(t, len(doc.Part), transfer.MaxParts)
	}
}

// answering is a transport that gives one response to every request.
type answering struct {
	status int
	body   string
}

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		r.Body.Close()
	}
	h := http.Header{"X-Oss-Request-Id": {"R"}, "Etag": {`"E"`}, "X-Oss-Hash-Crc64ecma": {"1"}}
	return &http.Response{StatusCode: a.status, Header: h, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}, nil
}

func objectOf(t *testing.T, a answering) transfer.Object {
	c := NewClient(Config{HTTPClient: &http.Client{Transport: a}})
	o, err := c.Opener(Address{Endpoint: "https://oss-cn-shanghai.aliyuncs.com", Bucket: "bucket", Key: "key"}, "cn-shanghai", Headers{})(credentials.Credentials{AccessKeyId: "id", AccessKeySecret: "secret"})
	require.NoError(t, err)
	return o
}

// TestObject_B62_PartNumbersRise: also within a page and from one page to the
// next.
func TestObject_B62_PartNumbersRise(t *testing.T) {
	t.Parallel()
	page := func(numbers ...int) string {
		text := "<ListPartsResult><UploadId>U</UploadId><IsTruncated>false</IsTruncated>"
		for _, n := range numbers {
			text += fmt.Sprintf("<Part><PartNumber>%d</PartNumber><ETag>e</ETag><Size>1</Size></Part>", n)
		}
		return text + "</ListPartsResult>"
	}
	for _, tt := range []struct {
		after   int
		numbers []int
		ok      bool
	}{
		{0, []int{1, 2, 9}, true}, {0, []int{2, 1}, false}, {0, []int{1, 1}, false}, {5, []int{5, 6}, false}, {5, []int{6}, true}, {0, []int{0}, false}, {0, []int{10_001}, false},
	} {
		parts, next, err := objectOf(t, answering{200, page(tt.numbers...)}).ListParts(t.Context(), "U", tt.after)
		if tt.ok {
			require.NoError(t, err, tt)
			require.Len(t, parts, len(tt.numbers))
			require.Zero(t, next)
		} else {
			require.ErrorIs(t, err, transfer.ErrUnproven, tt)
		}
	}
}

// TestObject_B62_LongResponse: a response with more bytes than OSS ever sends is no
// success, whatever its headers say.
func TestObject_B62_LongResponse(t *testing.T) {
	t.Parallel()
	for size, ok := range map[int]bool{0: true, maxOther: true, maxOther + 1: false, maxResponse + 10: false} {
		_, err := objectOf(t, answering{200, strings.Repeat(" ", size)}).Put(t.Context(), strings.NewReader("x"), 1)
		if ok {
			require.NoError(t, err, size)
		} else {
			require.ErrorIs(t, err, transfer.ErrUnproven, size)
		}
	}
}
