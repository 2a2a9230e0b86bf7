package mediatest

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
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
		f := invalid("PageNo")
		if c.service == "vod" && c.action == "GetVideoList" {
			f.code = "VideoListExceededMax"
		}
		return p, f
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
	match, err := parseMatch(c.get("Match"))
	if err != nil {
		return nil, p, c.invalid("Match")
	}
	for _, field := range fieldsOf(match) {
		if searchable[field] == nil {
			return nil, p, c.invalid("Match")
		}
	}
	keys, err := sortKeys(c.get("SortBy"))
	switch {
	case err != nil:
		return nil, p, invalid("SortBy")
	case len(keys) > 3 || len(keys) > 1 && c.get("ScrollToken") != "":
		return nil, p, refused(400, "SortByExceededMax", "SortBy names too many fields.")
	}
	var hits []*asset
	for _, a := range c.order {
		if among(a) && holds(match, func(field string) property { return searchable[field](c, a) }) {
			hits = append(hits, a)
		}
	}
	c.sort(hits, keys)
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

// searchable are the properties that Match and SortBy know, by all the names
// that the two services have for them.
var searchable = map[string]func(*call, *asset) property{}

func init() {
	add := func(names string, kind propertyKind, get func(*call, *asset) string) {
		for name := range strings.FieldsSeq(names) {
			searchable[name] = func(c *call, a *asset) property {
				v := get(c, a)
				if v == "" {
					return property{kind: kind}
				}
				return property{values: []string{v}, kind: kind}
			}
		}
	}
	param := func(name string) func(*call, *asset) string {
		return func(_ *call, a *asset) string { return a.Params.Get(name) }
	}
	add("mediaid videoid audioid imageid", exact, func(_ *call, a *asset) string { return a.MediaId })
	add("title", fuzzy, func(_ *call, a *asset) string { return a.Title })
	add("description", fuzzy, param("Description"))
	add("mediatype", exact, func(_ *call, a *asset) string { return a.Type })
	add("cateid", exact, param("CateId"))
	add("catename", exact, func(c *call, a *asset) string { return c.cateName(a.Params.Get("CateId")) })
	add("category", exact, param("Category"))
	add("businesstype", exact, param("BusinessType"))
	add("imagetype", exact, param("ImageType"))
	add("referenceid", exact, param("ReferenceId"))
	add("templategroupid", exact, param("TemplateGroupId"))
	add("appid", exact, func(_ *call, a *asset) string { return cmp.Or(a.Params.Get("AppId"), "app-1000000") })
	add("storagelocation", exact, func(c *call, a *asset) string { return c.host(a.Bucket) })
	add("inputurl", exact, func(_ *call, a *asset) string { return cmp.Or(a.InputURL, a.URL) })
	add("source", exact, func(c *call, a *asset) string { return fmt.Sprint(c.basic(a)["Source"]) })
	add("size", number, func(_ *call, a *asset) string { return strconv.FormatInt(a.Size, 10) })
	add("duration", number, func(_ *call, a *asset) string { return a.duration() })
	add("creationtime createtime utccreate", number, func(_ *call, a *asset) string { return strconv.FormatInt(a.CreateTime.UnixMilli(), 10) })
	add("modificationtime modifiedtime utcmodified", number, func(_ *call, a *asset) string { return strconv.FormatInt(a.changed.UnixMilli(), 10) })
	searchable["status"] = func(c *call, a *asset) property {
		status := a.status(c.now)
		if c.service == "ice" {
			return property{values: []string{statusNumbers[status], iceStatus(status)}}
		}
		return property{values: []string{status}}
	}
	for _, name := range []string{"tags", "mediatags", "taglist"} {
		searchable[name] = func(_ *call, a *asset) property { return property{values: list(a.tags())} }
	}
}

// order compares numbers; times count as their milliseconds.
func order(a, b string) int { return cmp.Compare(numeric(a), numeric(b)) }

func numeric(text string) float64 {
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02"} {
		if at, err := time.Parse(layout, text); err == nil {
			return float64(at.UnixMilli())
		}
	}
	return float(text)
}

// sortKeys reads SortBy: "field:Desc,field:Asc".
func sortKeys(by string) ([]sortKey, error) {
	var keys []sortKey
	for item := range strings.SplitSeq(by, ",") {
		field, direction, _ := strings.Cut(strings.ToLower(strings.TrimSpace(item)), ":")
		if field == "" || field == "asc" || field == "desc" { // a direction alone means the time of creation
			field, direction = "creationtime", cmp.Or(field, "desc")
		}
		get := searchable[field]
		if get == nil || direction != "asc" && direction != "desc" && direction != "" {
			return nil, errMatch
		}
		keys = append(keys, sortKey{get, direction == "asc"})
	}
	return keys, nil
}

type sortKey struct {
	get       func(*call, *asset) property
	ascending bool
}

func (c *call) sort(all []*asset, keys []sortKey) {
	slices.SortStableFunc(all, func(a, b *asset) int {
		for _, key := range keys {
			pa, pb := key.get(c, a), key.get(c, b)
			n := slices.Compare(pa.values, pb.values)
			if pa.kind == number && len(pa.values)+len(pb.values) == 2 {
				n = order(pa.values[0], pb.values[0])
			}
			if !key.ascending {
				n = -n
			}
			if n != 0 {
				return n
			}
		}
		// Equal ones are in the order of their creation, or the other way round.
		if keys[0].ascending {
			return cmp.Compare(a.seq, b.seq)
		}
		return cmp.Compare(b.seq, a.seq)
	})
}

// tags are MediaTags in ICE and Tags in VOD.
func (a *asset) tags() string { return cmp.Or(a.Params.Get("MediaTags"), a.Params.Get("Tags")) }
