package mediatest

import (
	"context"
	"encoding/hex"
	"hash/crc64"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// The first vector is the one Alibaba publishes for ACS3-HMAC-SHA256; the
// others were computed independently of any Go code.
func TestACS3_Vectors(t *testing.T) {
	t.Parallel()
	const (
		date   = "2023-10-26T10:22:32Z"
		nonce  = "3156853299f313e23d1673dc12e1703d"
		secret = "YourAccessKeySecret"
	)
	tests := map[string]struct {
		host, action, version, token string
		query                        url.Values
		canonical, signature         string
	}{
		"published": {
			host: "ecs.cn-shanghai.aliyuncs.com", action: "RunInstances", version: "2014-05-26",
			query:     url.Values{"ImageId": {"win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"}, "RegionId": {"cn-shanghai"}},
			canonical: "7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259",
			signature: "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0",
		},
		"every kind of character": {
			host: "ice.cn-shanghai.aliyuncs.com", action: "RegisterMediaStream", version: "2020-11-09",
			query: url.Values{
				"InputURL": {"oss://example-bucket/a b*c~d+接口.aac"}, "MediaId": {"5e778ec0027b71ed80a8909598506302"}, "StreamTags": {""},
				"UserData": {`{"MessageCallback":{"CallbackURL":"http://test.test.com"},"Extend":{"localId":"xxx"}}`},
			},
			canonical: "113ef8f297145a3ad5f718ac56bd8ad768e08f80ed6c0e467dd120d54803a9c6",
			signature: "a76f627e6e80534f2cded8080d59fd5c5bfd12a17ec97f990d86881d2ebe10ff",
		},
		"security token": {
			host: "ice.cn-shanghai.aliyuncs.com", action: "RegisterMediaStream", version: "2020-11-09", token: "STS-TOKEN",
			query:     url.Values{"MediaId": {"abc"}},
			canonical: "18b122e9e11853bda8f2bc0730caa3ef3ed5fbcea7b027e343a8833635aff5b6",
			signature: "3d3da5490fc6d0c254f8efb1e6df4e5c27fac369247d91f8b10d907b94f68aec",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := http.NewRequest(http.MethodPost, "https://"+test.host+"/?"+test.query.Encode(), nil)
			require.NoError(t, err)
			signed := []string{"host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version"}
			r.Header.Set("x-acs-action", test.action)
			r.Header.Set("x-acs-version", test.version)
			r.Header.Set("x-acs-date", date)
			r.Header.Set("x-acs-signature-nonce", nonce)
			r.Header.Set("x-acs-content-sha256", emptyHash)
			if test.token != "" {
				r.Header.Set("x-acs-security-token", test.token)
				signed = append(signed, "x-acs-security-token")
			}
			canonical := acs3Request(r, signed, emptyHash)
			require.Equal(t, test.canonical, hexSHA256([]byte(canonical)), canonical)
			require.Equal(t, test.signature, hex.EncodeToString(hmacSHA256([]byte(secret), acs3StringToSign(canonical))))
		})
	}
}

// The vector of Alibaba's OSS documentation.
func TestOSSV1_Vector(t *testing.T) {
	t.Parallel()
	r, err := http.NewRequest(http.MethodPut, "http://oss-example.oss-cn-hangzhou.aliyuncs.com/nelson", nil)
	require.NoError(t, err)
	r.Header.Set("Content-MD5", "ODBGOERFMDMzQTczRUY3NUE3NzA5QzdFNUYzMDQxNEM=")
	r.Header.Set("Content-Type", "text/html")
	r.Header.Set("Date", "Thu, 17 Nov 2005 18:49:58 GMT")
	r.Header.Set("X-OSS-Meta-Author", "foo@bar.com")
	r.Header.Set("X-OSS-Magic", "abracadabra")
	toSign := ossV1StringToSign(r, nil, "oss-example", "nelson")
	require.Equal(t, "26NBxoKdsyly4EDv6inkoDft/yA=", ossV1Signature("OtxrzxIsfpFjA7SwPzILwy8Bw21TLhquhboDYROV", toSign), toSign)
}

// The vector that Alibaba's second Go client tests itself with.
func TestOSSV4_Vector(t *testing.T) {
	t.Parallel()
	query := "%2Bparam1=value3&%2Bparam2&%7Cparam1=value4&%7Cparam2&param1=value1&param2"
	r, err := http.NewRequest(http.MethodPut, "http://bucket.oss-cn-hangzhou.aliyuncs.com/1234%2B-/123/1.txt?"+query, nil)
	require.NoError(t, err)
	for name, value := range map[string]string{
		"x-oss-head1": "value", "abc": "value", "ZAbc": "value", "XYZ": "value", "content-type": "text/plain",
		"x-oss-content-sha256": "UNSIGNED-PAYLOAD", "x-oss-date": "20231216T162057Z",
	} {
		r.Header.Set(name, value)
	}
	canonical := ossV4Request(r, "bucket", "1234+-/123/1.txt", nil)
	toSign := ossV4StringToSign("20231216T162057Z", "20231216/cn-hangzhou/oss/aliyun_v4_request", canonical)
	require.Equal(t, "e21d18daa82167720f9b1047ae7e7f1ce7cb77a31e8203a7d5f4624fa0284afe",
		ossV4Signature("sk", "20231216", "cn-hangzhou", toSign), canonical)
}

func TestPercentEncode(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"azAZ09-_.~": "azAZ09-_.~", " ": "%20", "*": "%2A", "+": "%2B", "/": "%2F", "=&": "%3D%26", "口": "%E5%8F%A3", "\x00\xff": "%00%FF", "": "",
	} {
		require.Equal(t, want, percentEncode(in), in)
	}
}

