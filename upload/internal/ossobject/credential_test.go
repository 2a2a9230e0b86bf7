package ossobject

import (
	"encoding/base64"
	"encoding/json"
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

func TestObject_B38_DecodeTolerates(t *testing.T) {
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
			p, err := decode(in[0], in[1], sampleNow)
			require.NoError(t, err)
			require.Equal(t, Address{"https://oss-cn-shanghai.aliyuncs.com", "outin-example", "sv/a b/1.mp4"}, p.Address)
			require.Equal(t, "STS.example", p.Issued.Credentials.AccessKeyId)
			require.Equal(t, "secret", p.Issued.Credentials.AccessKeySecret)
			require.Equal(t, "token?>~", p.Issued.Credentials.SecurityToken)
			require.Equal(t, 45*time.Minute+55*time.Second, p.Issued.Life)
		})
	}
}

func TestObject_B38_DecodeRefuses(t *testing.T) {
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
			_, err := decode(tt.address, tt.auth, sampleNow)
			require.ErrorIs(t, err, ErrAddress)
			require.ErrorContains(t, err, tt.want)
			require.NotContains(t, err.Error(), "secret")
			require.NotContains(t, err.Error(), "token?>~")
		})
	}
}

func TestObject_B06_Expiration(t *testing.T) {
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
		{"missing", object{"ExpireUTCTime": nil, "Expiration": nil}, defaultLife},
		{"never over 3000 s", object{"ExpireUTCTime": at(12 * time.Hour)}, defaultLife},
		{"never over 3000 s", object{"ExpireUTCTime": nil, "Expiration": "3600"}, defaultLife},
		{"our clock is ahead", object{"ExpireUTCTime": at(-time.Minute), "Expiration": "1800"}, 1800 * time.Second},
		{"our clock is ahead, no seconds", object{"ExpireUTCTime": at(-time.Minute), "Expiration": nil}, defaultLife},
		{"nonsense", object{"ExpireUTCTime": "soon", "Expiration": "-5"}, defaultLife},
		{"infinite", object{"ExpireUTCTime": nil, "Expiration": "1e300"}, defaultLife},
		{"not a number", object{"ExpireUTCTime": nil, "Expiration": "NaN"}, defaultLife},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := decode(encode(t, base64.StdEncoding, sampleAddress), encode(t, base64.StdEncoding, with(sampleAuth, tt.change)), sampleNow)
			require.NoError(t, err)
			require.Equal(t, tt.want, p.Issued.Life)
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(f, base64.StdEncoding, sampleAddress), encode(f, base64.StdEncoding, sampleAuth))
	f.Add(encode(f, base64.RawURLEncoding, sampleAuth), encode(f, base64.StdEncoding, sampleAddress))
	f.Add("", "e30=")
	f.Fuzz(func(t *testing.T, uploadAddress, uploadAuth string) {
		p, err := decode(uploadAddress, uploadAuth, sampleNow)
		if err != nil {
			require.ErrorIs(t, err, ErrAddress)
			return
		}
		require.NoError(t, CheckName(p.Bucket, p.Key))
		require.NotEmpty(t, p.Issued.Credentials.SecurityToken)
		require.Positive(t, p.Issued.Life)
		require.LessOrEqual(t, p.Issued.Life, defaultLife)
		endpoint, err := ParseEndpoint(p.Endpoint)
		require.NoError(t, err)
		require.Equal(t, endpoint, p.Endpoint)
		require.True(t, strings.HasPrefix(endpoint, "https://") || IsLoopback(p.Host()))
		_, err = NewClient(Config{}).Opener(p.Address, RegionOf(p.Endpoint), Headers{})(p.Issued.Credentials)
		require.NoError(t, err)
	})
}

// FuzzDecodeFields gets past the encoding.
func FuzzDecodeFields(f *testing.F) {
	f.Add("https://oss-cn-shanghai.aliyuncs.com", "outin-example", "sv/1.mp4", "3600")
	f.Add("http://127.0.0.1:80", "b-1", "a?b#c%20+", "2026-01-02T03:50:00Z")
	f.Add("[::1]:9000", "abc", "ключ", "")
	f.Fuzz(func(t *testing.T, endpoint, bucket, key, expiration string) {
		address := encode(t, base64.StdEncoding, object{"Endpoint": endpoint, "Bucket": bucket, "FileName": key})
		p, err := decode(address, encode(t, base64.StdEncoding, with(sampleAuth, object{"Expiration": expiration})), sampleNow)
		if err != nil {
			require.ErrorIs(t, err, ErrAddress)
			return
		}
		again, err := ParseEndpoint(p.Endpoint)
		require.NoError(t, err)
		require.Equal(t, again, p.Endpoint)
		_, err = NewClient(Config{}).Opener(p.Address, RegionOf(p.Endpoint), Headers{})(p.Issued.Credentials)
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
		require.Equal(t, want, RegionOf(url), url)
	}
}

func TestObject_B36_FileURL(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"a/b.mp4":          "a/b.mp4",
		"a b+c%20#d?e.mp4": "a%20b%2Bc%2520%23d%3Fe.mp4",
		"接口🎬.mp4":          "%E6%8E%A5%E5%8F%A3%F0%9F%8E%AC.mp4",
	} {
		a := Address{Endpoint: "https://oss-cn-shanghai.aliyuncs.com", Bucket: "media", Key: key}
		require.Equal(t, "https://media.oss-cn-shanghai.aliyuncs.com/"+want, a.FileURL())
		a.Endpoint = "http://127.0.0.1:8080"
		require.Equal(t, "http://127.0.0.1:8080/media/"+want, a.FileURL())
	}
}

// TestObject_B38_KeyAndHost: a key is taken as it is, blanks included; a host
// is one or is refused.
func TestObject_B38_KeyAndHost(t *testing.T) {
	t.Parallel()
	auth := encode(t, base64.StdEncoding, sampleAuth)
	const key = " sv/a b.mp4 "
	p, err := decode(encode(t, base64.StdEncoding, with(sampleAddress, object{"FileName": key, "Bucket": " outin-example\n"})), auth, sampleNow)
	require.NoError(t, err)
	require.Equal(t, key, p.Key)
	require.Equal(t, "outin-example", p.Bucket)
	for _, host := range []string{"a_b.example", "oss!example", "öss.example", strings.Repeat("a", 254)} {
		_, err := decode(encode(t, base64.StdEncoding, with(sampleAddress, object{"Endpoint": host})), auth, sampleNow)
		require.ErrorIs(t, err, ErrAddress, host)
		require.ErrorContains(t, err, "is not a host", host)
	}
}
