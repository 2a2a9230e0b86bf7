package credentials

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// ProfileOptions configures [Profile].
type ProfileOptions struct {
	// ConfigFile is the JSON file of the CLI. Empty means
	// ALIBABA_CLOUD_CONFIG_FILE or ~/.aliyun/config.json.
	ConfigFile string

	// CredentialsFile is the INI file. Empty means
	// ALIBABA_CLOUD_CREDENTIALS_FILE or ~/.alibabacloud/credentials.
	CredentialsFile string

	// HTTPClient sends the requests to STS and to credentials URIs. Requests to the
	// metadata service of ECS and to the sign-in services of CloudSSO and OAuth do
	// not use it. Nil means default clients.
	HTTPClient *http.Client
}

// Profile returns a provider of the credentials of a named profile. It searches the
// configuration file of the Alibaba Cloud CLI first, and then the credentials file.
// An empty name means ALIBABA_CLOUD_PROFILE, or else the current profile of the
// configuration file and the section "default" of the credentials file.
//
// The configuration file supports the modes AK, StsToken, RamRoleArn, EcsRamRole,
// RamRoleArnWithEcs (RamRoleArnWithRoleName in the file), OIDC,
// ChainableRamRoleArn, CredentialsURI, External, CloudSSO and OAuth. The
// credentials file supports the types access_key, sts, ram_role_arn, ecs_ram_role,
// oidc_role_arn and credentials_uri, unless the section has enable = false.
// ALIBABA_CLOUD_CLI_PROFILE_DISABLED=true ignores the configuration file.
//
// CloudSSO and OAuth use github.com/aliyun/credentials-go, which writes the
// refreshed tokens of OAuth back to the file. The program of the mode External has
// 30 seconds and 64 KiB of output. Errors do not quote its output.
//
// A changed file is read again. If it cannot be read, the last valid profile stays
// in use. Errors quote only the names of profiles, modes and keys from a file.
func Profile(name string, opts ProfileOptions) Provider {
	build := builder{client: opts.HTTPClient, ecs: func(role string) Provider { return ECSRole(role, ECSOptions{}) }}
	config := &profileFile{
		label: "Profile(config.json)",
		path:  located(opts.ConfigFile, "ALIBABA_CLOUD_CONFIG_FILE", ".aliyun", "config.json"),
		build: build,
		load:  func(b builder, data []byte) (Provider, string, error) { return b.fromConfig(data, profileName(name)) },
		off:   "ALIBABA_CLOUD_CLI_PROFILE_DISABLED",
	}
	shared := &profileFile{
		label: "Profile(credentials)",
		path:  located(opts.CredentialsFile, "ALIBABA_CLOUD_CREDENTIALS_FILE", ".alibabacloud", "credentials"),
		build: build,
		load:  func(b builder, data []byte) (Provider, string, error) { return b.fromINI(data, profileName(name)) },
	}
	return &chain{label: "Profile", providers: []Provider{config, shared}}
}

// profileName is the name asked for, empty where the file decides.
func profileName(given string) string {
	if given != "" {
		return given
	}
	return getenv("ALIBABA_CLOUD_PROFILE")
}

func located(given, variable string, below ...string) func() (string, error) {
	return func() (string, error) {
		if given != "" {
			return given, nil
		}
		if path := getenv(variable); path != "" {
			return path, nil
		}
		return homeFile(filepath.Join(below...))
	}
}

// profileFile is the provider that one profile of one file describes.
type profileFile struct {
	label
	path  func() (string, error)
	build builder
	load  func(b builder, data []byte) (p Provider, profile string, err error)
	off   string // variable that switches it off; may be empty

	mu        sync.Mutex
	stamp     stamp
	current   Provider // of the file with that stamp; nil before the first success
	profile   string   // its name
	print     [32]byte // of the settings it was made of
	refreshed bool     // the file has other tokens since then, see profile.settings
}

// stamp tells whether a file is still the one that was read.
type stamp struct {
	path, profile string
	modified      time.Time
	size          int64
}

func (f *profileFile) Credentials(ctx context.Context) (Credentials, error) {
	if f.off != "" && switchedOn(f.off) {
		return Credentials{}, f.fail(fmt.Errorf("switched off by %s", f.off))
	}
	p, profile, err := f.provider(false)
	if err != nil {
		return Credentials{}, f.fail(err)
	}
	c, err := ask(ctx, p)
	if err != nil && ctx.Err() == nil && f.outdated() {
		if p, profile, err = f.provider(true); err != nil {
			return Credentials{}, f.fail(err)
		}
		c, err = ask(ctx, p)
	}
	if err != nil {
		return Credentials{}, label(fmt.Sprintf("%s %q", f.label, profile)).fail(err)
	}
	c.Source = "Profile(" + profile + "): " + c.Source
	return c, nil
}

