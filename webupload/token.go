package webupload

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go"
)

const tokenHeader = "Upload-Token"

// claim is what a token proves: that this handler created the asset for the owner.
type claim struct {
	Kind    Kind   `json:"k"`
	Id      string `json:"i"`
	Size    int64  `json:"s"` // declared, in bytes
	Expires int64  `json:"e"` // Unix time
}

// tokens signs and verifies claims. Its functions hold the keys, so that fmt cannot
// print them.
type tokens struct {
	life   time.Duration
	sign   func(owner, text string) []byte
	proves func(owner, text string, mac []byte) bool
}

func newTokens(keys []alimedia.Secret, life time.Duration) tokens {
	return tokens{
		life: life,
		sign: func(owner, text string) []byte { return macOf(keys[0], owner, text) },
		proves: func(owner, text string, mac []byte) bool {
			ok := false
			for _, key := range keys {
				ok = hmac.Equal(mac, macOf(key, owner, text)) || ok
			}
			return ok
		},
	}
}

// macOf binds the text to the owner, whose name is not in it.
func macOf(key alimedia.Secret, owner, text string) []byte {
	h := hmac.New(sha256.New, []byte(key.Reveal()))
	h.Write([]byte("alimedia webupload 1\x00"))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(owner))))
	h.Write([]byte(owner))
	h.Write([]byte(text))
	return h.Sum(nil)
}

func (t tokens) issue(owner string, c claim) string {
	c.Expires = time.Now().Add(t.life).Unix()
	payload, _ := json.Marshal(c) // text and numbers
	text := base64.RawURLEncoding.EncodeToString(payload)
	return text + "." + base64.RawURLEncoding.EncodeToString(t.sign(owner, text))
}

var (
	errToken   = Refuse(http.StatusForbidden, "UploadNotAllowed", "This upload was not started by you.")
	errExpired = Refuse(http.StatusForbidden, "UploadExpired", "This upload was started too long ago. Start it again.")
)

// verify returns the claim of a token that was issued to the owner for the asset.
func (t tokens) verify(owner, id, token string) (claim, error) {
	text, signature, _ := strings.Cut(token, ".")
	mac, err := base64.RawURLEncoding.Strict().DecodeString(signature)
	if err != nil || !t.proves(owner, text, mac) {
		return claim{}, errToken
	}
	var c claim
	payload, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || json.Unmarshal(payload, &c) != nil || c.Id != id {
		return claim{}, errToken
	}
	if time.Now().Unix() >= c.Expires {
		return claim{}, errExpired
	}
	return c, nil
}
