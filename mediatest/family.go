package mediatest

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go/mediatest/internal/catalogue"
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
	store    func() // of a job: keeps what it has made
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
		return randomDigits(9)
	}
	return randomID(16)
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

// root is the path of the object that describes one of the family in an
// answer: that which has its id, or else the only object.
func (f *family) root(op *catalogue.Operation) string {
	for _, name := range []string{f.id, f.itemID, lastWord(f.key)} {
		if name == "" {
			continue
		}
		if path, ok := pathTo(op.Response, name, ""); ok {
			return path
		}
	}
	for _, field := range op.Response {
		if field.Elem() == "object" && field.Name != "AccessDeniedDetail" {
			return field.Name
		}
	}
	return ""
}

func lastWord(s string) string {
	words := strings.Fields(s)
	if len(words) == 0 {
		return ""
	}
	return words[len(words)-1]
}

// pathTo is the path of the object that has a field, the outermost first.
func pathTo(all []*catalogue.Field, name, at string) (string, bool) {
	for _, f := range all {
		if f.Name == name {
			return at, true
		}
	}
	for _, f := range all {
		if path, ok := pathTo(f.Fields, name, strings.TrimPrefix(at+"."+f.Name, ".")); ok {
			return path, true
		}
	}
	return "", false
}

// describe answers with one thing.
func (c *call) describe(t *thing) fields { return c.answer(t.family.root(c.known), t, nil) }

// answer builds an answer about one thing, which stands at root.
func (c *call) answer(root string, t *thing, absent []any) fields {
	v := catalogue.Values{
		Seed: t.id, Began: t.created, Ended: t.ends(),
		Known: func(at string, f *catalogue.Field) (any, bool) {
			if absent != nil && f.List() && f.Elem() == "string" {
				return absent, true
			}
			return c.says(t, root, at, f)
		},
		Len: func(at string, _ *catalogue.Field) int {
			if at == root {
				return 1
			}
			return -1
		},
	}
	return v.Object("", c.known.Response)
}

// says is what an answer says of a thing at a path; root is the path of the
// thing's own object.
func (c *call) says(t *thing, root, at string, f *catalogue.Field) (any, bool) {
	parent, name := "", at
	if i := strings.LastIndexByte(at, '.'); i >= 0 {
		parent, name = at[:i], at[i+1:]
	}
	own := strings.TrimSuffix(parent, ".0") == root || parent == root
	if parent == "" && (name == "Code" || name == "Message" || name == "Success" || name == "HttpStatusCode" || name == "StatusCode") && root != "" {
		return nil, false
	}
	if !own && parent != "" {
		if t.pending(c.now) && f.Type != "object" && under(at, root) {
			return f.Empty(), true
		}
		return nil, false
	}
	if value, ok := t.value(c, f); ok {
		return value, true
	}
	if f.Type == "object" && strings.HasPrefix(root+".", at+".") {
		return nil, false // on the way to the thing
	}
	if own && t.pending(c.now) && f.Type != "object" || t.family.settable(f.Name) {
		return f.Empty(), true
	}
	return nil, false
}

func under(at, root string) bool { return root == "" || strings.HasPrefix(at, root+".") }

// settable reports whether a field is one that a caller sets.
func (f *family) settable(name string) bool {
	for action := range strings.FieldsSeq(f.create + " " + f.update) {
		if op := catalogue.Find(f.service, action); op != nil {
			for _, p := range op.Params {
				if strings.EqualFold(p.Name, name) {
					return true
				}
			}
		}
	}
	return false
}

var (
	createdNames = strings.Fields("GmtCreated CreateTime CreationTime GmtCreate CreatedTime CreateTimestamp GmtSubmit SubmitTime")
	changedNames = strings.Fields("ModifiedTime ModifyTime ModificationTime GmtModified LastModified UpdateTime")
	endedNames   = strings.Fields("FinishTime CompleteTime CompletionTime GmtFinish ExecutionFinishTime")
	statusNames  = strings.Fields("Status State JobStatus TaskStatus JobState TranscodeJobStatus TranscodeStatus")
)

