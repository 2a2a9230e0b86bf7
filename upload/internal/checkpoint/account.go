package checkpoint

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"regexp"
)

// accountFile records which account an access key belongs to, for runs during
// which STS does not answer.
type accountFile struct {
	Account string `json:"account"`
}

const accountEnd = ".account" // of the name of an accountFile

var accountID = regexp.MustCompile(`^[0-9]{1,32}$`)

// AccessKeyDigest represents an AccessKeyId on disk.
func AccessKeyDigest(accessKeyID string) string {
	sum := sha256.Sum256([]byte("access key " + accessKeyID))
	return hex.EncodeToString(sum[:16])
}

// Account returns the account that the access key with this digest belongs to,
// and an empty string if no run has saved it.
func (d *Dir) Account(digest string) string {
	data, err := d.read(digest+accountEnd, 1<<10)
	var f accountFile
	if err != nil || json.Unmarshal(data, &f) != nil || !accountID.MatchString(f.Account) {
		return ""
	}
	return f.Account
}

// SaveAccount saves an account for later runs. This run does not need it, so
// there is no error.
func (d *Dir) SaveAccount(digest, account string) {
	name := digest + accountEnd
	data, err := json.Marshal(accountFile{account})
	if err != nil || d.Account(digest) == account {
		return
	}
	if err := d.write(name, data); errors.Is(err, fs.ErrExist) {
		_ = d.root.Remove(name) // it cannot be read
		_ = d.write(name, data)
	}
	d.sync()
}
