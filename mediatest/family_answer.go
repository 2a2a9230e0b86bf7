package mediatest

import (
	"slices"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go/internal/catalogue"
)

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
