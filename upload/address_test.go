package upload

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type object = map[string]any

var (
	sampleAddress = object{"Endpoint": "https://oss-cn-shanghai.aliyuncs.com", "Bucket": "outin-example", "FileName": "sv/a b/1.mp4"}
	sampleAuth    = object{
		"AccessKeyId": "STS.example", "AccessKeySecret": "secret", "SecurityToken": "token?>~",
		"Expiration": "3600", "ExpireUTCTime": "2026-01-02T03:50:00Z", "Region": "cn-shanghai",
	}
	sampleNow = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
)

func encode(t testing.TB, enc *base64.Encoding, v any) string {
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return enc.EncodeToString(text)
}

func with(base object, change object) object {
	out := maps.Clone(base)
	for k, v := range change {
		if v == nil {
			delete(out, k)
		} else {
			out[k] = v
		}
	}
	return out
}

func TestUpload_B38_DecodeTolerates(t *testing.T) {
	t.Parallel()
	std := base64.StdEncoding
	lower := func(o object) object {
		out := object{}
		for k, v := range o {
			out[strings.ToLower(k)] = v
		}
		return out
	}
	plain, auth := encode(t, std, sampleAddress), encode(t, std, sampleAuth)
	require.NotEqual(t, auth, encode(t, base64.URLEncoding, sampleAuth), "the sample must tell the alphabets apart")
	for name, in := range map[string][2]string{
		"regular":      {plain, auth},
		"swapped":      {auth, plain},
		"URL-safe":     {encode(t, base64.URLEncoding, sampleAddress), encode(t, base64.URLEncoding, sampleAuth)},
		"unpadded":     {encode(t, base64.RawStdEncoding, sampleAddress), encode(t, base64.RawURLEncoding, sampleAuth)},
		"white space":  {" " + plain[:20] + "\r\n" + plain[20:] + "\n", "\t" + auth},
		"key case":     {encode(t, std, lower(sampleAddress)), encode(t, std, lower(sampleAuth))},
		"unknown keys": {encode(t, std, with(sampleAddress, object{"ObjectPrefix": "sv/", "New": []int{1}})), auth},
		"no scheme":    {encode(t, std, with(sampleAddress, object{"Endpoint": "oss-cn-shanghai.aliyuncs.com"})), auth},
		"slash":        {encode(t, std, with(sampleAddress, object{"Endpoint": "https://oss-cn-shanghai.aliyuncs.com/"})), auth},
		"plain http":   {encode(t, std, with(sampleAddress, object{"Endpoint": "http://oss-cn-shanghai.aliyuncs.com"})), auth},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := decodePermit(in[0], in[1], sampleNow)
			require.NoError(t, err)
			require.Equal(t, address{"https://oss-cn-shanghai.aliyuncs.com", "outin-example", "sv/a b/1.mp4"}, p.address)
			require.Equal(t, "STS.example", p.keys.AccessKeyId)
			require.Equal(t, "secret", p.keys.AccessKeySecret)
			require.Equal(t, "token?>~", p.keys.SecurityToken)
			require.Equal(t, 45*time.Minute+55*time.Second, p.life)
		})
	}
}

