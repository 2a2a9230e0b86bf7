package credentials

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// fromConfig reads the command line's config.json.
func (b builder) fromConfig(data []byte, name string) (Provider, string, error) {
	var config struct {
		Current  string    `json:"current"`
		Profiles []profile `json:"profiles"`
	}
	// The text of an error may quote the file. A value of the wrong type
	// leaves its field empty, which matters only if the profile needs it.
	var syntax *json.SyntaxError
	var mistyped *json.UnmarshalTypeError
	switch err := json.Unmarshal(data, &config); {
	case errors.As(err, &syntax):
		return nil, "", fmt.Errorf("not valid JSON from byte %d on", syntax.Offset)
	case err != nil && !errors.As(err, &mistyped):
		return nil, "", errors.New("not the JSON document it should be")
	}
	if name == "" {
		name = config.Current
	}
	if name == "" {
		name = "default"
	}
	p, err := b.configured(config.Profiles, name, nil)
	return p, name, err
}

// configured makes the provider of the named profile; path holds the profiles
// that led here.
func (b builder) configured(all []profile, name string, path []string) (Provider, error) {
	for _, seen := range path {
		if seen == name {
			return nil, fmt.Errorf("the chain of profiles %.200s leads back to %.64q", strings.Join(path, " -> "), name)
		}
	}
	for _, p := range all {
		if p.Name == name {
			return b.provider(p, func(source string) (Provider, error) {
				return b.configured(all, source, append(path, name))
			})
		}
	}
	return nil, fmt.Errorf("there is no profile %.64q", name)
}