// outdated reports whether the file has other tokens than the provider began
// with.
func (f *profileFile) outdated() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.refreshed
}

// Invalidate implements Invalidator.
func (f *profileFile) Invalidate(refused Credentials) {
	f.mu.Lock()
	p := f.current
	f.mu.Unlock()
	invalidate(p, refused)
}

// provider returns that of the file as it is now or, where the file is broken,
// as it was when last read. A file in which nothing has changed that matters
// keeps its provider, unless that is to be made of the newest tokens.
func (f *profileFile) provider(newest bool) (Provider, string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	path, err := f.path()
	if err != nil {
		return nil, "", err
	}
	now := stamp{path: path, profile: profileName("")}
	if info, err := os.Stat(path); err == nil {
		now.modified, now.size = info.ModTime(), info.Size()
	}
	if f.current != nil && now == f.stamp && !newest {
		return f.current, f.profile, nil
	}
	p, profile, print, err := f.read(path)
	switch {
	case err != nil && f.current == nil:
		return nil, "", err
	case err != nil:
	case f.current != nil && !newest && print == f.print && profile == f.profile:
		f.stamp, f.refreshed = now, true
	default:
		f.stamp, f.current, f.profile, f.print, f.refreshed = now, p, profile, print, false
	}
	return f.current, f.profile, nil
}

func (f *profileFile) read(path string) (Provider, string, [32]byte, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, "", [32]byte{}, err
	}
	build := f.build
	build.path, build.used = path, new([]profile)
	p, name, err := f.load(build, data)
	if err != nil {
		return nil, "", [32]byte{}, fmt.Errorf("%s: %w", path, err)
	}
	var settings []profile
	for _, used := range *build.used {
		settings = append(settings, used.settings())
	}
	text, err := json.Marshal(settings)
	if err != nil {
		return nil, "", [32]byte{}, err
	}
	return p, name, sha256.Sum256(text), nil
}

// profile is one profile of either file; the tags are those of config.json.
type profile struct {
	Name            string `json:"name"`
	Mode            string `json:"mode"`
	AccessKeyId     string `json:"access_key_id"`
	AccessKeySecret string `json:"access_key_secret"`
	SecurityToken   string `json:"sts_token"`
	RoleName        string `json:"ram_role_name"`
	RoleArn         string `json:"ram_role_arn"`
	SessionName     string `json:"ram_session_name"`
	ExternalId      string `json:"external_id"`
	Policy          string `json:"policy"`
	Seconds         int    `json:"expired_seconds"`
	Region          string `json:"sts_region"`
	VPC             bool   `json:"enable_vpc"`
	Source          string `json:"source_profile"`
	ProviderArn     string `json:"oidc_provider_arn"`
	TokenFile       string `json:"oidc_token_file"`
	URI             string `json:"credentials_uri"`
	Endpoint        string `json:"sts_endpoint"`
	Token           string `json:"oidc_token"`
	Command         string `json:"process_command"`

	SignInURL    string `json:"cloud_sso_sign_in_url"`
	AccountId    string `json:"cloud_sso_account_id"`
	AccessConfig string `json:"cloud_sso_access_config"`
	AccessToken  string `json:"access_token"`
	TokenExpires int64  `json:"cloud_sso_access_token_expire"`

	OAuthSite         string `json:"oauth_site_type"`
	OAuthAccessToken  string `json:"oauth_access_token"`
	OAuthRefreshToken string `json:"oauth_refresh_token"`
}

// settings is p without what using it changes in the file: a profile of mode
// OAuth is written back with each refresh.
func (p profile) settings() profile {
	if strings.EqualFold(p.Mode, "OAuth") {
		p.AccessKeyId, p.AccessKeySecret, p.SecurityToken = "", "", ""
		p.OAuthAccessToken, p.OAuthRefreshToken = "", ""
	}
	return p
}

// builder makes the providers that profiles describe.
type builder struct {
	client *http.Client
	ecs    func(role string) Provider
	path   string     // of the file
	used   *[]profile // those that the provider is made of
}