func TestUpload_B38_DecodeRefuses(t *testing.T) {
	t.Parallel()
	address, auth := encode(t, base64.StdEncoding, sampleAddress), encode(t, base64.StdEncoding, sampleAuth)
	changed := func(change object) string { return encode(t, base64.StdEncoding, with(sampleAddress, change)) }
	for _, tt := range []struct{ name, address, auth, want string }{
		{"empty address", "", auth, "UploadAddress is empty"},
		{"empty auth", address, "  ", "UploadAuth is empty"},
		{"not Base64", "{}", auth, "UploadAddress is not Base64"},
		{"not JSON", base64.StdEncoding.EncodeToString([]byte("hello")), auth, "UploadAddress is not a JSON object"},
		{"null", base64.StdEncoding.EncodeToString([]byte("null")), auth, "UploadAddress is not a JSON object"},
		{"array", address, base64.StdEncoding.EncodeToString([]byte(`["secret"]`)), "UploadAuth is not a JSON object"},
		{"too long", strings.Repeat("A", maxDocument+1), auth, "longer than"},
		{"no fields", encode(t, base64.StdEncoding, object{}), encode(t, base64.StdEncoding, with(sampleAuth, object{"SecurityToken": nil})), "no Endpoint, Bucket, FileName, SecurityToken in"},
		{"empty token", address, encode(t, base64.StdEncoding, with(sampleAuth, object{"SecurityToken": ""})), "no SecurityToken in"},
		{"token of a wrong type", address, encode(t, base64.StdEncoding, with(sampleAuth, object{"SecurityToken": []string{"x"}})), "no SecurityToken in"},
		{"endpoint with path", changed(object{"Endpoint": "https://h.example/x"}), auth, "more than a scheme and a host"},
		{"endpoint with user", changed(object{"Endpoint": "https://me@h.example"}), auth, "more than a scheme and a host"},
		{"ftp", changed(object{"Endpoint": "ftp://h.example"}), auth, "neither https nor http"},
		{"http with port", changed(object{"Endpoint": "http://h.example:8080"}), auth, "is not https"},
		{"no host", changed(object{"Endpoint": "https://"}), auth, "is not a host"},
		{"odd host", changed(object{"Endpoint": "https://a_b c"}), auth, "is not a host"},
		{"bucket", changed(object{"Bucket": "Out/../in"}), auth, "bucket name"},
		{"key", changed(object{"FileName": "/etc/passwd"}), auth, "begins with a slash"},
		{"long key", changed(object{"FileName": strings.Repeat("k", 1024)}), auth, "1024 bytes, at most 1023"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := decodePermit(tt.address, tt.auth, sampleNow)
			require.ErrorIs(t, err, ErrAddress)
			require.ErrorContains(t, err, tt.want)
			require.NotContains(t, err.Error(), "secret")
			require.NotContains(t, err.Error(), "token?>~")
		})
	}
}

func TestUpload_B06_Expiration(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) string { return sampleNow.Add(d).Format(time.RFC3339) }
	for _, tt := range []struct {
		name   string
		change object
		want   time.Duration
	}{
		{"ExpireUTCTime wins", object{"ExpireUTCTime": at(time.Minute), "Expiration": "2000"}, time.Minute},
		{"seconds as a string", object{"ExpireUTCTime": nil, "Expiration": "1800"}, 1800 * time.Second},
		{"seconds as a number", object{"ExpireUTCTime": nil, "Expiration": 1800}, 1800 * time.Second},
		{"instant", object{"ExpireUTCTime": nil, "Expiration": at(20 * time.Minute)}, 20 * time.Minute},
		{"other key for the instant", object{"ExpireUTCTime": "", "Expiration": "2026-01-02 03:14:05"}, 10 * time.Minute},
		{"missing", object{"ExpireUTCTime": nil, "Expiration": nil}, credentialLife},
		{"never over 3000 s", object{"ExpireUTCTime": at(12 * time.Hour)}, credentialLife},
		{"never over 3000 s", object{"ExpireUTCTime": nil, "Expiration": "3600"}, credentialLife},
		{"our clock is ahead", object{"ExpireUTCTime": at(-time.Minute), "Expiration": "1800"}, 1800 * time.Second},
		{"our clock is ahead, no seconds", object{"ExpireUTCTime": at(-time.Minute), "Expiration": nil}, credentialLife},
		{"nonsense", object{"ExpireUTCTime": "soon", "Expiration": "-5"}, credentialLife},
		{"infinite", object{"ExpireUTCTime": nil, "Expiration": "1e300"}, credentialLife},
		{"not a number", object{"ExpireUTCTime": nil, "Expiration": "NaN"}, credentialLife},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := decodePermit(encode(t, base64.StdEncoding, sampleAddress), encode(t, base64.StdEncoding, with(sampleAuth, tt.change)), sampleNow)
			require.NoError(t, err)
			require.Equal(t, tt.want, p.life)
		})
	}
}

func FuzzDecodePermit(f *testing.F) {
	f.Add(encode(f, base64.StdEncoding, sampleAddress), encode(f, base64.StdEncoding, sampleAuth))
	f.Add(encode(f, base64.RawURLEncoding, sampleAuth), encode(f, base64.StdEncoding, sampleAddress))
	f.Add("", "e30=")
	f.Fuzz(func(t *testing.T, uploadAddress, uploadAuth string) {
		p, err := decodePermit(uploadAddress, uploadAuth, sampleNow)
		if err != nil {
			require.ErrorIs(t, err, ErrAddress)
			return
		}
		require.NoError(t, checkObject(p.Bucket, p.Key))
		require.NotEmpty(t, p.keys.SecurityToken)
		require.Positive(t, p.life)
		require.LessOrEqual(t, p.life, credentialLife)
		endpoint, err := parseEndpoint(p.Endpoint)
		require.NoError(t, err)
		require.Equal(t, endpoint, p.Endpoint)
		require.True(t, strings.HasPrefix(endpoint, "https://") || isLoopback(p.host()))
		_, err = openOSS(p.address, p.keys, ossOptions{region: regionOf(p.Endpoint)}, new(clock))
		require.NoError(t, err)
	})
}

