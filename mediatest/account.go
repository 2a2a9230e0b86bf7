package mediatest

import (
	"context"
	"fmt"
	"io"
	"maps"
	"regexp"
	"strconv"
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
func (s *Server) Account() *Account { return s.first }

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
	acc := &Account{
		srv: s, id: id, userID: randomDigits(18), storage: "outin-" + randomID(16),
		roles: map[string]string{}, medias: map[string]*asset{}, tokens: map[string]string{}, made: map[string]map[string]*thing{},
	}
	keys := acc.newKeys()
	acc.static = func() credentials.Credentials { return keys }
	s.buckets[acc.storage] = newBucket(acc, s.opts.storageRegion())
	s.accounts = append(s.accounts, acc)
	return acc
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
		AccessKeyId:     "LTAI" + randomID(8),
		AccessKeySecret: randomID(15),
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
		acc.roles[role] = randomDigits(18)
	}
	return acc.srv.issue(key{owner: acc, role: role, session: session}, life)
}

var stsOperations = map[string]operation{
	"GetCallerIdentity": getCallerIdentity,
	"AssumeRole":        assumeRole,
}

func getCallerIdentity(c *call) (fields, error) {
	acc, k := c.Account, c.by
	f := fields{"AccountId": acc.id}
	if k.role == "" {
		maps.Copy(f, fields{
			"IdentityType": "RAMUser", "Arn": "acs:ram::" + acc.id + ":user/" + k.user,
			"PrincipalId": acc.userID, "UserId": acc.userID,
		})
		return f, nil
	}
	maps.Copy(f, fields{
		"IdentityType": "AssumedRoleUser", "Arn": k.assumedArn(),
		"PrincipalId": acc.roles[k.role] + ":" + k.session, "RoleId": acc.roles[k.role],
	})
	return f, nil
}

func (k *key) assumedArn() string {
	return "acs:ram::" + k.owner.id + ":assumed-role/" + k.role + "/" + k.session
}

var (
	roleArn     = regexp.MustCompile(`^acs:ram::([0-9]+):role/([A-Za-z0-9.-]{1,64})$`)
	roleSession = regexp.MustCompile(`^[A-Za-z0-9.@_-]{2,64}$`)
)

// assumeRole takes every role of a known account for one that exists and
// trusts the caller.
func assumeRole(c *call) (fields, error) {
	if err := c.need("RoleArn", "RoleSessionName"); err != nil {
		return nil, err
	}
	m := roleArn.FindStringSubmatch(c.get("RoleArn"))
	if m == nil {
		return nil, refused(400, "InvalidParameter.RoleArn", "The parameter RoleArn is wrongly formed.")
	}
	if !roleSession.MatchString(c.get("RoleSessionName")) {
		return nil, refused(400, "InvalidParameter.RoleSessionName", "The parameter RoleSessionName is wrongly formed.")
	}
	life := time.Hour
	if text := c.get("DurationSeconds"); text != "" {
		seconds, err := strconv.Atoi(text)
		if err != nil || seconds < 900 || seconds > 43200 {
			return nil, refused(400, "InvalidParameter.DurationSeconds", "The Min/Max value of DurationSeconds is 15min/1hr.")
		}
		life = time.Duration(seconds) * time.Second
	}
	acc := c.account(m[1])
	if acc == nil {
		return nil, refused(404, "EntityNotExist.Role", "The specified Role not exists.")
	}
	k := acc.assume(m[2], c.get("RoleSessionName"), life)
	return fields{
		"Credentials": fields{
			"AccessKeyId": k.AccessKeyId, "AccessKeySecret": k.AccessKeySecret,
			"SecurityToken": k.SecurityToken, "Expiration": k.Expires.Format(timeFormat),
		},
		"AssumedRoleUser": fields{"Arn": k.assumedArn(), "AssumedRoleId": acc.roles[k.role] + ":" + k.session},
	}, nil
}
