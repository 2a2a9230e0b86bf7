package mediatest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go/credentials"
)

// policy is a RAM policy document.
type policy struct {
	Statement []struct {
		Effect           string
		Action, Resource words
	}
}

// words is a string or a list of strings.
type words []string

func (w *words) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	var one string
	if json.Unmarshal(data, &one) == nil {
		*w = words{one}
		return nil
	}
	var many []string
	err := json.Unmarshal(data, &many)
	*w = many
	return err
}

func parsePolicy(document string) (*policy, error) {
	var p policy
	if err := json.Unmarshal([]byte(document), &p); err != nil {
		return &p, err
	}
	return &p, p.check()
}

func (p *policy) check() error {
	for _, st := range p.Statement {
		if st.Effect != "Allow" && st.Effect != "Deny" || len(st.Action) == 0 {
			return errors.New("a statement needs an Effect of Allow or Deny, and an Action")
		}
	}
	return nil
}

// NewUser makes a RAM user of the first account that may do what a RAM policy
// document allows, such as one of alimedia.RAMPolicy, and returns the user's
// keys. Actions are product:Operation, such as "vod:Get*"; a Deny wins over
// every Allow. Statements count for all resources, whatever their Resource and
// Condition say.
func (s *Server) NewUser(policyDocument string) credentials.Credentials {
	return s.first.Load().NewUser(policyDocument)
}

// NewUser is [Server.NewUser] for this account.
func (acc *Account) NewUser(policyDocument string) credentials.Credentials {
	p, err := parsePolicy(policyDocument)
	if err != nil {
		acc.srv.misuse("NewUser: policy: %v", err)
	}
	acc.srv.mu.Lock()
	defer acc.srv.mu.Unlock()
	return acc.newUser(p)
}

// newUser is called with mu held.
func (acc *Account) newUser(p *policy) credentials.Credentials {
	c := acc.newKeys()
	k := acc.srv.keys[c.AccessKeyId]
	k.policy, k.user = p, "user-"+acc.srv.randomID(4)
	return c
}

// says is what the policy says of an action: "Allow", "Deny" or nothing.
func (p *policy) says(action string) string {
	verdict := ""
	for _, st := range p.Statement {
		if !slices.ContainsFunc(st.Action, func(pattern string) bool {
			ok, err := path.Match(strings.ToLower(pattern), strings.ToLower(action))
			return err == nil && ok
		}) {
			continue
		}
		if st.Effect == "Deny" {
			return "Deny"
		}
		verdict = st.Effect
	}
	return verdict
}

// allow refuses an action that the policy of the key's user does not allow.
func (k *key) allow(action string) error {
	if k.policy == nil {
		return nil
	}
	verdict := k.policy.says(action)
	if verdict == "Allow" {
		return nil
	}
	kind := "ImplicitDeny"
	if verdict == "Deny" {
		kind = "ExplicitDeny"
	}
	f := refused(403, "NoPermission", "You are not authorized to do this action. Action: %s", action)
	f.detail = fields{
		"AuthAction": action, "AuthPrincipalType": "SubUser", "AuthPrincipalOwnerId": k.owner.id, "AuthPrincipalDisplayName": k.user,
		"NoPermissionType": kind, "PolicyType": "AccountLevelIdentityBasedPolicy",
		"EncodedDiagnosticMessage": base64.StdEncoding.EncodeToString([]byte(action + " " + kind)),
	}
	return f
}

// Throttle refuses calls of an operation beyond a number in a second, for each
// account, as the services do; vod.DocumentedRates has those that are
// documented. Operations that rates does not name are not limited.
func Throttle(rates map[string]float64) Option {
	return func(o *options) { o.rates = rates }
}

// bucketOfCalls is a token bucket: a call takes one token.
type bucketOfCalls struct {
	tokens float64
	at     time.Time
}

// throttle refuses a call beyond the rate of its operation and says how long to
// wait.
func (s *Server) throttle(acc *Account, action string) (wait time.Duration, throttled bool) {
	rate := s.opts.rates[action]
	if rate <= 0 {
		return 0, false
	}
	now, burst := s.wall(), math.Max(rate, 1)
	b := s.spent[acc.id+"/"+action]
	if b == nil {
		b = &bucketOfCalls{tokens: burst, at: now}
		s.spent[acc.id+"/"+action] = b
	}
	b.tokens = min(burst, b.tokens+now.Sub(b.at).Seconds()*rate)
	b.at = now
	if b.tokens < 1 {
		return time.Duration((1 - b.tokens) / rate * float64(time.Second)), true
	}
	b.tokens--
	return 0, false
}