// FuzzDecodePermitFields gets past the encoding.
func FuzzDecodePermitFields(f *testing.F) {
	f.Add("https://oss-cn-shanghai.aliyuncs.com", "outin-example", "sv/1.mp4", "3600")
	f.Add("http://127.0.0.1:80", "b-1", "a?b#c%20+", "2026-01-02T03:50:00Z")
	f.Add("[::1]:9000", "abc", "ключ", "")
	f.Fuzz(func(t *testing.T, endpoint, bucket, key, expiration string) {
		address := encode(t, base64.StdEncoding, object{"Endpoint": endpoint, "Bucket": bucket, "FileName": key})
		p, err := decodePermit(address, encode(t, base64.StdEncoding, with(sampleAuth, object{"Expiration": expiration})), sampleNow)
		if err != nil {
			require.ErrorIs(t, err, ErrAddress)
			return
		}
		again, err := parseEndpoint(p.Endpoint)
		require.NoError(t, err)
		require.Equal(t, again, p.Endpoint)
		_, err = openOSS(p.address, p.keys, ossOptions{region: regionOf(p.Endpoint)}, new(clock))
		require.NoError(t, err)
	})
}

func TestRegionOf(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"https://oss-cn-shanghai.aliyuncs.com":                       "cn-shanghai",
		"https://oss-cn-shanghai-internal.aliyuncs.com":              "cn-shanghai",
		"https://vpc100-oss-cn-beijing.aliyuncs.com":                 "cn-beijing",
		"https://OSS-ap-southeast-1.aliyuncs.com":                    "ap-southeast-1",
		"https://cn-hangzhou.oss.aliyuncs.com":                       "cn-hangzhou",
		"https://bucket.cn-hangzhou.oss.aliyuncs.com":                "cn-hangzhou",
		"http://outin-x.oss-us-west-1.aliyuncs.com/sv/1.mp4?a=oss-x": "us-west-1",
		"https://oss-accelerate.aliyuncs.com":                        "",
		"https://oss-accelerate-overseas.aliyuncs.com":               "",
		"https://media.example.com":                                  "",
		"https://oss-cn-shanghai.aliyuncs.com.evil.example":          "",
		"http://127.0.0.1:4000":                                      "",
		"":                                                           "",
	} {
		require.Equal(t, want, regionOf(url), url)
	}
}

func TestUpload_B36_FileURL(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"a/b.mp4":          "a/b.mp4",
		"a b+c%20#d?e.mp4": "a%20b%2Bc%2520%23d%3Fe.mp4",
		"接口🎬.mp4":          "%E6%8E%A5%E5%8F%A3%F0%9F%8E%AC.mp4",
	} {
		a := address{Endpoint: "https://oss-cn-shanghai.aliyuncs.com", Bucket: "media", Key: key}
		require.Equal(t, "https://media.oss-cn-shanghai.aliyuncs.com/"+want, a.fileURL())
		a.Endpoint = "http://127.0.0.1:8080"
		require.Equal(t, "http://127.0.0.1:8080/media/"+want, a.fileURL())
	}
}

func ExampleProgress() {
	fmt.Println(Progress{Name: "launch.mp4", Stage: StageSend, Sent: 8_400_000, Total: 20_000_000, Rate: 2.1e6, ETA: 6 * time.Second})
	fmt.Println(Progress{Name: "launch.mp4", Stage: StageComplete, Sent: 20_000_000, Total: 20_000_000})
	fmt.Println(Progress{Name: "camera", Stage: StageSend, Sent: 123_000, Total: UnknownSize})
	// Output:
	// launch.mp4  42 %  8.4/20.0 MB  2.1 MB/s  ETA 6s
	// launch.mp4  100 %  20.0/20.0 MB  complete
	// camera  123.0 kB
}
