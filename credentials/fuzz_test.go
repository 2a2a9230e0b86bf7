package credentials

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// found collects the strings of a document whose key says secret or token.
func found(data []byte) []string {
	var doc any
	if json.Unmarshal(data, &doc) != nil {
		return nil
	}
	var secrets []string
	var walk func(key string, v any)
	walk = func(key string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, inner := range v {
				walk(k, inner)
			}
		case []any:
			for _, inner := range v {
				walk(key, inner)
			}
		case string:
			key = strings.ToLower(key)
			if len(v) >= 12 && (strings.Contains(key, "secret") || strings.Contains(key, "sts_token") || strings.Contains(key, "securitytoken")) {
				secrets = append(secrets, v)
			}
		}
	}
	walk("", doc)
	return secrets
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte(`{"current":"a","profiles":[{"name":"a","mode":"RamRoleArn","ram_role_arn":"r","expired_seconds":900}]}`), "")
	f.Add([]byte(`{"profiles":[{"name":"a","mode":"ChainableRamRoleArn","ram_role_arn":"r","source_profile":"a"}]}`), "a")
	f.Add([]byte(`{"profiles":[{"name":"a","mode":"StsToken","sts_token":"0123456789abcdef`), "a")
	f.Add([]byte(`{"profiles":[{"name":"a","mode":"AK","access_key_secret":"0123456789abcdef"}]}`), "a")
	f.Add([]byte(`{"profiles":[null,{"expired_seconds":1e99}]}`), "a")
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		b := builder{ecs: func(role string) Provider { return ECSRole(role, ECSOptions{}) }}
		p, _, err := b.fromConfig(data, name)
		if err == nil {
			require.NotNil(t, p)
			return
		}
		for _, secret := range found(data) {
			// A name or a mode may be spelled like a secret, of course.
			if strings.Count(string(data), secret) == 1 {
				require.NotContains(t, err.Error(), secret)
			}
		}
	})
}

func FuzzCredentialsFile(f *testing.F) {
	f.Add([]byte("[default]\ntype = access_key\naccess_key_id = a\naccess_key_secret = 'b' # c\n"), "default")
	f.Add([]byte("[a]\ntype=ram_role_arn\nrole_arn==\n[a"), "a")
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		b := builder{ecs: func(role string) Provider { return ECSRole(role, ECSOptions{}) }}
		p, _, err := b.fromINI(data, name)
		if err == nil {
			require.NotNil(t, p)
		} else {
			require.Less(t, len(err.Error()), 1000)
		}
	})
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(keysJSON(time.Unix(1800000000, 0))), int64(1700000000))
	f.Add([]byte(stsJSON("STS.NS", time.Unix(1800000000, 0))), int64(0))
	f.Add([]byte(`{"Code":"Denied","Message":"m 0123456789abcdef","AccessKeySecret":"0123456789abcdef"}`), int64(0))
	f.Add([]byte(`{"Expiration":null,"Credentials":null}`), int64(-1))
	f.Fuzz(func(t *testing.T, body []byte, date int64) {
		doc, err := decode(body)
		if err != nil {
			require.EqualError(t, err, "the answer is not the JSON document it should be")
			return
		}
		for _, k := range []keys{doc.keys, doc.Credentials} {
			c, err := k.credentials("fuzz", time.Unix(date, 0))
			if err == nil {
				require.NoError(t, c.verify())
				require.False(t, c.SecurityToken != "" && c.Expires.IsZero(), "temporary keys that never expire")
			} else {
				require.Zero(t, c)
				require.Less(t, len(err.Error()), 200)
			}
		}
		text := doc.refusal(403, nil).Error()
		require.Less(t, len(text), 600)
		for _, secret := range []string{doc.AccessKeySecret, doc.SecurityToken, doc.Credentials.AccessKeySecret, doc.Credentials.SecurityToken} {
			if len(secret) >= 12 && !strings.Contains("refused with code  (HTTP 403): *** [request id ]", secret) {
				require.NotContains(t, text, secret)
			}
		}
	})
}
