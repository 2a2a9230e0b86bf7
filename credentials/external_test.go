package credentials

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// program is what this test binary is as the program of a profile: it prints
// what its argument asks for.
func program(what string) {
	switch what {
	case "sts":
		fmt.Printf(`{"mode":"StsToken","access_key_id":%q,"access_key_secret":%q,"sts_token":%q,"expiration":%q}`,
			testId, testSecret, testToken, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	case "ak":
		fmt.Printf(`{"mode":"AK","access_key_id":%q,"access_key_secret":%q}`, testId, testSecret)
	case "late":
		fmt.Printf(`{"mode":"AK","access_key_id":%q,"access_key_secret":%q,"expiration":"2020-01-01T00:00:00Z"}`, testId, testSecret)
	case "text":
		fmt.Print(testSecret + " " + testToken)
	case "no-token":
		fmt.Printf(`{"mode":"StsToken","access_key_id":%q,"access_key_secret":%q}`, testId, testSecret)
	case "half":
		fmt.Printf(`{"access_key_secret":%q}`, testSecret)
	case "mode":
		fmt.Printf(`{"mode":%q}`, testSecret)
	case "time":
		fmt.Printf(`{"mode":"AK","access_key_id":%q,"access_key_secret":%q,"expiration":%q}`, testId, testSecret, testToken)
	case "fails":
		fmt.Print(testToken)
		fmt.Fprint(os.Stderr, testSecret)
		os.Exit(3)
	case "floods":
		for {
			if _, err := fmt.Print(strings.Repeat(testSecret, 100)); err != nil {
				os.Exit(1)
			}
		}
	case "hangs":
		time.Sleep(time.Hour)
	}
}

func externalProfile(t *testing.T, command string) Provider {
	t.Helper()
	config, err := json.Marshal(map[string]any{"current": "x", "profiles": []map[string]string{{"name": "x", "mode": "External", "process_command": command}}})
	require.NoError(t, err)
	return Profile("", ProfileOptions{ConfigFile: writeFile(t, "config.json", string(config)), CredentialsFile: filepath.Join(t.TempDir(), "none")})
}

func TestProfile_External(t *testing.T) {
	t.Parallel()
	self := `"` + os.Args[0] + `" as-program `
	for what, token := range map[string]string{"sts": testToken, "ak": ""} {
		c, err := externalProfile(t, self+what).Credentials(t.Context())
		require.NoError(t, err)
		require.Equal(t, Credentials{AccessKeyId: testId, AccessKeySecret: testSecret, SecurityToken: token, Expires: c.Expires, Source: "Profile(x): External"}, c)
		require.Equal(t, token == "", c.Expires.IsZero())
	}
}

// Neither what the program prints nor its command is in an error.
func TestChain_B60_TheOutputOfAProgramIsNeverQuoted(t *testing.T) {
	t.Parallel()
	self := `"` + os.Args[0] + `" as-program `
	for command, want := range map[string]string{
		self + "text":                   "the output of the process_command is not the JSON document",
		self + "no-token":               "has no sts_token",
		self + "half":                   "the AccessKeyId is empty",
		self + "mode":                   "of a mode other than AK and StsToken",
		self + "time":                   "is not a time like",
		self + "late":                   "had expired",
		self + "fails":                  "the process_command failed: exit status 3",
		self + "floods":                 "printed more than 64 KiB",
		"/nowhere/" + testSecret + " x": "process_command",
		"no-such-program-" + testSecret: "the program of the process_command is not found",
		`"` + testSecret:                "a quote of the process_command is not closed",
		`"" ` + testSecret:              "the process_command is empty",
	} {
		_, err := externalProfile(t, command).Credentials(t.Context())
		require.ErrorContains(t, err, want)
		requireNoSecret(t, err.Error())
		require.LessOrEqual(t, len(err.Error()), 1024)
	}
}

func TestProfile_AProgramThatHangsIsStopped(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	p := externalProfile(t, `"`+os.Args[0]+`" as-program hangs`)
	_, err := p.Credentials(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestSplitCommand(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text    string
		escapes bool
		want    []string
	}{
		{"a b\t c ", true, []string{"a", "b", "c"}},
		{`"a b" 'c d'e ""`, true, []string{"a b", "c de", ""}},
		{`a\ b "c\"d\\e\f" 'g\h'`, true, []string{"a b", `c"d\e\f`, `g\h`}},
		{`"C:\Program Files\x.exe" -a C:\b "q\"q"`, false, []string{`C:\Program Files\x.exe`, "-a", `C:\b`, `q"q`}},
		{`a\`, true, []string{`a\`}},
	} {
		got, err := splitCommand(tt.text, tt.escapes)
		require.NoError(t, err)
		require.Equal(t, tt.want, got, tt.text)
	}
}

// credentials-go writes new tokens of OAuth to the file that it read them from.
// That alone must not make a new provider, which would write them again.
func TestProfile_TokensWrittenBackKeepTheProvider(t *testing.T) {
	t.Parallel()
	var built, asked atomic.Int64
	fail := false
	path := filepath.Join(t.TempDir(), "config.json")
	write := func(role, token string) {
		require.NoError(t, os.WriteFile(path, []byte(fmt.Sprintf(`{"current":"o","profiles":[{"name":"other","mode":"AK","access_key_id":%q},`+
			`{"name":"o","mode":"OAuth","oauth_site_type":"CN","ram_role_name":%q,"oauth_refresh_token":%q,"access_key_id":%[2]q}]}`, token, role, token+"-long"[:len(token)%5])), 0o600))
	}
	write("r", "first")
	p := Profile("", ProfileOptions{ConfigFile: path, CredentialsFile: filepath.Join(t.TempDir(), "none")})
	file := p.(*chain).providers[0].(*profileFile)
	load := file.load
	file.load = func(b builder, data []byte) (Provider, string, error) {
		_, name, err := load(b, data)
		n := built.Add(1)
		return source(func(context.Context) (Credentials, error) {
			if fail && n == 1 {
				return Credentials{}, fmt.Errorf("the token is revoked")
			}
			write("r", fmt.Sprintf("token-%0*d", asked.Add(1), 0))
			return Credentials{AccessKeyId: fmt.Sprint("id-", n), AccessKeySecret: testSecret}, nil
		}), name, err
	}
	id := func() string {
		c, err := p.Credentials(t.Context())
		require.NoError(t, err)
		return c.AccessKeyId
	}
	for range 3 {
		require.Equal(t, "id-1", id())
	}
	before := built.Load()
	fail = true // until the user signs in again, which changes the tokens
	require.NotEqual(t, "id-1", id())
	require.Greater(t, built.Load(), before)
}
