package mediatest

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// paging is a place in a list that is paged by number.
type paging struct{ from, size int }

// page reads PageNo and PageSize; beyond reach the service gives no pages.
func (c *call) page(maxSize, reach int) (paging, error) {
	number, err := strconv.Atoi(cmp.Or(c.get("PageNo"), "1"))
	if err != nil || number < 1 {
		return paging{}, invalid("PageNo")
	}
	size, err := strconv.Atoi(cmp.Or(c.get("PageSize"), "10"))
	if err != nil || size < 1 || size > maxSize {
		return paging{}, invalid("PageSize")
	}
	p := paging{from: (number - 1) * size, size: size}
	if c.get("ScrollToken") == "" && reach > 0 && p.from+p.size > reach {
		return p, invalid("PageNo")
	}
	return p, nil
}

func (p paging) of(all []*asset) []*asset {
	from := min(p.from, len(all))
	return all[from:min(from+p.size, len(all))]
}

// token is the ScrollToken that goes on from this page.
func (p paging) token() string { return fmt.Sprintf("%032x", p.from+p.size) }

// search filters by Match, sorts by SortBy and pages by number or, further
// than reach items, by ScrollToken in steps of at most jump items forward.
func (c *call) search(maxSize, reach, jump int, among func(*asset) bool) ([]*asset, paging, error) {
	p, err := c.page(maxSize, reach)
	if err != nil {
		return nil, p, err
	}
	if token := c.get("ScrollToken"); token != "" {
		at, err := strconv.ParseInt(token, 16, 64)
		if err != nil || len(token) != 32 || int64(p.from) < at || int64(p.from+p.size)-at > int64(jump) {
			return nil, p, invalid("ScrollToken")
		}
	}
	clauses, err := parseMatch(c.get("Match"))
	if err != nil {
		return nil, p, err
	}
	var hits []*asset
	for _, a := range c.order {
		if among(a) && c.matches(a, clauses) {
			hits = append(hits, a)
		}
	}
	sortAssets(hits, c.get("SortBy"))
	return hits, p, nil
}

// sortAssets sorts by creation, the latest first unless asked otherwise.
func sortAssets(all []*asset, by string) {
	if strings.HasSuffix(strings.ToLower(by), "asc") {
		slices.SortFunc(all, func(a, b *asset) int { return cmp.Compare(a.seq, b.seq) })
		return
	}
	slices.SortFunc(all, func(a, b *asset) int { return cmp.Compare(b.seq, a.seq) })
}

// clause is a condition of Match: the field has one of the values.
type clause struct {
	field  string
	in     bool // written as "in (...)"
	values []string
}

var (
	matchClause = regexp.MustCompile(`(?i)^\s*([A-Za-z]\w*)\s*(=|!=|in)\s*(\([^()]*\)|'[^']*'|"[^"]*"|\d+)\s*(?:and\s+|$)`)
	matchValue  = regexp.MustCompile(`'([^']*)'|"([^"]*)"|(\d+)`)
)

// parseMatch reads conditions like Status in ('Normal','Blocked') and
// Title = 'cat', joined by "and". That is the part of the grammar the fake
// knows.
func parseMatch(match string) ([]clause, error) {
	var clauses []clause
	for rest := match; strings.TrimSpace(rest) != ""; {
		m := matchClause.FindStringSubmatch(rest)
		if m == nil || m[2] == "!=" {
			return nil, invalid("Match")
		}
		c := clause{field: m[1], in: strings.EqualFold(m[2], "in")}
		for _, v := range matchValue.FindAllStringSubmatch(m[3], -1) {
			c.values = append(c.values, v[1]+v[2]+v[3])
		}
		clauses = append(clauses, c)
		rest = rest[len(m[0]):]
	}
	return clauses, nil
}

func (c *call) matches(a *asset, clauses []clause) bool {
	for _, cl := range clauses {
		if !c.matchesClause(a, cl) {
			return false
		}
	}
	return true
}

func (c *call) matchesClause(a *asset, cl clause) bool {
	var have string
	switch strings.ToLower(cl.field) {
	case "creationtime", "createtime":
		have = a.CreateTime.Format(timeFormat)
		if !cl.in && len(cl.values) == 2 { // from and to
			return cl.values[0] <= have && have < cl.values[1]
		}
	case "title":
		return slices.ContainsFunc(cl.values, func(v string) bool { return strings.Contains(a.Title, v) })
	case "status":
		have = a.status(c.now)
		if c.service == "ice" {
			have = iceStatus(have)
		}
	case "mediaid", "videoid", "audioid", "imageid":
		have = a.MediaId
	case "mediatype":
		have = a.Type
	case "tags", "mediatags":
		tags := list(a.tags())
		return slices.ContainsFunc(cl.values, func(v string) bool { return slices.Contains(tags, v) })
	default:
		have = a.Params.Get(cl.field)
	}
	return slices.Contains(cl.values, have)
}

// tags are MediaTags in ICE and Tags in VOD.
func (a *asset) tags() string { return cmp.Or(a.Params.Get("MediaTags"), a.Params.Get("Tags")) }