func TestCombineCRC(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, 3000)
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	whole := crc64.Checksum(data, crcTable)
	for _, cut := range []int{0, 1, 7, 8, 9, 1000, 2999, 3000} {
		a, b := crc64.Checksum(data[:cut], crcTable), crc64.Checksum(data[cut:], crcTable)
		require.Equal(t, whole, combineCRC(a, b, int64(len(data)-cut)), cut)
	}
}

func TestSparseCRC(t *testing.T) {
	t.Parallel()
	data := make([]byte, 300<<10)
	for _, at := range []int{0, 5, 40 << 10, 40<<10 + 1023, 200 << 10, len(data) - 1} {
		data[at] = byte(at) | 1
	}
	for _, chunk := range []int{1, 1023, 1024, 4096, 32 << 10, 32<<10 + 1, len(data)} {
		var c sparseCRC
		for rest := data; len(rest) > 0; {
			n, err := c.Write(rest[:min(chunk, len(rest))])
			require.NoError(t, err)
			rest = rest[n:]
		}
		require.Equal(t, crc64.Checksum(data, crcTable), c.sum, chunk)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("口", 42) // 126 bytes
	for _, test := range []struct {
		rule, value string
		want        bool
	}{
		{"128b", long + "ab", true},
		{"128b", long + "abc", false},
		{"128r", strings.Repeat("口", 128), true},
		{"128r", strings.Repeat("口", 129), false},
		{"2x3b", "abc,口", true},
		{"2x3b", "abc,口a", false},
		{"2x3r", "abc,口口口", true},
		{"2x3b", "a,b,c", false},
		{"id", "", true},
		{"id", "abc-_1", true},
		{"id", "abcde", false},
		{"id", strings.Repeat("a", 64), true},
		{"id", strings.Repeat("a", 65), false},
		{"id", "abc def", false},
	} {
		require.Equal(t, test.want, keeps(test.rule, test.value), test)
	}
}

func TestLocate(t *testing.T) {
	t.Parallel()
	s := Start(InMemory())
	t.Cleanup(s.Close)
	s.CreateBucket("own")
	for address, want := range map[string]string{
		"http://own.oss-cn-shanghai.aliyuncs.com/a.mp4":             "own a.mp4",
		"https://own.oss-cn-shanghai.aliyuncs.com/d/%E5%8F%A3+.mp4": "own d/口+.mp4",
		"https://own.oss-cn-shanghai-internal.aliyuncs.com/a":       "own a",
		"oss://own/d/a b?c#d%20.mp4":                                "own d/a b?c#d%20.mp4",
		"http://own.oss-cn-beijing.aliyuncs.com/a.mp4":              "",
		"http://own.oss-cn-shanghai.aliyuncs.com/a.mp4?Expires=1":   "",
		"http://own.oss-cn-shanghai.aliyuncs.com/":                  "",
		"http://u:p@own.oss-cn-shanghai.aliyuncs.com/a":             "",
		"http://example.com/a.mp4":                                  "",
		"ftp://own.oss-cn-shanghai.aliyuncs.com/a.mp4":              "",
		"oss://own": "",
		"":          "",
	} {
		bucket, key, ok := s.locate(address)
		require.Equal(t, want != "", ok, address)
		if ok {
			require.Equal(t, want, bucket+" "+key)
		}
	}
	bucket, key, ok := s.locate(s.ObjectURL("own", "d/口 +%?#.mp4"))
	require.True(t, ok)
	require.Equal(t, "own d/口 +%?#.mp4", bucket+" "+key)
}

func TestServer_Bounds(t *testing.T) {
	t.Parallel()
	s := Start(InMemory())
	t.Cleanup(s.Close)

	// The record keeps the latest requests.
	s.requests = make([]*Request, maxRequests)
	resp, err := s.HTTPClient().Get(s.URL)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Len(t, s.requests, maxRequests/2)
	require.NotNil(t, s.requests[len(s.requests)-1])

	// Objects stay within what the server keeps, and within what OSS takes.
	s.vault.stored = maxStored - 3
	for size, want := range map[int]error{3: nil, 4: errFull} {
		_, err := s.receive(httptest.NewRequest(http.MethodPut, "/b/k", strings.NewReader(strings.Repeat("x", size))))
		require.Equal(t, want, err)
	}
	r := httptest.NewRequest(http.MethodPut, "/b/k", strings.NewReader("x"))
	r.ContentLength = maxPut + 1
	_, err = s.receive(r)
	require.Equal(t, errTooLarge, err)

	// Nonces are kept as long as they can be replayed.
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	require.NoError(t, s.spendNonce("a", start))
	require.Error(t, s.spendNonce("a", start.Add(30*time.Minute)))
	require.NoError(t, s.spendNonce("b", start.Add(31*time.Minute)))
	require.Len(t, s.nonces, 1)
}

func TestICEStatus(t *testing.T) {
	t.Parallel()
	for vod, ice := range map[string]string{
		"Uploading": "Init", "UploadSucc": "Preparing", "Transcoding": "Preparing", "UploadFail": "PrepareFail", "TranscodeFail": "PrepareFail",
		"Normal": "Normal", "Blocked": "Blocked",
	} {
		require.Equal(t, ice, iceStatus(vod))
	}
}

func TestLifetime(t *testing.T) {
	t.Parallel()
	require.Equal(t, "3600", lifetime(3000*time.Second)) // as the service writes it
	require.Equal(t, "60", lifetime(time.Minute))
}

func TestPipe_DialEnds(t *testing.T) {
	t.Parallel()
	l := newPipeListener()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := l.dial(ctx, "tcp", "x")
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, l.Close())
	_, err = l.dial(t.Context(), "tcp", "x")
	require.ErrorIs(t, err, net.ErrClosed)
}
