package credentials

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// URIOptions configures [URI].
type URIOptions struct {
	// HTTPClient sends the request. Nil means a default client that uses no proxy
	// and waits five seconds for the connection, and five for the response.
	HTTPClient *http.Client
}

// URI returns a provider of the credentials that a local service returns for a GET
// request to uri: a JSON object with AccessKeyId, AccessKeySecret, SecurityToken and
// Expiration. An empty uri means ALIBABA_CLOUD_CREDENTIALS_URI.
func URI(uri string, opts URIOptions) Provider {
	return newCache("URI", newURI(uri, opts).fetch)
}

type uriSource struct {
	uri    string
	caller caller
}

func newURI(uri string, opts URIOptions) *uriSource {
	return &uriSource{uri: uri, caller: newCaller(opts.HTTPClient, httpTimeout, nil)}
}

func (u *uriSource) fetch(ctx context.Context) (Credentials, error) {
	uri := u.uri
	if uri == "" {
		uri = getenv("ALIBABA_CLOUD_CREDENTIALS_URI")
	}
	if uri == "" {
		return Credentials{}, errors.New("set ALIBABA_CLOUD_CREDENTIALS_URI, or give the URI")
	}
	// The URI may hold secrets of its own: no error quotes it.
	errURI := errors.New("the URI is not an http:// or https:// URL")
	target, err := url.Parse(uri)
	if err != nil || target.Host == "" || target.Scheme != "http" && target.Scheme != "https" {
		return Credentials{}, errURI
	}
	password, _ := target.User.Password()
	secrets := []string{uri, target.RawQuery, password}
	for _, values := range target.Query() {
		secrets = append(secrets, values...)
	}
	a, err := u.caller.exchange(ctx, func(ctx context.Context) (*http.Request, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, uri, nil)
		if err != nil {
			return nil, errURI
		}
		return req, nil
	}, secrets...)
	if err != nil {
		return Credentials{}, err
	}
	doc, err := decode(a.body)
	if err != nil {
		return Credentials{}, err
	}
	if doc.Code != "" && !strings.EqualFold(doc.Code, "Success") {
		return Credentials{}, doc.refusal(http.StatusOK, secrets)
	}
	return doc.keys.credentials("URI", a.date)
}
