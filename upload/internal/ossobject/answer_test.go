package ossobject

import (
	"encoding/xml"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alimedia/alimedia-go/upload/internal/transfer"
	"github.com/stretchr/testify/require"
)

func TestObject_B09_RetryAfterADate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := &Object{clock: new(transfer.Clock)}
		var r *transfer.ServiceError
		at := time.Now().Add(40 * time.Second).UTC().Format(http.TimeFormat)
		require.ErrorAs(t, o.serviceError(&answer{status: 503, header: http.Header{"Retry-After": {at}}}), &r)
		require.Equal(t, 40*time.Second, r.RetryAfter)
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
