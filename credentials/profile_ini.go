package credentials

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// types maps the type of a section to the mode of config.json.
var types = map[string]string{
	"access_key":      "AK",
	"sts":             "StsToken",
	"ram_role_arn":    "RamRoleArn",
	"ecs_ram_role":    "EcsRamRole",
	"oidc_role_arn":   "OIDC",
	"credentials_uri": "CredentialsURI",
}

// fromINI reads the shared credentials file.
func (b builder) fromINI(data []byte, name string) (Provider, string, error) {
	sections, err := parseINI(string(data))
	if err != nil {
		return nil, "", err
	}
	if name == "" {
		name = "default"
	}
	s, ok := sections[name]
	if !ok {
		return nil, "", fmt.Errorf("there is no section [%.64s]", name)
	}
	switch truth(s["enable"]) {
	case "", "true":
	case "false":
		return nil, "", fmt.Errorf("section [%.64s] is switched off by its enable = false", name)
	default:
		return nil, "", fmt.Errorf("section [%.64s]: enable is neither true nor false", name)
	}
	mode, ok := types[strings.ToLower(s["type"])]
	if !ok {
		return nil, "", fmt.Errorf("section [%.64s]: the type %.32q is not supported: use access_key, sts, ram_role_arn, "+
			"ecs_ram_role, oidc_role_arn or credentials_uri", name, s["type"])
	}
	seconds := 0
	if text := s["role_session_expiration"]; text != "" {
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return nil, "", fmt.Errorf("section [%.64s]: role_session_expiration is not a number of seconds", name)
		}
		seconds = int(n)
	}
	p, err := b.provider(profile{
		Name: name, Mode: mode,
		AccessKeyId: s["access_key_id"], AccessKeySecret: s["access_key_secret"], SecurityToken: s["security_token"],
		RoleName: s["role_name"], RoleArn: s["role_arn"], SessionName: s["role_session_name"],
		ExternalId: s["external_id"], Policy: s["policy"], Seconds: seconds, Region: s["sts_region"], Endpoint: s["sts_endpoint"],
		ProviderArn: s["oidc_provider_arn"], TokenFile: s["oidc_token_file_path"], URI: s["credentials_uri"],
	}, func(string) (Provider, error) { return nil, errors.New("profiles of this file cannot be chained") })
	return p, name, err
}

// parseINI reads sections of keys. Lines beginning with # or ; are comments,
// as is the rest of a line after a blank and one of these.
func parseINI(text string) (map[string]map[string]string, error) {
	sections := map[string]map[string]string{}
	var section map[string]string
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		if line[0] == '[' {
			name, _, closed := strings.Cut(line[1:], "]")
			if !closed {
				return nil, fmt.Errorf("line %d: the section's ] is missing", number)
			}
			name = strings.TrimSpace(name)
			if sections[name] == nil {
				sections[name] = map[string]string{}
			}
			section = sections[name]
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			return nil, fmt.Errorf("line %d is neither [section], key = value nor a comment", number)
		}
		// Keys before the first section belong to none.
		if section != nil {
			section[strings.ToLower(strings.TrimSpace(key))] = unquote(strings.TrimSpace(value))
		}
	}
	return sections, nil
}

func unquote(value string) string {
	if value != "" && (value[0] == '"' || value[0] == '\'') {
		if inner, _, ok := strings.Cut(value[1:], value[:1]); ok {
			return inner
		}
	}
	for _, comment := range []string{" #", " ;", "\t#", "\t;"} {
		value, _, _ = strings.Cut(value, comment)
	}
	return strings.TrimSpace(value)
}
