package mediatest

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
)

// Account is one of the Alibaba Cloud accounts that the server knows. Assets,
// ReferenceIds, ClientTokens and buckets belong to an account; those of
// another one are not found or not accessible. A server begins with one
// account, which is what [Server.Config] and the other methods of [Server]
// that name no account are for. All methods are safe for concurrent use.
type Account struct {
	srv     *Server
	id      string
	static  provider          // of the first long-lived keys
	userID  string            // of the RAM user that has the long-lived keys
	roles   map[string]string // id of a role, by name
	storage string            // bucket of managed uploads

	medias map[string]*asset
	order  []*asset                     // by creation
	tokens map[string]string            // ClientToken -> id of what it made
	made   map[string]map[string]*thing // what else was made, by service.kind and id
}

const (
	userName    = "mediatest"
	roleName    = "mediatest-role"
	sessionName = "mediatest-session"
)

var accountID = regexp.MustCompile(`^[0-9]{1,32}$`)

// AddAccount adds an account with the numeric id, such as "1234567890123456",
// with long-lived keys and a managed bucket of its own. Each call with the same
// id returns the same account.
func (s *Server) AddAccount(id string) *Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !accountID.MatchString(id) {
		s.misuse("AddAccount: the id %q is not numeric", id)
	}
	if acc := s.account(id); acc != nil {
		return acc
	}
	return s.addAccount(id)
}

// Account is the account that the server began with.
func (s *Server) Account() *Account { return s.first.Load() }

// account finds an account. The caller holds mu.
func (s *Server) account(id string) *Account {
	for _, acc := range s.accounts {
		if acc.id == id {
			return acc
		}
	}
	return nil
}

func (s *Server) addAccount(id string) *Account {
	acc := &Account{srv: s, id: id, userID: s.randomDigits(18), storage: "outin-" + s.randomID(16)}
	keys := s.opts.keys
	if s.first.Load() != nil || keys.AccessKeyId == "" {
		keys = acc.newKeys()
	}
	acc.static = func() credentials.Credentials { return keys }
	acc.begin()
	return acc
}

// begin makes the account one of the server's, with nothing in it but its
// keys and its managed bucket. The caller holds mu.
func (acc *Account) begin() {
	acc.roles, acc.medias, acc.order = map[string]string{}, map[string]*asset{}, nil
	acc.tokens, acc.made = map[string]string{}, map[string]map[string]*thing{}
	s, keys := acc.srv, acc.static()
	s.keys[keys.AccessKeyId] = &key{Credentials: keys, owner: acc, user: userName}
	s.buckets[acc.storage] = newBucket(acc, s.opts.storageRegion())
	s.accounts = append(s.accounts, acc)
}

// Id is the numeric id of the account.
func (acc *Account) Id() string { return acc.id }

// Config is what a client of this account needs to talk to the server: the
// region, the endpoint, the account's long-lived credentials and the HTTP
// client.
func (acc *Account) Config() alimedia.Config {
	return alimedia.Config{
		Region:      acc.srv.opts.region,
		Endpoint:    acc.srv.URL,
		Credentials: acc.static,
		HTTPClient:  acc.srv.client,
	}
}

// provider returns its keys. It is a function so that they are out of the reach
// of fmt.
type provider func() credentials.Credentials

func (p provider) Credentials(context.Context) (credentials.Credentials, error) { return p(), nil }

// Format shows the id of the account, whatever the verb.
func (acc *Account) Format(f fmt.State, _ rune) {
	if acc == nil {
		_, _ = io.WriteString(f, "<nil>")
		return
	}
	fmt.Fprintf(f, "mediatest.Account(%s)", acc.id)
}

// Credentials are the long-lived keys that Config carries, of a RAM user. They
// may do everything in the account and never expire.
func (acc *Account) Credentials() credentials.Credentials { return acc.static() }

// AddKeys returns further long-lived keys of the same RAM user, as made when
// keys are rotated. The earlier ones stay valid until [Server.RevokeKeys].
func (acc *Account) AddKeys() credentials.Credentials {
	acc.srv.mu.Lock()
	defer acc.srv.mu.Unlock()
	return acc.newKeys()
}

// newKeys is called with mu held.
func (acc *Account) newKeys() credentials.Credentials {
	c := credentials.Credentials{
		AccessKeyId:     "LTAI" + acc.srv.randomID(8),
		AccessKeySecret: acc.srv.randomID(15),
		Source:          "mediatest",
	}
	acc.srv.keys[c.AccessKeyId] = &key{Credentials: c, owner: acc, user: userName}
	return c
}

// RevokeKeys deletes an access key of any account or role. Requests that it
// signs are refused from now on.
func (s *Server) RevokeKeys(accessKeyId string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys[accessKeyId] == nil {
		s.misuse("RevokeKeys: no access key %q", accessKeyId)
	}
	delete(s.keys, accessKeyId)
}

// IssueCredentials returns temporary credentials of a role of the account: good
// for everything in it until they expire, see [CredentialLife].
func (acc *Account) IssueCredentials() credentials.Credentials {
	acc.srv.mu.Lock()
	defer acc.srv.mu.Unlock()
	return acc.assume(roleName, sessionName, acc.srv.opts.life).Credentials
}

// assume is called with mu held.
func (acc *Account) assume(role, session string, life time.Duration) *key {
	if acc.roles[role] == "" {
		acc.roles[role] = acc.srv.randomDigits(18)
	}
	return acc.srv.issue(key{owner: acc, role: role, session: session}, life)
}
