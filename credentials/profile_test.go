package credentials

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// profiles is a config.json with one profile of each mode.
const profiles = `{
	"current": "ak",
	"meta_path": "",
	"profiles": [
		{"name": "ak", "mode": "AK", "access_key_id": "LTAI-of-ak", "access_key_secret": "` + testSecret + `", "region_id": "cn-shanghai"},
		{"name": "old", "access_key_id": "LTAI-of-old", "access_key_secret": "` + testSecret + `", "sts_token": "left over"},
		{"name": "sts", "mode": "StsToken", "access_key_id": "STS.of-sts", "access_key_secret": "` + testSecret + `", "sts_token": "` + testToken + `"},
		{"name": "arn", "mode": "RamRoleArn", "access_key_id": "LTAI-of-arn", "access_key_secret": "` + testSecret + `", "sts_token": "",
			"ram_role_arn": "` + testRole + `", "ram_session_name": "from-file", "expired_seconds": 1800, "external_id": "ext", "sts_region": "cn-beijing", "enable_vpc": true},
		{"name": "ecs", "mode": "EcsRamRole", "ram_role_name": "uploader"},
		{"name": "oidc", "mode": "OIDC", "oidc_provider_arn": "` + testIdP + `", "oidc_token_file": "TOKENFILE", "ram_role_arn": "` + testRole + `"},
		{"name": "uri", "mode": "CredentialsURI", "credentials_uri": "http://127.0.0.1/keys"},
		{"name": "chain", "mode": "chainableramrolearn", "source_profile": "middle", "ram_role_arn": "` + testRole + `"},
		{"name": "middle", "mode": "ChainableRamRoleArn", "source_profile": "sts", "ram_role_arn": "` + testRole + `"},
		{"name": "loop", "mode": "ChainableRamRoleArn", "source_profile": "pool", "ram_role_arn": "` + testRole + `"},
		{"name": "pool", "mode": "ChainableRamRoleArn", "source_profile": "loop", "ram_role_arn": "` + testRole + `"},
		{"name": "self", "mode": "ChainableRamRoleArn", "source_profile": "self", "ram_role_arn": "` + testRole + `"},
		{"name": "dangling", "mode": "ChainableRamRoleArn", "source_profile": "gone", "ram_role_arn": "` + testRole + `"},
		{"name": "sso", "mode": "CloudSSO", "access_token": "` + testToken + `"},
		{"name": "sso-late", "mode": "CloudSSO", "access_token": "` + testToken + `", "cloud_sso_sign_in_url": "https://127.0.0.1", "cloud_sso_account_id": "1",
			"cloud_sso_access_config": "ac-1", "cloud_sso_access_token_expire": 1},
		{"name": "oauth", "mode": "OAuth", "oauth_site_type": "CN"},
		{"name": "site", "mode": "OAuth", "oauth_refresh_token": "` + testToken + `", "oauth_site_type": "` + testSecret + `"},
		{"name": "process", "mode": "External", "process_command": " "},
		{"name": "with-ecs", "mode": "RamRoleArnWithRoleName", "ram_role_name": "uploader", "ram_role_arn": "` + testRole + `"},
		{"name": "with-ecs2", "mode": "RamRoleArnWithEcs", "ram_role_name": "uploader", "ram_role_arn": "` + testRole + `", "sts_endpoint": "sts.example.com"},
		{"name": "no-ecs", "mode": "RamRoleArnWithRoleName", "ram_role_name": "uploader"},
		{"name": "token", "mode": "OIDC", "oidc_provider_arn": "` + testIdP + `", "oidc_token": "` + testOIDC + `", "ram_role_arn": "` + testRole + `"},
		{"name": "rsa", "mode": "RsaKeyPair", "private_key": "` + testSecret + `"},
		{"name": "no-secret", "mode": "AK", "access_key_id": "LTAI-only"},
		{"name": "mistyped", "mode": "AK", "access_key_id": "LTAI-only", "access_key_secret": ["` + testSecret + `"]},
		{"name": "seconds", "mode": "AK", "access_key_id": "LTAI-of-seconds", "access_key_secret": "` + testSecret + `", "expired_seconds": "3600"},
		{"name": "no-token", "mode": "StsToken", "access_key_id": "STS.of-sts", "access_key_secret": "` + testSecret + `"},
		{"name": "no-role", "mode": "RamRoleArn", "access_key_id": "STS.of-sts", "access_key_secret": "` + testSecret + `"},
		{"name": "no-oidc", "mode": "OIDC"},
		{"name": "no-uri", "mode": "CredentialsURI"},
		{"name": "no-source", "mode": "ChainableRamRoleArn"}
	]
}`

