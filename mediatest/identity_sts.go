package mediatest

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go/credentials"
)

// key is an access key the server knows.
type key struct {
	credentials.Credentials
	owner   *Account
	user    string  // name of the RAM user whose key it is
	role    string  // or of the role
	session string  // of the role
	policy  *policy // of the user; nil: everything is allowed
	bucket  string  // when set, the key may touch this bucket only,
	object  string  // and there this object only,
	prefix  string  // or the objects whose key begins so
}

func (k *key) expired(now time.Time) bool { return !k.Expires.IsZero() && !now.Before(k.Expires) }

// may reports whether the key reaches the object, or the bucket when object
// is empty.
func (k *key) may(bucket, object string) bool {
	if k.bucket == "" {
		return true
	}
	return bucket == k.bucket && object != "" &&
		(object == k.object || k.prefix != "" && strings.HasPrefix(object, k.prefix))
}

// issue makes temporary credentials. The caller holds mu.
func (s *Server) issue(k key, life time.Duration) *key {
	k.Credentials = credentials.Credentials{
		AccessKeyId:     "STS." + s.randomID(12),
		AccessKeySecret: s.randomID(22),
		SecurityToken:   "CAIS" + base64.StdEncoding.EncodeToString([]byte(s.randomID(48))),
		Expires:         s.now().Add(life),
		Source:          "mediatest",
	}
	s.keys[k.AccessKeyId] = &k
	return &k
}

// IssueCredentials returns temporary credentials of a role of the first
// account: good for everything in it until they expire, see [CredentialLife].
func (s *Server) IssueCredentials() credentials.Credentials { return s.first.Load().IssueCredentials() }

// ExpireCredentials ends the life of all temporary credentials issued so far.
func (s *Server) ExpireCredentials() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	for _, k := range s.keys {
		if k.SecurityToken != "" && !k.expired(now) {
			k.Expires = now
		}
	}
}

var (
	errAPITokenExpired = failure{status: 400, code: "InvalidSecurityToken.Expired", message: "Specified SecurityToken is expired."}
	errAPIThrottled    = failure{status: 400, code: "Throttling.User", message: "Request was denied due to user flow control."}
)

// checkAPIToken says whether the security token goes with the key. The caller
// holds mu.
func (s *Server) checkAPIToken(k *key, token string) error {
	switch {
	case k.SecurityToken == token && k.expired(s.now()):
		return errAPITokenExpired
	case k.SecurityToken == token:
		return nil
	case token == "":
		return refused(400, "MissingSecurityToken", "SecurityToken is mandatory for this action.")
	default:
		return refused(400, "InvalidSecurityToken.MismatchWithAccessKey", "Specified SecurityToken mismatch with the AccessKey.")
	}
}

// uploadFields are UploadAddress and UploadAuth of an answer: a fresh
// credential for one object, or for all objects beside it when prefix is set.
// The caller holds mu.
func (acc *Account) uploadFields(bucket, object, prefix string) (address, auth string) {
	s := acc.srv
	k := s.issue(key{owner: acc, bucket: bucket, object: object, prefix: prefix}, s.opts.life)
	where := map[string]any{"Endpoint": s.URL, "Bucket": bucket, "FileName": object}
	if prefix != "" {
		where["ObjectPrefix"] = prefix
	}
	return s.opts.encode(where, map[string]any{
		"AccessKeyId":     k.AccessKeyId,
		"AccessKeySecret": k.AccessKeySecret,
		"SecurityToken":   k.SecurityToken,
		"Expiration":      lifetime(s.opts.life),
		"ExpireUTCTime":   k.Expires.Format(time.RFC3339),
		"Region":          s.opts.region,
	})
}

// lifetime is what Expiration says. The service promises 3000 seconds and
// writes 3600.
func lifetime(d time.Duration) string {
	if d == defaultLife {
		return "3600"
	}
	return strconv.Itoa(int(d / time.Second))
}

func encodeUpload(address, auth map[string]any) (string, string) {
	return EncodeBase64(address), EncodeBase64(auth)
}

// EncodeBase64 writes v as Base64 of its JSON, the regular form of
// UploadAddress and UploadAuth. A value that JSON cannot say gives "".
func EncodeBase64(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(text)
}