// value is what the thing itself knows of a field.
func (t *thing) value(c *call, f *catalogue.Field) (any, bool) {
	family := t.family
	timed := func(at time.Time) (any, bool) {
		switch {
		case at.IsZero():
			return f.Empty(), true
		case f.Type == "string":
			return at.Format(timeFormat), true
		}
		return at.UnixMilli(), true
	}
	switch {
	case f.Name == family.id || f.Name == family.itemID:
		if family.key == "" {
			return t.id, true
		}
	case slices.Contains(createdNames, f.Name):
		return timed(t.created)
	case slices.Contains(changedNames, f.Name):
		return timed(t.changed)
	case slices.Contains(endedNames, f.Name):
		if t.pending(c.now) {
			return timed(time.Time{})
		}
		return timed(t.due)
	case family.states != "" && slices.Contains(statusNames, f.Name):
		return t.state(c.now), true
	case family.states != "" && (f.Name == "Percent" || f.Name == "TranscodeProgress"):
		if t.pending(c.now) {
			return 0, true
		}
		return 100, true
	case family.states != "" && (f.Name == "Code" || f.Name == "ErrorCode"):
		return t.failed(c.now, t.code), true
	case family.states != "" && (f.Name == "Message" || f.Name == "ErrorMessage"):
		return t.failed(c.now, t.message), true
	}
	if value, ok := t.values[f.Name]; ok {
		return value, true
	}
	if from, ok := pairs(family.alias)[f.Name]; ok {
		value, has := t.values[from]
		return value, has
	}
	for name, value := range t.values {
		if strings.EqualFold(name, f.Name) {
			return value, true
		}
	}
	return nil, false
}

// paramsOfList are those of a list that are no filters.
var paramsOfList = strings.Fields("PageNo PageSize PageNumber MaxResults MaximumPageSize NextToken NextPageToken Skip Limit SortBy SortOrder SortType OrderBy SortByModifiedTime StartTime EndTime StartOfCreateTime EndOfCreateTime CreateTimeStart CreateTimeEnd StartOfJobCreatedTimeRange EndOfJobCreatedTimeRange RequestSource RelatedMediaidFlag IncludeResults NeedTotalCount FileList")

func (f *family) listAll(c *call) (fields, error) {
	all := c.sorted(f)
	ids := c.idList(f)
	absent := []any{}
	if ids != nil {
		all = nil
		for _, id := range ids {
			if t := c.things(f)[id]; t != nil {
				all = append(all, t)
			} else {
				absent = append(absent, id)
			}
		}
	}
	var hits []*thing
	from, err := c.moment("StartTime", "StartOfCreateTime", "CreateTimeStart", "StartOfJobCreatedTimeRange")
	if err != nil {
		return nil, err
	}
	to, err := c.moment("EndTime", "EndOfCreateTime", "CreateTimeEnd", "EndOfJobCreatedTimeRange")
	if err != nil {
		return nil, err
	}
	for _, t := range all {
		if (from.IsZero() || !t.created.Before(from)) && (to.IsZero() || !t.created.After(to)) && c.passes(t) {
			hits = append(hits, t)
		}
	}
	if ids == nil && !strings.Contains(strings.ToLower(c.get("SortBy")+c.get("OrderBy")+c.get("SortOrder")+c.get("SortType")), "asc") {
		slices.Reverse(hits)
	}
	w, err := c.window(len(hits))
	if err != nil {
		return nil, err
	}
	page := hits[w.from:w.to]
	root := f.root(c.known)
	if p := c.known.Page; p != nil && p.Items != "" {
		root = p.Items
	}
	v := catalogue.Values{
		Seed: f.kind, Began: c.now, Ended: c.now,
		Len: func(at string, _ *catalogue.Field) int {
			if at == root {
				return len(page)
			}
			return -1
		},
		Known: func(at string, field *catalogue.Field) (any, bool) {
			if rest, inside := strings.CutPrefix(at, root+"."); inside && root != "" {
				index, rest, _ := strings.Cut(rest, ".")
				i, err := strconv.Atoi(index)
				if err == nil && i < len(page) && rest != "" {
					return c.says(page[i], root+"."+index, at, field)
				}
				return nil, false
			}
			switch {
			case strings.HasPrefix(at, "NonExist") || field.Name == "IgnoredList":
				if field.List() {
					return absent, true
				}
			case field.Name == "NextToken" || field.Name == "NextPageToken":
				return w.next, true
			case strings.HasPrefix(field.Name, "Total") || c.known.Page != nil && at == c.known.Page.Total:
				return len(hits), true
			case field.Name == "MaxResults" || field.Name == "PageSize":
				return w.size, true
			case field.Name == "PageNo" || field.Name == "PageNumber":
				return w.from/w.size + 1, true
			case field.Type != "object" && c.get(field.Name) != "":
				return c.get(field.Name), true
			}
			return nil, false
		},
	}
	answer := v.Object("", c.known.Response)
	for _, t := range page {
		t.look()
	}
	return answer, nil
}