// remote answers for STS and for credentials URIs, and notes who asked.
func remote(hosts *[]string) *http.Client {
	return transport(func(req *http.Request) (*http.Response, error) {
		action := req.Header.Get("x-acs-action") + req.URL.Query().Get("Action")
		*hosts = append(*hosts, req.URL.Host+" "+action)
		if action == "" {
			return reply(http.StatusOK, keysJSON(time.Now().Add(time.Hour))), nil
		}
		return reply(http.StatusOK, stsJSON("STS.assumed", time.Now().Add(time.Hour))), nil
	}).client()
}

func TestProfile_Modes(t *testing.T) {
	t.Parallel()
	tokenFile := writeFile(t, "token", testOIDC)
	config := writeFile(t, "config.json", "\xef\xbb\xbf"+strings.Replace(profiles, "TOKENFILE", filepath.ToSlash(tokenFile), 1))
	tests := map[string]struct {
		id, token, source string
		hosts             []string
	}{
		"ak":      {"LTAI-of-ak", "", "Profile(ak): Static", nil},
		"old":     {"LTAI-of-old", "", "Profile(old): Static", nil},
		"sts":     {"STS.of-sts", testToken, "Profile(sts): Static", nil},
		"seconds": {"LTAI-of-seconds", "", "Profile(seconds): Static", nil},
		"arn":     {"STS.assumed", testToken, "Profile(arn): AssumeRole(Static)", []string{"sts-vpc.cn-beijing.aliyuncs.com AssumeRole"}},
		"oidc":    {"STS.assumed", testToken, "Profile(oidc): OIDC", []string{"sts.aliyuncs.com AssumeRoleWithOIDC"}},
		"token":   {"STS.assumed", testToken, "Profile(token): OIDC", []string{"sts.aliyuncs.com AssumeRoleWithOIDC"}},
		"uri":     {testId, testToken, "Profile(uri): URI", []string{"127.0.0.1 "}},
		"chain": {
			"STS.assumed", testToken, "Profile(chain): AssumeRole(AssumeRole(Static))",
			[]string{"sts.aliyuncs.com AssumeRole", "sts.aliyuncs.com AssumeRole"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var hosts []string
			p := Profile(name, ProfileOptions{ConfigFile: config, HTTPClient: remote(&hosts)})
			c, err := p.Credentials(t.Context())
			require.NoError(t, err)
			require.Equal(t, tt.id, c.AccessKeyId)
			require.Equal(t, testSecret, c.AccessKeySecret)
			require.Equal(t, tt.token, c.SecurityToken)
			require.Equal(t, tt.source, c.Source)
			require.Equal(t, tt.hosts, hosts)
		})
	}
}

func TestProfile_ECS(t *testing.T) {
	t.Parallel()
	var roles []string
	b := builder{ecs: func(role string) Provider { roles = append(roles, role); return Static(testId, testSecret, testToken) }}
	for _, load := range []func() (Provider, string, error){
		func() (Provider, string, error) { return b.fromConfig([]byte(profiles), "ecs") },
		func() (Provider, string, error) {
			return b.fromINI([]byte("[ecs]\ntype=ecs_ram_role\nrole_name=uploader"), "ecs")
		},
	} {
		p, name, err := load()
		require.NoError(t, err)
		require.Equal(t, "ecs", name)
		_, err = p.Credentials(t.Context())
		require.NoError(t, err)
	}
	require.Equal(t, []string{"uploader", "uploader"}, roles)

	// The role's keys assume another role.
	var hosts []string
	b.client = remote(&hosts)
	for _, name := range []string{"with-ecs", "with-ecs2"} {
		p, _, err := b.fromConfig([]byte(profiles), name)
		require.NoError(t, err)
		c, err := p.Credentials(t.Context())
		require.NoError(t, err)
		require.Equal(t, "STS.assumed", c.AccessKeyId)
		require.Equal(t, "AssumeRole(Static)", c.Source)
	}
	require.Equal(t, []string{"sts.aliyuncs.com AssumeRole", "sts.example.com AssumeRole"}, hosts)
	require.Len(t, roles, 4)
}