// provider makes that of p. Source resolves the profile that a chained one
// names.
func (b builder) provider(p profile, source func(name string) (Provider, error)) (Provider, error) {
	if b.used != nil {
		*b.used = append(*b.used, p)
	}
	mode := strings.ToLower(p.Mode)
	if err := p.complete(mode); err != nil {
		return nil, err
	}
	switch mode {
	case "ak", "":
		return Static(p.AccessKeyId, p.AccessKeySecret, ""), nil
	case "ststoken":
		return Static(p.AccessKeyId, p.AccessKeySecret, p.SecurityToken), nil
	case "ramrolearn":
		return AssumeRole(Static(p.AccessKeyId, p.AccessKeySecret, p.SecurityToken), b.role(p)), nil
	case "chainableramrolearn":
		inner, err := source(p.Source)
		if err != nil {
			return nil, fmt.Errorf("profile %.64q: source_profile: %w", p.Name, err)
		}
		return AssumeRole(inner, b.role(p)), nil
	case "ecsramrole":
		return b.ecs(p.RoleName), nil
	case "ramrolearnwithecs", "ramrolearnwithrolename":
		return AssumeRole(b.ecs(p.RoleName), b.role(p)), nil
	case "oidc":
		role := b.role(p)
		opts := OIDCOptions{
			RoleArn: p.RoleArn, ProviderArn: p.ProviderArn, TokenFile: p.TokenFile, SessionName: p.SessionName,
			Policy: p.Policy, Duration: role.Duration, Endpoint: p.Endpoint, Region: p.Region, Network: role.Network, HTTPClient: b.client,
		}
		if p.Token != "" {
			opts.Token = func(context.Context) (string, error) { return p.Token, nil }
		}
		return OIDC(opts), nil
	case "external":
		return newCache("External", (&external{p.Command}).fetch), nil
	case "cloudsso":
		return cloudSSO(p)
	case "oauth":
		return b.oauth(p)
	case "credentialsuri":
		return URI(p.URI, URIOptions{HTTPClient: b.client}), nil
	default:
		return nil, fmt.Errorf("profile %.64q: the mode %.32q is not supported: use AK, StsToken, RamRoleArn, EcsRamRole, RamRoleArnWithEcs, OIDC, "+
			"ChainableRamRoleArn, CredentialsURI, External, CloudSSO or OAuth, or wrap a credential of credentials-go with FromSDK", p.Name, p.Mode)
	}
}

func (b builder) role(p profile) AssumeRoleOptions {
	opts := AssumeRoleOptions{
		RoleArn: p.RoleArn, SessionName: p.SessionName, ExternalId: p.ExternalId, Policy: p.Policy,
		Duration: time.Duration(p.Seconds) * time.Second, Endpoint: p.Endpoint, Region: p.Region, HTTPClient: b.client,
	}
	if p.VPC {
		opts.Network = networkVPC
	}
	return opts
}

// complete says what the mode needs and p lacks.
func (p profile) complete(mode string) error {
	var missing []string
	need := func(what, value string) {
		if value == "" {
			missing = append(missing, what)
		}
	}
	switch mode {
	case "ak", "", "ststoken", "ramrolearn":
		need("an access key id", p.AccessKeyId)
		need("an access key secret", p.AccessKeySecret)
	case "chainableramrolearn":
		need("a source profile", p.Source)
	case "oidc":
		need("an OIDC provider ARN", p.ProviderArn)
		need("an OIDC token file", p.TokenFile+p.Token)
	case "credentialsuri":
		need("a credentials URI", p.URI)
	case "external":
		need("a process command", strings.TrimSpace(p.Command))
	case "cloudsso":
		need("a sign-in URL", p.SignInURL)
		need("an account ID", p.AccountId)
		need("an access configuration", p.AccessConfig)
		need("an access token", p.AccessToken)
	case "oauth":
		need("an access or refresh token", p.OAuthAccessToken+p.OAuthRefreshToken)
	}
	switch mode {
	case "ststoken":
		need("a security token", p.SecurityToken)
	case "ramrolearn", "chainableramrolearn", "ramrolearnwithecs", "ramrolearnwithrolename", "oidc":
		need("a role ARN", p.RoleArn)
	}
	if missing == nil {
		return nil
	}
	return fmt.Errorf("profile %.64q of mode %q lacks %s", p.Name, p.Mode, strings.Join(missing, ", "))
}
