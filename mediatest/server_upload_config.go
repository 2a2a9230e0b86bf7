package mediatest

import (
	"net/http"

	"github.com/alimedia/alimedia-go/credentials"
)

// UploadConfig is what an uploader needs of the server. Its fields have the names
// and types of those of upload.Config, which this package cannot return: the
// tests of package upload run on it.
type UploadConfig struct {
	Credentials credentials.Provider // for buckets of the account
	HTTPClient  *http.Client         // reaches the server, also when it is [InMemory]
	OSSEndpoint string               // where those buckets are
	OSSRegion   string               // of those buckets; selects version 4 of the signature
}

// UploadConfig is what an uploader of the first account needs of the server:
//
//	oss := srv.UploadConfig()
//	up, err := upload.New(upload.Config{ICE: client, Credentials: oss.Credentials, HTTPClient: oss.HTTPClient, OSSEndpoint: oss.OSSEndpoint})
//
// An upload.Bucket as the target needs the credentials and the endpoint, an
// InMemory server the HTTP client. Everything else works without:
// upload.New(upload.Config{VOD: client}) takes the address and the credentials that
// the service gives, here too.
func (s *Server) UploadConfig() UploadConfig { return s.first.Load().UploadConfig() }

// UploadConfig is [Server.UploadConfig] for this account.
func (acc *Account) UploadConfig() UploadConfig {
	return UploadConfig{Credentials: acc.static, HTTPClient: acc.srv.client, OSSEndpoint: acc.srv.URL, OSSRegion: acc.srv.opts.region}
}