func TestProfile_Errors(t *testing.T) {
	t.Parallel()
	config := writeFile(t, "config.json", profiles)
	const supported = " is not supported: use AK, StsToken, RamRoleArn, EcsRamRole, RamRoleArnWithEcs, OIDC, ChainableRamRoleArn, CredentialsURI, External, CloudSSO or OAuth, or wrap"
	tests := map[string]string{
		"unknown":   `there is no profile "unknown"`,
		"loop":      `profile "loop": source_profile: profile "pool": source_profile: the chain of profiles loop -> pool leads back to "loop"`,
		"self":      `the chain of profiles self leads back to "self"`,
		"dangling":  `profile "dangling": source_profile: there is no profile "gone"`,
		"sso":       `profile "sso" of mode "CloudSSO" lacks a sign-in URL, an account ID, an access configuration`,
		"sso-late":  `profile "sso-late": the access token of CloudSSO has expired: sign in again with the command line`,
		"oauth":     `profile "oauth" of mode "OAuth" lacks an access or refresh token`,
		"site":      `profile "site": its oauth_site_type is neither CN nor INTL`,
		"process":   `profile "process" of mode "External" lacks a process command`,
		"no-ecs":    `profile "no-ecs" of mode "RamRoleArnWithRoleName" lacks a role ARN`,
		"rsa":       `profile "rsa": the mode "RsaKeyPair"` + supported,
		"no-secret": `profile "no-secret" of mode "AK" lacks an access key secret`,
		"mistyped":  `profile "mistyped" of mode "AK" lacks an access key secret`,
		"no-token":  `profile "no-token" of mode "StsToken" lacks a security token`,
		"no-role":   `profile "no-role" of mode "RamRoleArn" lacks a role ARN`,
		"no-oidc":   `profile "no-oidc" of mode "OIDC" lacks an OIDC provider ARN, an OIDC token file, a role ARN`,
		"no-uri":    `profile "no-uri" of mode "CredentialsURI" lacks a credentials URI`,
		"no-source": `profile "no-source" of mode "ChainableRamRoleArn" lacks a source profile, a role ARN`,
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Profile(name, ProfileOptions{ConfigFile: config, CredentialsFile: filepath.Join(t.TempDir(), "none")}).Credentials(t.Context())
			require.ErrorContains(t, err, "Profile(config.json): "+config+": ")
			require.ErrorContains(t, err, want)
			requireNoSecret(t, err.Error())
		})
	}
}

func TestProfile_BrokenFilesAreNotQuoted(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ config, shared, want string }{
		"cut off":       {config: profiles[:len(profiles)/2], want: "not valid JSON from byte"},
		"no JSON":       {config: testSecret, want: "not valid JSON from byte 1 on"},
		"empty":         {config: "", want: "not valid JSON from byte 0 on"},
		"another type":  {config: `["` + testSecret + `"]`, want: `there is no profile "default"`},
		"number":        {config: `{"current":1e999,"profiles":{"access_key_secret":"` + testSecret + `"}}`, want: `there is no profile "default"`},
		"no line":       {shared: "[default]\n" + testSecret, want: "line 2 is neither [section], key = value nor a comment"},
		"open section":  {shared: "\n\n[" + testSecret, want: "line 3: the section's ] is missing"},
		"switched off":  {shared: "[default]\ntype=access_key\nEnable = False ; for now\naccess_key_id=LTAI\naccess_key_secret=" + testSecret, want: "section [default] is switched off by its enable = false"},
		"off as 0":      {shared: "[default]\ntype=access_key\nenable = 0\naccess_key_id=LTAI\naccess_key_secret=" + testSecret, want: "section [default] is switched off by its enable = false"},
		"off as no":     {shared: "[default]\ntype=access_key\nenable = No\naccess_key_id=LTAI\naccess_key_secret=" + testSecret, want: "section [default] is switched off by its enable = false"},
		"odd switch":    {shared: "[default]\ntype=access_key\nenable = " + testSecret + "\naccess_key_id=LTAI\naccess_key_secret=x", want: "section [default]: enable is neither true nor false"},
		"odd seconds":   {shared: "[default]\ntype=ram_role_arn\naccess_key_id=LTAI\naccess_key_secret=x\nrole_arn=r\nrole_session_expiration=" + testSecret, want: "section [default]: role_session_expiration is not a number of seconds"},
		"huge seconds":  {shared: "[default]\ntype=ram_role_arn\naccess_key_id=LTAI\naccess_key_secret=x\nrole_arn=r\nrole_session_expiration=9300000000", want: "section [default]: role_session_expiration is not a number of seconds"},
		"no section":    {shared: "type = access_key\naccess_key_secret = " + testSecret, want: "there is no section [default]"},
		"no type":       {shared: "[default]\naccess_key_secret = " + testSecret, want: `section [default]: the type "" is not supported: use access_key, sts`},
		"no secret":     {shared: "[default]\ntype=access_key\naccess_key_id=LTAI", want: `profile "default" of mode "AK" lacks an access key secret`},
		"rsa":           {shared: "[default]\ntype=rsa_key_pair\nprivate_key_file=" + testSecret, want: `the type "rsa_key_pair" is not supported`},
		"binary":        {shared: "\x00\xff" + testSecret, want: "line 1 is neither"},
		"much too long": {config: strings.Repeat(testSecret, maxFile/len(testSecret)+1), want: "is longer than 1024 KiB"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := writeFile(t, "config.json", tt.config)
			shared := writeFile(t, "credentials", tt.shared)
			_, err := Profile("", ProfileOptions{ConfigFile: config, CredentialsFile: shared}).Credentials(t.Context())
			require.ErrorContains(t, err, tt.want)
			requireNoSecret(t, err.Error())
		})
	}
}

