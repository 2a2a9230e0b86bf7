package mns

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// The sample of the reference prints the signature without its last characters.
// https://help.aliyun.com/document_detail/175633.htm
func TestStringToSign_PublishedVector(t *testing.T) {
	t.Parallel()
	h := http.Header{}
	h.Set("Date", "Thu, 09 Jul 2015 03:01:34 GMT")
	h.Set("x-mns-version", "2015-06-06")
	text := stringToSign(http.MethodGet, h, "/MyQueue")
	require.Equal(t, "GET\n\n\nThu, 09 Jul 2015 03:01:34 GMT\nx-mns-version:2015-06-06\n/MyQueue", text)
	mac := hmac.New(sha1.New, []byte("TestAccessSecret"))
	mac.Write([]byte(text))
	require.Regexp(t, `^uwx3yeWoILzgmvesW0BQSgfM`, base64.StdEncoding.EncodeToString(mac.Sum(nil)))

	h.Set("X-Mns-B", "2")
	h.Set("Content-Md5", "m")
	h.Set("Content-Type", "text/xml")
	require.Equal(t, "PUT\nm\ntext/xml\nThu, 09 Jul 2015 03:01:34 GMT\nx-mns-b:2\nx-mns-version:2015-06-06\n/q?ReceiptHandle=a%2Bb", stringToSign(http.MethodPut, h, "/q?ReceiptHandle=a%2Bb"))
}