// moment reads the first of the times that is given.
func (c *call) moment(names ...string) (time.Time, error) {
	for _, name := range names {
		text := c.get(name)
		if text == "" {
			continue
		}
		for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05"} {
			if at, err := time.Parse(layout, text); err == nil {
				return at, nil
			}
		}
		return time.Time{}, invalid(name)
	}
	return time.Time{}, nil
}

// passes applies the filters of a list: a parameter that is also a property
// must be the same, a keyword stands in some property.
func (c *call) passes(t *thing) bool {
	for _, p := range c.known.Params {
		want := c.get(p.Name)
		if want == "" || slices.Contains(paramsOfList, p.Name) || p.Name == t.family.id+"s" {
			continue
		}
		lower := strings.ToLower(p.Name)
		if strings.HasSuffix(lower, "keyword") || lower == "keytext" {
			if !t.named(want) {
				return false
			}
			continue
		}
		have, known := t.value(c, &catalogue.Field{Name: p.Name, Type: "string"})
		text, _ := have.(string)
		switch {
		case !known:
		case p.Name == "Name" || p.Name == "Title":
			if !strings.Contains(text, want) {
				return false
			}
		case !slices.Contains(strings.Split(want, ","), text):
			return false
		}
	}
	return true
}

// named reports whether a word stands in the id, the name or the description.
func (t *thing) named(word string) bool {
	if strings.Contains(t.id, word) {
		return true
	}
	for name, value := range t.values {
		if (strings.HasSuffix(name, "Name") || name == "Title" || name == "Description") && strings.Contains(value, word) {
			return true
		}
	}
	return false
}

// mentions reports whether a text stands in the id or in any property.
func (t *thing) mentions(word string) bool {
	if strings.Contains(t.id, word) {
		return true
	}
	for _, value := range t.values {
		if strings.Contains(value, word) {
			return true
		}
	}
	return false
}

// window is a part of a list.
type window struct {
	from, to, size int
	next           string // token of the next part
}

func (c *call) window(total int) (window, error) {
	w := window{size: 10, to: total}
	op, paged := c.known, false
	for _, name := range []string{"PageSize", "MaxResults", "MaximumPageSize", "Limit"} {
		if op.Param(name) == nil {
			continue
		}
		paged = true
		if text := c.get(name); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < 1 {
				return w, invalid(name)
			}
			w.size = n
		}
	}
	if !paged {
		w.size = max(total, 1)
		return w, nil
	}
	for _, name := range []string{"PageNo", "PageNumber"} {
		if text := c.get(name); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < 1 {
				return w, invalid(name)
			}
			w.from = (n - 1) * w.size
		}
	}
	for _, name := range []string{"NextToken", "NextPageToken"} {
		if text := c.get(name); text != "" {
			last, err := decodeToken(text)
			if err != nil || last < 0 || last > 1<<40 {
				return w, invalid(name)
			}
			w.from = int(last)
		}
	}
	w.from = min(w.from, total)
	w.to = min(w.from+w.size, total)
	if w.to < total {
		w.next = encodeToken(int64(w.to))
	}
	return w, nil
}