func TestProfile_CredentialsFile(t *testing.T) {
	t.Parallel()
	tokenFile := writeFile(t, "token", testOIDC)
	shared := writeFile(t, "credentials", strings.Join([]string{
		"# comment", "; comment", "stray = value",
		"[default]", "type = access_key", "enable = true", "access_key_id = 'LTAI-of-ini' # mine", `access_key_secret = "` + testSecret + `" ; mine`,
		"[ tmp ]\r", "Type=STS\r", "access_key_id=STS.of-ini\r", "access_key_secret=" + testSecret + "\r", "security_token=" + testToken + "\r",
		"[arn]", "type=ram_role_arn", "access_key_id=LTAI-of-arn", "access_key_secret=" + testSecret, "role_arn=" + testRole, "role_session_name=ini",
		"role_session_expiration=900", "sts_region=cn-shanghai",
		"[oidc]", "type=oidc_role_arn", "role_arn=" + testRole, "oidc_provider_arn=" + testIdP, "oidc_token_file_path=" + tokenFile,
		"[uri]", "type=credentials_uri", "credentials_uri=http://127.0.0.1/keys",
	}, "\n"))
	tests := map[string]struct {
		id, token, source string
		hosts             []string
	}{
		"":     {"LTAI-of-ini", "", "Profile(default): Static", nil},
		"tmp":  {"STS.of-ini", testToken, "Profile(tmp): Static", nil},
		"arn":  {"STS.assumed", testToken, "Profile(arn): AssumeRole(Static)", []string{"sts.cn-shanghai.aliyuncs.com AssumeRole"}},
		"oidc": {"STS.assumed", testToken, "Profile(oidc): OIDC", []string{"sts.aliyuncs.com AssumeRoleWithOIDC"}},
		"uri":  {testId, testToken, "Profile(uri): URI", []string{"127.0.0.1 "}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var hosts []string
			c, err := Profile(name, ProfileOptions{
				ConfigFile: filepath.Join(t.TempDir(), "none"), CredentialsFile: shared, HTTPClient: remote(&hosts),
			}).Credentials(t.Context())
			require.NoError(t, err)
			require.Equal(t, tt.id, c.AccessKeyId)
			require.Equal(t, testSecret, c.AccessKeySecret)
			require.Equal(t, tt.token, c.SecurityToken)
			require.Equal(t, tt.source, c.Source)
			require.Equal(t, tt.hosts, hosts)
		})
	}
}

