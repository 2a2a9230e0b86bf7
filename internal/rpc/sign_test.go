package rpc

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/credentials"
)

func TestSign_Vectors(t *testing.T) {
	t.Parallel()
	when := time.Date(2023, 10, 26, 10, 22, 32, 0, time.UTC)
	const nonce = "3156853299f313e23d1673dc12e1703d"
	tests := map[string]struct {
		host, version, action, token string
		query                        []pair
		signature                    string
	}{
		"published by Alibaba": {
			host: "ecs.cn-shanghai.aliyuncs.com", version: "2014-05-26", action: "RunInstances",
			query:     []pair{{"ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"}, {"RegionId", "cn-shanghai"}},
			signature: "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0",
		},
		"characters to escape and an empty value": {
			host: "ice.cn-shanghai.aliyuncs.com", version: "2020-11-09", action: "RegisterMediaStream",
			query: []pair{
				{"InputURL", "oss://example-bucket/a b*c~d+接口.aac"}, {"MediaId", "5e778ec0027b71ed80a8909598506302"}, {"StreamTags", ""},
				{"UserData", `{"MessageCallback":{"CallbackURL":"http://test.test.com"},"Extend":{"localId":"xxx"}}`},
			},
			signature: "a76f627e6e80534f2cded8080d59fd5c5bfd12a17ec97f990d86881d2ebe10ff",
		},
		"security token": {
			host: "ice.cn-shanghai.aliyuncs.com", version: "2020-11-09", action: "RegisterMediaStream", token: "STS-TOKEN",
			query:     []pair{{"MediaId", "abc"}},
			signature: "3d3da5490fc6d0c254f8efb1e6df4e5c27fac369247d91f8b10d907b94f68aec",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := attempt{
				Client: &Client{svc: Service{Version: tt.version}, base: url.URL{Scheme: "https", Host: tt.host, Path: "/"}},
				op:     Op{Action: tt.action},
				params: &Params{query: tt.query},
				keys:   credentials.Credentials{AccessKeyId: "YourAccessKeyId", AccessKeySecret: "YourAccessKeySecret", SecurityToken: tt.token},
			}
			r := a.signWith(when, nonce)
			authorization := r.header.Get("Authorization")
			require.Contains(t, authorization, "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;")
			require.Equal(t, tt.signature, authorization[strings.LastIndex(authorization, "=")+1:])
			require.Equal(t, tt.token, r.header.Get("X-Acs-Security-Token"))
		})
	}
}

// The vendor's own canonicalisation and ours give one signature.
func FuzzSign_AgreesWithTheVendor(f *testing.F) {
	f.Add("oss://example-bucket/a b*c~d+接口.aac", "", "token", false)
	f.Add("%7E~*+ ", "x", "", true)
	f.Fuzz(func(t *testing.T, value, form, token string, get bool) {
		p, err := Encode(map[string]string{"InputURL": value, "Z": form, "A.1.b": value + form})
		require.NoError(t, err)
		a := attempt{Client: &Client{svc: testService, base: url.URL{Scheme: "https", Host: "h.example", Path: "/"}},
			op: Op{Action: "X", Get: get}, params: p,
			keys: credentials.Credentials{AccessKeyId: "id", AccessKeySecret: "secret", SecurityToken: strings.TrimSpace(token)}}
		if form != "" {
			p.form = []pair{{"Body", form}}
		}
		r := a.sign(time.Now())
		req := &dara.Request{Method: &r.method, Query: map[string]*string{}, Headers: map[string]*string{}}
		for i := range p.query {
			req.Query[p.query[i].key] = &p.query[i].value
		}
		for i := range r.signed {
			req.Headers[r.signed[i].name] = &r.signed[i].value
		}
		want := utils.GetAuthorization(req, dara.String(algorithm), &r.hash, dara.String("id"), dara.String("secret"))
		require.Equal(t, *want, r.header.Get("Authorization"))
	})
}

// What is signed and what is sent must be the same bytes.
func TestSign_URLCarriesTheSignedQuery(t *testing.T) {
	t.Parallel()
	c, s := scripted(t, ok())
	_, err := call(t, c, Op{Action: "RegisterMediaStream"}, map[string]any{
		"UserData": `{"a":"b c*d~e+f/接口&=%?#"}`, "InputURL": "oss://b/k", "Empty": "",
	})
	require.NoError(t, err)
	req := s.seen[0]
	require.Equal(t, "Empty=&InputURL=oss%3A%2F%2Fb%2Fk&UserData=%7B%22a%22%3A%22b%20c%2Ad~e%2Bf%2F%E6%8E%A5%E5%8F%A3%26%3D%25%3F%23%22%7D", req.URL.RawQuery)
	require.Equal(t, http.MethodPost, req.Method)
	require.Equal(t, "https://ice.cn-shanghai.aliyuncs.com/", "https://"+req.Host+req.URL.Path)
	require.Equal(t, "2020-11-09", req.Header.Get("x-acs-version"))
	require.Equal(t, emptyHash, req.Header.Get("x-acs-content-sha256"))
	require.Contains(t, req.Header.Get("User-Agent"), "alimedia-go/")
}

func TestSign_ParametersAreSentInTheOrderOfTheirNames(t *testing.T) {
	t.Parallel()
	c, s := scripted(t, ok())
	_, err := call(t, c, Op{Action: "X"}, struct{ Z, B, A string }{"z", "b", "a"})
	require.NoError(t, err)
	require.Equal(t, "A=a&B=b&Z=z", s.seen[0].URL.RawQuery)
}

func TestSign_FormBody(t *testing.T) {
	t.Parallel()
	c, s := scripted(t, ok())
	_, err := call(t, c, Op{Action: "AddTemplate"}, struct {
		Name   string
		Config string `rpc:",form"`
	}{"n", `{"a":1}`})
	require.NoError(t, err)
	require.Equal(t, "Name=n", s.seen[0].URL.RawQuery)
	require.Equal(t, "Config=%7B%22a%22%3A1%7D", s.forms[0])
	require.Equal(t, "application/x-www-form-urlencoded", s.seen[0].Header.Get("Content-Type"))
	require.Contains(t, s.seen[0].Header.Get("Authorization"), "SignedHeaders=content-type;host;")
	require.NotEqual(t, emptyHash, s.seen[0].Header.Get("x-acs-content-sha256"))
	require.EqualValues(t, len(s.forms[0]), s.seen[0].ContentLength)
}

func TestSign_GetAndAnonymous(t *testing.T) {
	t.Parallel()
	c, s := scripted(t, ok(), ok())
	_, err := call(t, c, Op{Action: "GetLiveRecordJob", Get: true}, map[string]string{"JobId": "j"})
	require.NoError(t, err)
	require.Equal(t, http.MethodGet, s.seen[0].Method)

	_, err = call(t, c, Op{Action: "GetPublicMediaInfo", Anonymous: true}, map[string]string{"MediaId": "m"})
	require.NoError(t, err)
	require.Empty(t, s.seen[1].Header.Get("Authorization"))
	query := s.seen[1].URL.Query()
	require.Equal(t, "GetPublicMediaInfo", query.Get("Action"))
	require.Equal(t, "2020-11-09", query.Get("Version"))
	require.Equal(t, "m", query.Get("MediaId"))
}

func TestNonce_NeverTwice(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		n := newNonce()
		require.Len(t, n, 32)
		require.False(t, seen[n])
		seen[n] = true
	}
}
