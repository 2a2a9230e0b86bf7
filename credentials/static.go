package credentials

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
)

// local is a provider that holds its keys. They are in a closure, so that fmt cannot
// print them.
type local struct {
	label
	get func() (Credentials, error)
}

func (l local) Credentials(context.Context) (Credentials, error) {
	c, err := l.get()
	if err == nil {
		err = c.verify()
	}
	if err != nil {
		return Credentials{}, l.fail(err)
	}
	c.Source = string(l.label)
	return c, nil
}

// Static returns a provider of fixed credentials. The securityToken is empty for
// long-term keys.
func Static(accessKeyId, accessKeySecret, securityToken string) Provider {
	return local{"Static", func() (Credentials, error) {
		return Credentials{AccessKeyId: accessKeyId, AccessKeySecret: accessKeySecret, SecurityToken: securityToken}, nil
	}}
}

const (
	envId     = "ALIBABA_CLOUD_ACCESS_KEY_ID"
	envSecret = "ALIBABA_CLOUD_ACCESS_KEY_SECRET"
	envToken  = "ALIBABA_CLOUD_SECURITY_TOKEN"
)

// Env returns a provider of the credentials in ALIBABA_CLOUD_ACCESS_KEY_ID,
// ALIBABA_CLOUD_ACCESS_KEY_SECRET and, for temporary credentials,
// ALIBABA_CLOUD_SECURITY_TOKEN. It reads them at each call.
func Env() Provider {
	return local{"Env", func() (Credentials, error) {
		c := Credentials{AccessKeyId: getenv(envId), AccessKeySecret: getenv(envSecret), SecurityToken: getenv(envToken)}
		switch {
		case c.AccessKeyId == "" && c.AccessKeySecret == "":
			return c, errors.New("set " + envId + " and " + envSecret)
		case c.AccessKeyId == "":
			return c, fmt.Errorf("%s is set but %s is not: set both", envSecret, envId)
		case c.AccessKeySecret == "":
			return c, fmt.Errorf("%s is set but %s is not: set both", envId, envSecret)
		}
		return c, nil
	}}
}

// getenv drops blanks around the value, such as the line end that a mounted
// secret often has.
func getenv(name string) string { return strings.TrimSpace(os.Getenv(name)) }

// switchedOn reports whether the variable says true.
func switchedOn(name string) bool { return truth(getenv(name)) == "true" }

// truth returns "true" or "false" for the usual spellings of them, and any other
// text as it is.
func truth(text string) string {
	switch strings.ToLower(text) {
	case "true", "t", "1", "yes", "y", "on":
		return "true"
	case "false", "f", "0", "no", "n", "off":
		return "false"
	}
	return text
}