func TestProfile_Environment(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	for name, content := range map[string]string{
		filepath.Join(".aliyun", "config.json"): profiles,
		filepath.Join(".alibabacloud", "credentials"): "[default]\ntype=access_key\naccess_key_id=LTAI-of-ini\naccess_key_secret=" + testSecret +
			"\n[ak]\ntype=access_key\naccess_key_id=LTAI-of-ini-ak\naccess_key_secret=" + testSecret,
	} {
		path := filepath.Join(home, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	}
	id := func(name string) string {
		c, err := Profile(name, ProfileOptions{}).Credentials(t.Context())
		require.NoError(t, err)
		return c.AccessKeyId
	}
	require.Equal(t, "LTAI-of-ak", id(""), "the current profile")
	t.Setenv("ALIBABA_CLOUD_PROFILE", "sts")
	require.Equal(t, "STS.of-sts", id(""))
	require.Equal(t, "LTAI-of-ak", id("ak"), "code wins over the environment")

	t.Setenv("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "true")
	require.Equal(t, "LTAI-of-ini-ak", id("ak"))
	t.Setenv("ALIBABA_CLOUD_PROFILE", "")
	require.Equal(t, "LTAI-of-ini", id(""))

	t.Setenv("ALIBABA_CLOUD_CREDENTIALS_FILE", writeFile(t, "other", "[default]\ntype=access_key\naccess_key_id=LTAI-elsewhere\naccess_key_secret="+testSecret))
	require.Equal(t, "LTAI-elsewhere", id(""))

	_, err := Profile("sts", ProfileOptions{}).Credentials(t.Context())
	require.ErrorContains(t, err, "Profile(config.json): switched off by ALIBABA_CLOUD_CLI_PROFILE_DISABLED; ")
	require.ErrorContains(t, err, "there is no section [sts]")

	t.Setenv("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "false")
	t.Setenv("ALIBABA_CLOUD_CONFIG_FILE", writeFile(t, "config.json", strings.Replace(profiles, "LTAI-of-ak", "LTAI-of-other-ak", 1)))
	require.Equal(t, "LTAI-of-other-ak", id(""))
}

func TestProfile_ChangedFileIsReadAgain(t *testing.T) {
	t.Parallel()
	config := writeFile(t, "config.json", profiles)
	p := Profile("", ProfileOptions{ConfigFile: config, CredentialsFile: filepath.Join(t.TempDir(), "none")})
	write := func(content string) {
		require.NoError(t, os.WriteFile(config, []byte(content), 0o600))
	}
	id := func() string {
		c, err := p.Credentials(t.Context())
		require.NoError(t, err)
		return c.AccessKeyId
	}
	require.Equal(t, "LTAI-of-ak", id())
	write(strings.Replace(profiles, "LTAI-of-ak", "LTAI-rotated", 1))
	require.Equal(t, "LTAI-rotated", id())
	write(profiles[:100]) // the command line is writing
	require.Equal(t, "LTAI-rotated", id())
	write(strings.Replace(profiles, "LTAI-of-ak", "LTAI-again", 1))
	require.Equal(t, "LTAI-again", id())
	require.NoError(t, os.Remove(config))
	require.Equal(t, "LTAI-again", id())
}

func TestProfile_KeepsTheProviderOfAnUnchangedFile(t *testing.T) {
	t.Parallel()
	var hosts []string
	p := Profile("arn", ProfileOptions{ConfigFile: writeFile(t, "config.json", profiles), HTTPClient: remote(&hosts)})
	var first Credentials
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			_, err := p.Credentials(t.Context())
			require.NoError(t, err)
		})
	}
	wg.Wait()
	require.Len(t, hosts, 1, "a role was assumed for each call")

	first, err := p.Credentials(t.Context())
	require.NoError(t, err)
	p.(Invalidator).Invalidate(first)
	_, err = p.Credentials(t.Context())
	require.NoError(t, err)
	require.Len(t, hosts, 2, "Invalidate did not reach the role")
}

func TestReadFile_OnlyRegularFiles(t *testing.T) {
	t.Parallel()
	_, err := readFile(t.TempDir())
	require.ErrorContains(t, err, "is not a regular file")
	_, err = readFile(filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestProfile_ErrorOfTheSourceIsNamedOnce(t *testing.T) {
	t.Parallel()
	client := transport(func(*http.Request) (*http.Response, error) { return nil, errors.New("broken") }).client()
	config := writeFile(t, "config.json", profiles)
	_, err := Profile("chain", ProfileOptions{ConfigFile: config, CredentialsFile: config, HTTPClient: client}).Credentials(context.WithoutCancel(t.Context()))
	require.ErrorContains(t, err, `credentials: no provider has any: Profile(config.json) "chain": AssumeRole: AssumeRole: with keys of Static: `+
		`sts.aliyuncs.com: broken; Profile(credentials): `)
}
