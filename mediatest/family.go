package mediatest

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go/internal/catalogue"
)

// family is a kind of resource or job and the operations on it. What create
// makes, the others find, list, change and delete. Where an id, an object or a
// list stands in a request or an answer is read from the catalogue; a family
// says what the catalogue does not.
type family struct {
	service string
	kind    string // as in "Template", unique within the service
	id      string // wire name of the id
	key     string // parameters that name it where the caller chooses the name, blank separated

	// Operations, blank separated.
	create, get, list, update, delete string

	// set are operations that change fields and nothing else, by what they set:
	// "StopChannel": "State=0".
	set map[string]string

	fields   string // fields that something new has: "Status=Normal IsDefault=NotDefault"
	alias    string // fields of answers that have the value of another one: "TemplateName=Name"
	itemID   string // name of the id in lists, where it is another one
	event    string // of a job: what tells of its end
	notFound string // code; empty: Invalid<kind>.NotFound in VOD, ResourceNotFound in ICE

	// states of a job: waiting, running, done, failed. Empty for a resource.
	states string

	// made is called when something was made or updated, and done when a job has
	// succeeded.
	made func(*call, *thing) error
	done func(*Server, *Account, *thing)
}

// thing is one resource or job.
type thing struct {
	family   *family
	id       string
	by       string // the operation that made it
	values   map[string]string
	created  time.Time
	changed  time.Time
	seq      int64
	due      time.Time // of a job: when it ends
	polls    int       // how often a job is still seen running
	canceled bool
	settled  bool
	working  bool   // its work is under way, however late it is
	file     *file  // of a job that fetches one; nil when it is stored
	event    string // what tells of its end, in place of the family's
	code     string // why a job fails
	message  string
}

// familyOps finds the family that has an operation, and in which role.
type familyOp struct {
	family *family
	role   string // create, get, list, update, delete, or a set
}

var families = func() map[string]familyOp {
	all := map[string]familyOp{}
	for _, table := range [][]*family{iceFamilies, vodFamilies} {
		for _, f := range table {
			add := func(role, actions string) {
				for action := range strings.FieldsSeq(actions) {
					all[f.service+"."+action] = familyOp{f, role}
				}
			}
			add("create", f.create)
			add("get", f.get)
			add("list", f.list)
			add("update", f.update)
			add("delete", f.delete)
			for action, fields := range f.set {
				add("="+fields, action)
			}
		}
	}
	return all
}()

func (op familyOp) run(c *call) (fields, error) {
	switch op.role {
	case "create":
		return op.family.createOne(c)
	case "get":
		return op.family.getOne(c)
	case "list":
		return op.family.listAll(c)
	case "update":
		return op.family.updateOne(c)
	case "delete":
		return op.family.deleteSome(c)
	}
	return op.family.setFields(c, strings.TrimPrefix(op.role, "="))
}

// things are those of the caller's account.
func (c *call) things(f *family) map[string]*thing { return c.Account.things(f) }

func (acc *Account) things(f *family) map[string]*thing {
	name := f.service + "." + f.kind
	if acc.made[name] == nil {
		acc.made[name] = map[string]*thing{}
	}
	return acc.made[name]
}

// has reports whether there is a thing of a kind.
func (acc *Account) has(service, kind, id string) bool { return acc.made[service+"."+kind][id] != nil }

// sorted is by creation.
func (acc *Account) sorted(f *family) []*thing {
	return slices.SortedFunc(maps.Values(acc.things(f)), func(a, b *thing) int { return cmp.Compare(a.seq, b.seq) })
}

func pairs(text string) map[string]string {
	m := map[string]string{}
	for pair := range strings.FieldsSeq(text) {
		name, value, _ := strings.Cut(pair, "=")
		m[name] = value
	}
	return m
}

// gatewayParams are no properties of what a call makes.
var gatewayParams = strings.Fields("Action Version Format AccessKeyId SecurityToken Signature SignatureMethod SignatureType SignatureVersion SignatureNonce Timestamp RegionId")

// take copies the parameters of the call into the thing.
func (t *thing) take(c *call) {
	for name := range c.params {
		if value := c.get(name); value != "" && !slices.Contains(gatewayParams, name) {
			t.values[name] = value
		}
	}
	t.changed = c.now
}

func (f *family) absent() error {
	code := f.notFound
	switch {
	case code != "":
	case f.service == "vod":
		code = "Invalid" + f.kind + ".NotFound"
	default:
		code = "ResourceNotFound"
	}
	return refused(404, code, "The specified %s does not exist.", f.kind)
}

// newID makes an id of the type that the answers have.
func (f *family) newID(c *call) string {
	if field := findField(c.known.Response, f.id); field != nil && field.Type == "int64" {
		return c.randomDigits(9)
	}
	return c.randomID(16)
}

// findField looks for a field at any depth, those further out first.
func findField(all []*catalogue.Field, name string) *catalogue.Field {
	for _, f := range all {
		if f.Name == name {
			return f
		}
	}
	for _, f := range all {
		if found := findField(f.Fields, name); found != nil {
			return found
		}
	}
	return nil
}

