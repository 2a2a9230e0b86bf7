package cli

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// maxConfigFile bounds the configuration file of aliyun-cli.
const maxConfigFile = 1 << 20

// profiles is what the command needs of the configuration file of aliyun-cli
// itself. Keys are read by package credentials only.
type profiles struct {
	Current  string `json:"current"`
	Profiles []struct {
		Name   string `json:"name"`
		Region string `json:"region_id"`
	} `json:"profiles"`
}

// region is the region and where it comes from: --region, the environment, or
// the profile. It is empty if nothing names one.
func (a *app) region() (region, from string, err error) {
	if r := strings.TrimSpace(a.flags.region); r != "" {
		return r, "--region", nil
	}
	for _, name := range []string{"ALIBABA_CLOUD_REGION_ID", "ALIBABACLOUD_REGION_ID", "ALICLOUD_REGION_ID"} {
		if r := strings.TrimSpace(a.env(name)); r != "" {
			return r, name, nil
		}
	}
	file, config, err := a.profiles()
	if err != nil || config == nil {
		return "", "", err
	}
	want := a.profileName(config)
	for _, p := range config.Profiles {
		if p.Name == want && p.Region != "" {
			return p.Region, "profile " + want + " of " + file, nil
		}
	}
	return "", "", nil
}

// profileName is the profile that applies.
func (a *app) profileName(config *profiles) string {
	for _, name := range []string{a.flags.profile, a.env("ALIBABA_CLOUD_PROFILE"), config.Current} {
		if name != "" {
			return name
		}
	}
	return "default"
}

// profiles reads the configuration file; nil if there is none. Errors do not
// quote it, because it holds keys.
func (a *app) profiles() (string, *profiles, error) {
	if strings.EqualFold(a.env("ALIBABA_CLOUD_CLI_PROFILE_DISABLED"), "true") {
		return "", nil, nil
	}
	file := a.env("ALIBABA_CLOUD_CONFIG_FILE")
	if file == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", nil, nil
		}
		file = filepath.Join(home, ".aliyun", "config.json")
	}
	f, err := os.Open(file)
	if errors.Is(err, os.ErrNotExist) {
		return file, nil, nil
	}
	if err != nil {
		return file, nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxConfigFile+1))
	if err != nil {
		return file, nil, err
	}
	var config profiles
	var mistyped *json.UnmarshalTypeError
	if err := json.Unmarshal(data, &config); len(data) > maxConfigFile || err != nil && !errors.As(err, &mistyped) {
		return file, nil, usagef("%s is not a configuration file of aliyun-cli: it must be JSON of at most 1 MiB", file)
	}
	return file, &config, nil
}

// profileNames are for completion.
func (a *app) profileNames() []string {
	_, config, err := a.profiles()
	if err != nil || config == nil {
		return nil
	}
	var names []string
	for _, p := range config.Profiles {
		names = append(names, p.Name)
	}
	return names
}
