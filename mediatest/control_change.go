package mediatest

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/internal/redact"
)

const (
	maxAhead    = 50 * 365 * 24 * time.Hour // of the clock
	maxAccounts = 1000
)

var eventName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._-]{0,99}$`)

// nothing is the body of a request that says nothing.
type nothing struct{}

// of finds an account by its id; empty means the first one. The caller holds mu.
func (c *control) of(id string) (*Account, error) {
	if id == "" {
		return c.first.Load(), nil
	}
	if acc := c.account(id); acc != nil {
		return acc, nil
	}
	return nil, refusal{http.StatusNotFound, "there is no account " + redact.Bounded(id, 40)}
}

// keysDocument are credentials in an answer.
type keysDocument struct {
	Account                      string
	AccessKeyId, AccessKeySecret string
	SecurityToken                string     `json:",omitempty"`
	Expiration                   *time.Time `json:",omitempty"`
	StorageBucket                string     `json:",omitempty"`
}

func keysOf(acc *Account, k credentials.Credentials) keysDocument {
	d := keysDocument{Account: acc.id, AccessKeyId: k.AccessKeyId, AccessKeySecret: k.AccessKeySecret, SecurityToken: k.SecurityToken}
	if !k.Expires.IsZero() {
		d.Expiration = &k.Expires
	}
	return d
}

type clockDocument struct {
	Now   time.Time
	Ahead span // of this machine's clock
}

func (c *control) getClock(*http.Request) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return clockDocument{c.now(), span(c.ahead)}, nil
}

func (c *control) postClock(r *http.Request) (any, error) {
	var in struct{ Advance span }
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	d := time.Duration(in.Advance)
	if d > maxAhead || c.ahead+d > maxAhead {
		return nil, wrong("the clock goes at most %v ahead", maxAhead)
	}
	c.advance(d)
	return clockDocument{c.now(), span(c.ahead)}, nil
}

func (c *control) postOutcomes(r *http.Request) (any, error) {
	var in outcomeDocument
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	if in.Times < 0 {
		return nil, wrong("Times is not negative; 0 means all")
	}
	if err := c.knows(in.Operation); err != nil {
		return nil, err
	}
	c.Outcome(Outcome{
		Operation: in.Operation, Contains: in.Contains, Duration: time.Duration(in.Duration), Code: in.Code, Message: in.Message, Times: in.Times,
	})
	return in, nil
}

// outcomeDocument is an [Outcome] in JSON.
type outcomeDocument struct {
	Operation string `json:",omitempty"`
	Contains  string `json:",omitempty"`
	Duration  span   `json:",omitzero"`
	Code      string `json:",omitempty"`
	Message   string `json:",omitempty"`
	Times     int    `json:",omitempty"`
}

func (o *outcome) document() outcomeDocument {
	return outcomeDocument{o.Operation, o.Contains, span(o.Duration), o.Code, o.Message, o.Times}
}

func (c *control) postUsers(r *http.Request) (any, error) {
	var in struct {
		Account string
		Policy  json.RawMessage // a document, or a string with one
	}
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	if len(in.Policy) == 0 {
		return nil, wrong("Policy is missing: a RAM policy document")
	}
	p, err := parsePolicy(rawText(in.Policy))
	if err != nil {
		return nil, wrong("Policy: %v", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	acc, err := c.of(in.Account)
	if err != nil {
		return nil, err
	}
	return keysOf(acc, acc.newUser(p)), nil
}

func (c *control) postAccounts(r *http.Request) (any, error) {
	var in struct{ Id string }
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if in.Id == "" {
		in.Id = c.randomDigits(16)
	}
	if !accountID.MatchString(in.Id) {
		return nil, wrong("Id is not a number of at most 32 digits")
	}
	acc := c.account(in.Id)
	if acc == nil {
		if len(c.accounts) >= maxAccounts {
			return nil, wrong("there are %d accounts already", maxAccounts)
		}
		acc = c.addAccount(in.Id)
	}
	answer := keysOf(acc, acc.static())
	answer.StorageBucket = acc.storage
	return answer, nil
}

func (c *control) postBuckets(r *http.Request) (any, error) {
	var in struct{ Account, Name string }
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	if !bucketName.MatchString(in.Name) {
		return nil, wrong("Name is not the name of a bucket: 3 to 63 of a to z, 0 to 9 and hyphens")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	acc, err := c.of(in.Account)
	if err != nil {
		return nil, err
	}
	c.ensureBucket(acc, in.Name)
	if !acc.owns(in.Name) {
		return nil, refusal{http.StatusConflict, "the bucket belongs to another account"}
	}
	return struct{ Account, Name, Region string }{acc.id, in.Name, c.buckets[in.Name].region}, nil
}

func (c *control) postCredentials(r *http.Request) (any, error) {
	var in struct {
		Account string
		Life    span // "" means that of the server
	}
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	life := time.Duration(in.Life)
	if life == 0 {
		life = c.opts.life
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	acc, err := c.of(in.Account)
	if err != nil {
		return nil, err
	}
	return keysOf(acc, acc.assume(roleName, sessionName, min(life, maxAhead)).Credentials), nil
}

func (c *control) expireCredentials(r *http.Request) (any, error) {
	if err := decode(r, new(nothing)); err != nil {
		return nil, err
	}
	c.ExpireCredentials()
	return nothing{}, nil
}

func (c *control) getEvents(r *http.Request) (any, error) {
	if _, err := queryOf(r); err != nil {
		return nil, err
	}
	return struct{ Events []Event }{latest(c.Events(), maxListed)}, nil
}

// postEvents sends an event as if the service had caused it.
func (c *control) postEvents(r *http.Request) (any, error) {
	var in struct {
		Account, Service, EventType string
		UserData                    string // as given to the operation that caused it
		Body                        fields // what it tells besides its type and time
	}
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	if in.Service != "vod" && in.Service != "ice" {
		return nil, wrong("Service is neither vod nor ice")
	}
	if !eventName.MatchString(in.EventType) {
		return nil, wrong("EventType is missing or not the name of an event")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	acc, err := c.of(in.Account)
	if err != nil {
		return nil, err
	}
	c.emit(acc, in.Service, in.EventType, in.UserData, in.Body)
	return *c.events[len(c.events)-1], nil
}

func (c *control) postReset(r *http.Request) (any, error) {
	if err := decode(r, new(nothing)); err != nil {
		return nil, err
	}
	c.Reset()
	return nothing{}, nil
}

// knows refuses the name of an operation that nothing has.
func (c *control) knows(operation string) error {
	if operation == "" || ossOperations[operation] != nil || operations["sts"][operation] != nil {
		return nil
	}
	for _, service := range []string{"ice", "vod"} {
		if _, known := Levels(service)[operation]; known {
			return nil
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for name := range c.custom {
		if strings.HasSuffix(name, "."+operation) {
			return nil
		}
	}
	return wrong("there is no operation %q", redact.Bounded(operation, 64))
}