func (f *family) keyOf(c *call) string {
	var parts []string
	for name := range strings.FieldsSeq(f.key) {
		parts = append(parts, c.get(name))
	}
	return strings.Join(parts, "/")
}

func (f *family) createOne(c *call) (fields, error) {
	id := ""
	switch {
	case f.key != "":
		if id = f.keyOf(c); c.things(f)[id] != nil {
			return nil, refused(409, "ResourceAlreadyExist", "The specified %s exists already.", f.kind)
		}
	case f.states != "":
		id = f.newID(c)
	default:
		if id = c.get(f.id); id == "" {
			id = f.newID(c)
		}
	}
	if token := c.get("ClientToken"); token != "" {
		if old := c.things(f)[c.tokens[c.action+"/"+token]]; old != nil {
			return c.describe(old), nil
		}
		c.tokens[c.action+"/"+token] = id
	}
	t := c.newThing(f, id, c.action)
	t.take(c)
	if f.states != "" {
		c.launch(t)
	}
	if f.made != nil {
		if err := f.made(c, t); err != nil {
			delete(c.things(f), id)
			return nil, err
		}
	}
	return c.describe(t), nil
}

// newThing makes a thing without parameters.
func (c *call) newThing(f *family, id, by string) *thing {
	c.Server.seq++
	t := &thing{family: f, id: id, by: by, values: pairs(f.fields), created: c.now, changed: c.now, seq: c.Server.seq}
	c.things(f)[id] = t
	return t
}

// idParam is the parameter that names one of the family in an operation.
func (f *family) idParam(op *catalogue.Operation) string {
	for _, name := range []string{f.id, f.itemID} {
		if name != "" && op.Param(name) != nil {
			return name
		}
	}
	return f.id
}

// one finds what the call names.
func (f *family) one(c *call) (*thing, error) {
	id := ""
	if f.key != "" {
		for name := range strings.FieldsSeq(f.key) {
			if err := c.need(name); err != nil {
				return nil, err
			}
		}
		id = f.keyOf(c)
	} else {
		name := f.idParam(c.known)
		if err := c.need(name); err != nil {
			return nil, err
		}
		id = c.get(name)
	}
	if t := c.things(f)[id]; t != nil {
		return t, nil
	}
	return nil, f.absent()
}

func (f *family) getOne(c *call) (fields, error) {
	if ids := c.idList(f); ids != nil && c.known.Param(f.id) == nil {
		return f.listAll(c)
	}
	t, err := f.one(c)
	if err != nil {
		return nil, err
	}
	answer := c.describe(t)
	t.look()
	return answer, nil
}

func (f *family) updateOne(c *call) (fields, error) {
	t, err := f.one(c)
	if err != nil {
		return nil, err
	}
	before := maps.Clone(t.values)
	t.take(c)
	if f.made != nil && f.states == "" {
		if err := f.made(c, t); err != nil {
			t.values = before
			return nil, err
		}
	}
	return c.describe(t), nil
}

func (f *family) setFields(c *call, set string) (fields, error) {
	t, err := f.one(c)
	if err != nil {
		return nil, err
	}
	for name, value := range pairs(set) {
		switch {
		case name == "Canceled":
			t.canceled = true
		case strings.HasPrefix(value, "$"):
			t.values[name] = c.get(value[1:])
		default:
			// Of things of one kind at most one is the default.
			if name == "IsDefault" {
				for _, other := range c.things(f) {
					other.values["IsDefault"] = pairs(f.fields)["IsDefault"]
				}
			}
			t.values[name] = value
		}
	}
	t.changed = c.now
	return c.describe(t), nil
}

// idList are the ids of a call that names several, nil for one that names none.
func (c *call) idList(f *family) []string {
	for _, name := range []string{f.id + "s", strings.TrimSuffix(f.id, "Id") + "Ids"} {
		if c.known.Param(name) == nil {
			continue
		}
		text := c.get(name)
		var ids []string
		if json.Unmarshal([]byte(text), &ids) == nil {
			return ids
		}
		if text != "" {
			return list(text)
		}
		for i := 1; c.get(name+"."+strconv.Itoa(i)) != ""; i++ {
			ids = append(ids, c.get(name+"."+strconv.Itoa(i)))
		}
		return ids
	}
	return nil
}

func (f *family) deleteSome(c *call) (fields, error) {
	if c.known.Param(f.id) == nil && f.key == "" {
		ids := c.idList(f)
		if len(ids) == 0 {
			return nil, missing(f.id + "s")
		}
		absent, found := []any{}, false
		for _, id := range ids {
			if c.things(f)[id] == nil {
				absent = append(absent, id)
				continue
			}
			found = true
			delete(c.things(f), id)
		}
		if !found {
			return nil, f.absent()
		}
		return c.answer("", &thing{family: f, values: map[string]string{}, created: c.now, changed: c.now}, absent), nil
	}
	t, err := f.one(c)
	if err != nil {
		return nil, err
	}
	delete(c.things(f), t.id)
	return c.describe(t), nil
}
