package credentials

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStatic(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		id, secret, token string
		err               string
	}{
		"long-lived": {testId, testSecret, "", ""},
		"temporary":  {testId, testSecret, testToken, ""},
		"no id":      {"", testSecret, "", "credentials: Static: the AccessKeyId is empty"},
		"no secret":  {testId, "", testToken, "credentials: Static: the AccessKeySecret is empty"},
		"blank":      {testId, testSecret + "\n", "", "credentials: Static: the AccessKeySecret contains a space, a control character or a non-ASCII character"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := Static(tt.id, tt.secret, tt.token).Credentials(t.Context())
			if tt.err != "" {
				require.EqualError(t, err, tt.err)
				require.Zero(t, c)
				return
			}
			require.NoError(t, err)
			require.Equal(t, Credentials{AccessKeyId: tt.id, AccessKeySecret: tt.secret, SecurityToken: tt.token, Source: "Static"}, c)
		})
	}
}

func TestEnv(t *testing.T) {
	const hint = "set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET"
	tests := map[string]struct {
		id, secret, token string
		want              Credentials
		err               string
	}{
		"long-lived":    {testId, testSecret, "", Credentials{AccessKeyId: testId, AccessKeySecret: testSecret, Source: "Env"}, ""},
		"temporary":     {testId, testSecret, testToken, Credentials{AccessKeyId: testId, AccessKeySecret: testSecret, SecurityToken: testToken, Source: "Env"}, ""},
		"with line end": {testId + "\n", " " + testSecret + "\r\n", "", Credentials{AccessKeyId: testId, AccessKeySecret: testSecret, Source: "Env"}, ""},
		"nothing":       {"", "", testToken, Credentials{}, "credentials: Env: " + hint},
		"only the id":   {testId, "", "", Credentials{}, "credentials: Env: ALIBABA_CLOUD_ACCESS_KEY_ID is set but ALIBABA_CLOUD_ACCESS_KEY_SECRET is not: set both"},
		"only secret":   {"", testSecret, "", Credentials{}, "credentials: Env: ALIBABA_CLOUD_ACCESS_KEY_SECRET is set but ALIBABA_CLOUD_ACCESS_KEY_ID is not: set both"},
	}
	p := Env()
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Setenv(envId, tt.id)
			t.Setenv(envSecret, tt.secret)
			t.Setenv(envToken, tt.token)
			c, err := p.Credentials(t.Context())
			if tt.err != "" {
				require.EqualError(t, err, tt.err)
			} else {
				require.NoError(t, err)
			}
			require.Equal(t, tt.want, c)
		})
	}
}
