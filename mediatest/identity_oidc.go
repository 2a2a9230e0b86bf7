package mediatest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"
	"time"
)

// OIDCProvider is an OpenID Connect identity provider that RAM trusts, as made by
// CreateOIDCProvider, and the issuer of its tokens at the same time. All methods
// are safe for concurrent use.
type OIDCProvider struct {
	acc     *Account
	name    string
	clients []string
	key     *ecdsa.PrivateKey
}

// NewOIDCProvider makes an identity provider of the first account. See
// [Account.NewOIDCProvider].
func (s *Server) NewOIDCProvider(name string, clientIDs ...string) *OIDCProvider {
	return s.first.Load().NewOIDCProvider(name, clientIDs...)
}

// NewOIDCProvider makes an identity provider whose tokens AssumeRoleWithOIDC
// accepts for every role of the account. Tokens are for the client ids; without
// any, for "sts.aliyuncs.com". A provider of the same name is replaced, and its
// tokens are no longer accepted.
func (acc *Account) NewOIDCProvider(name string, clientIDs ...string) *OIDCProvider {
	if len(clientIDs) == 0 {
		clientIDs = []string{"sts.aliyuncs.com"}
	}
	p := &OIDCProvider{acc: acc, name: name, clients: slices.Clone(clientIDs)}
	p.key, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader) // never fails
	acc.srv.mu.Lock()
	defer acc.srv.mu.Unlock()
	acc.srv.providers[p.Arn()] = p
	return p
}

// Format shows the ARN, whatever the verb.
func (p *OIDCProvider) Format(f fmt.State, _ rune) {
	if p == nil {
		_, _ = io.WriteString(f, "<nil>")
		return
	}
	fmt.Fprintf(f, "mediatest.OIDCProvider(%s)", p.Arn())
}

// Arn is the name of the provider for AssumeRoleWithOIDC.
func (p *OIDCProvider) Arn() string { return "acs:ram::" + p.acc.id + ":oidc-provider/" + p.name }

// Issuer is the URL that tokens name as their issuer. Nothing answers there.
func (p *OIDCProvider) Issuer() string { return "https://" + p.name + ".oidc.example.com" }

// Token issues a token for a subject, such as
// "system:serviceaccount:default:backend", that is valid for so long from now on,
// by the server's time. The result is a secret.
func (p *OIDCProvider) Token(subject string, life time.Duration) string {
	p.acc.srv.mu.Lock()
	now := p.acc.srv.now()
	p.acc.srv.mu.Unlock()
	return p.Sign(map[string]any{
		"iss": p.Issuer(), "sub": subject, "aud": p.clients, "iat": now.Unix(), "exp": now.Add(life).Unix(), "jti": p.acc.srv.randomID(8),
	})
}

const tokenAlgorithm = "ES256"

// Sign makes a token of any claims, such as those of another audience ("aud") or
// issuer ("iss"), which AssumeRoleWithOIDC refuses. The result is a secret.
func (p *OIDCProvider) Sign(claims map[string]any) string {
	payload, err := json.Marshal(claims)
	if err != nil {
		p.acc.srv.misuse("Sign: claims: %v", err)
		return ""
	}
	header := `{"alg":"` + tokenAlgorithm + `","typ":"JWT"}`
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(payload)
	sum := sha256.Sum256([]byte(text))
	r, v, err := ecdsa.Sign(rand.Reader, p.key, sum[:])
	if err != nil {
		return "" // the key is one
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(append(r.FillBytes(make([]byte, 32)), v.FillBytes(make([]byte, 32))...))
}

func (p *OIDCProvider) signed(text string, signature []byte) bool {
	if len(signature) != 64 {
		return false
	}
	sum := sha256.Sum256([]byte(text))
	return ecdsa.Verify(&p.key.PublicKey, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
}

// claims are what is read of a token.
type claims struct {
	Iss, Sub string
	Aud      words
	Iat, Exp int64
}

// verify reads a token and checks whether it is one of the provider's.
func (p *OIDCProvider) verify(token string, now time.Time) (claims, error) {
	var c claims
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return c, badToken("Invalid", "The number of Jwt field should be divided into 3 parts with '.' .")
	}
	var decoded [3][]byte
	for i, part := range parts {
		text, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil {
			return c, badToken("Invalid", "Cannot decode base64 encoded response(format invalided).")
		}
		decoded[i] = text
	}
	var header struct{ Alg string }
	switch {
	case json.Unmarshal(decoded[0], &header) != nil, json.Unmarshal(decoded[1], &c) != nil:
		return c, badToken("Invalid", "The Jwt content is invalid that cannot be recognized.")
	case header.Alg != tokenAlgorithm:
		return c, badToken("Invalid", "The algorithm that be specified in Jwt header is unknown.")
	case !p.signed(parts[0]+"."+parts[1], decoded[2]):
		return c, badToken("InvalidSignature", "OIDC token validate failed: invalid signature.")
	case c.Iss != p.Issuer():
		return c, badToken("Invalid", "The issuer of the token is not that of the OIDC provider.")
	case !slices.ContainsFunc(p.clients, func(id string) bool { return slices.Contains(c.Aud, id) }):
		return c, badToken("AudienceNotMatch", "Invalid audience.")
	case !now.Before(time.Unix(c.Exp, 0)):
		return c, badToken("Expired", "This JsonWebToken is expired.")
	}
	return c, nil
}

func badToken(kind, message string) failure {
	return refused(401, "AuthenticationFail.OIDCToken."+kind, "%s", message)
}
