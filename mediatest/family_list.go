package mediatest

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go/internal/catalogue"
)

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
