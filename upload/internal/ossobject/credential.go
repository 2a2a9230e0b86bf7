package ossobject

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

// Reasons why an object cannot be uploaded, to be found with errors.Is. Package
// upload documents them.
var (
	ErrAddress       = errors.New("the upload address cannot be used")
	ErrUntrustedHost = errors.New("the host is not one of OSS, see Config.OSSHosts")
	ErrCallback      = errors.New("the object is stored, but its callback failed")
)

const (
	// defaultLife is what the services promise for an upload credential,
	// whatever the credential says of itself.
	defaultLife = 3000 * time.Second

	maxDocument = 64 << 10 // bytes of UploadAddress or UploadAuth
)

// UploadCredential is a decoded UploadAddress and UploadAuth.
type UploadCredential struct {
	Address
	Prefix string // of further objects of the asset; empty if there may be none
	Issued transfer.Issued
}

// Decode reads an UploadAddress and an UploadAuth: Base64 of one JSON object
// each. It accepts the standard and the URL-safe alphabet, padded or not, keys
// in any case and unknown keys. Documented samples have the two swapped, so each
// field is looked up in both. service is the clock of the service that has just
// issued them. An error wraps [ErrAddress] and shows no secret.
func Decode(uploadAddress, uploadAuth string, service *transfer.Clock) (UploadCredential, error) {
	c, err := decode(uploadAddress, uploadAuth, service.Now())
	c.Issued.Uncertain = !service.Known()
	return c, err
}

func decode(uploadAddress, uploadAuth string, now time.Time) (UploadCredential, error) {
	fields := make(document)
	for _, part := range []struct{ name, text string }{{"UploadAddress", uploadAddress}, {"UploadAuth", uploadAuth}} {
		if err := fields.add(part.name, part.text); err != nil {
			return UploadCredential{}, err
		}
	}
	var missing []string
	need := func(name string) string {
		value := fields.text(name)
		if value == "" {
			missing = append(missing, name)
		}
		return value
	}
	c := UploadCredential{
		Address: Address{Endpoint: need("Endpoint"), Bucket: need("Bucket"), Key: need("FileName")},
	}
	c.Issued.Credentials = credentials.Credentials{
		AccessKeyId:     need("AccessKeyId"),
		AccessKeySecret: need("AccessKeySecret"),
		SecurityToken:   need("SecurityToken"),
		Source:          "UploadAuth",
	}
	if missing != nil {
		return UploadCredential{}, fmt.Errorf("%w: no %s in UploadAddress and UploadAuth", ErrAddress, strings.Join(missing, ", "))
	}
	c.Prefix = fields.text("ObjectPrefix")
	var err error
	if c.Endpoint, err = ParseEndpoint(c.Endpoint); err != nil {
		return UploadCredential{}, fmt.Errorf("%w: %w", ErrAddress, err)
	}
	if err := CheckName(c.Bucket, c.Key); err != nil {
		return UploadCredential{}, fmt.Errorf("%w: %w", ErrAddress, err)
	}
	c.Issued.Object = c.Bucket + "/" + c.Key
	c.Issued.Life = lifetime(fields.text("ExpireUTCTime"), fields.text("Expiration"), now)
	return c, nil
}

// document holds the fields of both halves under lower-case names.
type document map[string]json.RawMessage

func (d document) add(name, text string) error {
	if len(text) > maxDocument {
		return fmt.Errorf("%w: %s is longer than %d bytes", ErrAddress, name, maxDocument)
	}
	text = strings.Join(strings.Fields(text), "")
	if text == "" {
		return fmt.Errorf("%w: %s is empty", ErrAddress, name)
	}
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	data, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return fmt.Errorf("%w: %s is not Base64", ErrAddress, name)
	}
	var fields map[string]json.RawMessage
	// The cause is left out: it may quote the document, which holds a secret.
	if json.Unmarshal(data, &fields) != nil || fields == nil {
		return fmt.Errorf("%w: %s is not a JSON object", ErrAddress, name)
	}
	for key, value := range fields {
		d[strings.ToLower(key)] = value
	}
	return nil
}

// text returns a field that is a string or a number, "" for anything else.
func (d document) text(name string) string {
	raw := bytes.TrimSpace(d[strings.ToLower(name)])
	if len(raw) == 0 {
		return ""
	}
	if raw[0] == '"' {
		var s string
		if json.Unmarshal(raw, &s) != nil {
			return ""
		}
		if name == "FileName" { // an object key is taken as it is
			return s
		}
		return strings.TrimSpace(s)
	}
	if c := raw[0]; c == '-' || '0' <= c && c <= '9' {
		return string(raw)
	}
	return ""
}

// lifetime says how long a credential may be used from now on. The
// instant ExpireUTCTime wins over Expiration, which is seconds as a string or
// a number, or an instant. An instant that has passed means that our clock is
// wrong, for the credential is new: the next hint counts.
func lifetime(expireUTCTime, expiration string, now time.Time) time.Duration {
	until := func(text string) time.Duration {
		t, err := alimedia.ParseTime(text)
		if err != nil {
			return 0
		}
		return t.Sub(now)
	}
	life := until(expireUTCTime)
	if life <= 0 {
		if seconds, err := strconv.ParseFloat(expiration, 64); err == nil {
			life = time.Duration(min(seconds, defaultLife.Seconds()) * float64(time.Second))
		} else {
			life = until(expiration)
		}
	}
	if life <= 0 || life > defaultLife {
		return defaultLife
	}
	return life
}
