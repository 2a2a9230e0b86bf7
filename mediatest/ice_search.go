package mediatest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
)

// indexed are the assets in search libraries.
var indexed = &family{service: "ice", kind: "IndexedMedia", id: "MediaId"}

// defaultLib is the search library that every asset is in.
const defaultLib = "ims-default-search-lib"

func (c *call) searchLib() string { return cmp.Or(c.get("SearchLibName"), defaultLib) }

// inLib finds what a search library keeps of an asset.
func (c *call) inLib(mediaId string) *thing { return c.things(indexed)[c.searchLib()+"/"+mediaId] }

func searchICE(c *call) (fields, error) {
	var filters map[string]any
	if err := c.document("CustomFilters", &filters); err != nil {
		return nil, err
	}
	for field := range filters {
		if field != "intField1" && field != "strField1" && field != "strField2" {
			return nil, invalid("CustomFilters")
		}
	}
	hits, page, err := c.search(50, 0, 1000, func(a *asset) bool {
		if c.searchLib() != defaultLib && c.inLib(a.MediaId) == nil {
			return false
		}
		custom := c.customFields(a.MediaId)
		for field, want := range filters {
			if !matchesCustom(custom[field], want) {
				return false
			}
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	infos := []fields{}
	for _, a := range page.of(hits) {
		info := c.mediaInfo(a, true)
		if t := c.inLib(a.MediaId); t != nil {
			info["IndexStatusList"] = indexStates("IndexStatus", nil)
			if custom := c.customFields(a.MediaId); custom != nil {
				info["CustomFields"] = custom
			}
		}
		infos = append(infos, info)
	}
	return fields{"Total": len(hits), "MediaInfoList": infos, "ScrollToken": page.token()}, nil
}

// customFields are those that MsgBody gave an asset in the search library.
func (c *call) customFields(mediaId string) map[string]any {
	t := c.inLib(mediaId)
	if t == nil {
		return nil
	}
	var body struct {
		CustomFields map[string]any `json:"customFields"`
	}
	_ = json.Unmarshal([]byte(t.values["MsgBody"]), &body) // was checked when it came
	return body.CustomFields
}

// matchesCustom compares a custom field with a filter: a value, a list of values
// or a range {gte, lte}.
func matchesCustom(have, want any) bool {
	if have == nil {
		return false
	}
	text := fmt.Sprint(have)
	switch want := want.(type) {
	case []any:
		for _, one := range want {
			if text == fmt.Sprint(one) {
				return true
			}
		}
		return false
	case map[string]any:
		n, err := strconv.ParseFloat(text, 64)
		from, hasFrom := want["gte"].(float64)
		to, hasTo := want["lte"].(float64)
		return err == nil && (!hasFrom || n >= from) && (!hasTo || n <= to)
	}
	return text == fmt.Sprint(want)
}

// indexStates describes the kinds of index of an asset, all of them done.
func indexStates(status string, also fields) []fields {
	states := []fields{}
	for _, kind := range []string{"mm", "face", "aiLabel"} {
		state := fields{"IndexType": kind, status: "Success"}
		for name, value := range also {
			state[name] = value
		}
		states = append(states, state)
	}
	return states
}

func insertToSearchLib(c *call) (fields, error) {
	id := c.get("MediaId")
	if id == "" {
		if a := c.byURL(c.get("Input"), ""); a != nil {
			id = a.MediaId
		} else {
			id = c.randomID(16)
		}
	}
	var body map[string]any
	if err := c.document("MsgBody", &body); err != nil {
		return nil, err
	}
	t := c.newThing(indexed, c.searchLib()+"/"+id, c.action)
	t.take(c)
	t.values["MediaId"] = id
	return fields{"Code": "200", "Success": "true", "MediaId": id}, nil
}

func deleteFromSearchLib(c *call) (fields, error) {
	name := c.searchLib() + "/" + c.get("MediaId")
	if c.things(indexed)[name] == nil {
		return nil, errMediaNotFound
	}
	delete(c.things(indexed), name)
	return fields{"Code": "200", "Success": "true", "MediaId": c.get("MediaId")}, nil
}

func queryMediaIndexJob(c *call) (fields, error) {
	t := c.things(indexed)[c.searchLib()+"/"+c.get("MediaId")]
	if t == nil {
		return nil, errMediaNotFound
	}
	jobs := indexStates("Status", fields{"GmtSubmit": t.created.Format(timeFormat), "GmtFinish": t.created.Format(timeFormat)})
	return fields{"Code": "200", "Success": "true", "IndexJobInfoList": jobs}, nil
}
