package wiretest

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
)

// paging is what the overlay says of how an operation pages.
type paging struct {
	Token, Next              string
	Page, Size, Items, Total string
	First, Fill              int
	ByHand                   string
}

// RunIterators walks every operation that pages over two pages of a scripted
// service, and looks for what was asked for and what was handed out.
func RunIterators(t *testing.T, service string, open func(alimedia.Config) (any, error)) {
	operations := read[struct {
		Operations map[string]struct{ Page *paging }
	}](t, "../api/"+service+".overlay.json").Operations
	for _, action := range slices.Sorted(maps.Keys(operations)) {
		page := operations[action].Page
		if page == nil {
			continue
		}
		t.Run(action, func(t *testing.T) {
			wire := new(script)
			method := reflect.ValueOf(connect(t, open, wire)).MethodByName(action + "Iter")
			require.True(t, method.IsValid(), "no iterator")
			if page.ByHand != "" {
				return
			}
			walk := func() (items int) {
				in := []reflect.Value{reflect.ValueOf(context.Background()), reflect.Zero(method.Type().In(1))}
				for _, err := range method.Call(in)[0].Seq2() {
					require.True(t, err.IsNil(), "%v", err)
					items++
				}
				return items
			}
			item := `{}`
			if method.Type().Out(0).In(0).In(0).Kind() == reflect.String {
				item = `"x"`
			}
			wire.responses = []reply{{200, page.response(t, item, item)}, {200, page.response(t, item)}, {200, page.response(t)}}
			require.Equal(t, 3, walk())
			page.check(t, wire.sent)
		})
	}
}

// response is a page with these items, of three in all; a full page has another
// one behind it.
func (p *paging) response(t *testing.T, items ...string) string {
	t.Helper()
	response := map[string]any{}
	put(response, p.Items, json.RawMessage("["+strings.Join(items, ",")+"]"))
	if p.Next != "" && len(items) == 2 {
		put(response, p.Next, "behind")
	}
	if p.Total != "" {
		put(response, p.Total, 3)
	}
	text, err := json.Marshal(response)
	require.NoError(t, err)
	return string(text)
}

// put sets the value at a dotted path.
func put(object map[string]any, path string, value any) {
	name, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		object[name] = value
		return
	}
	inner, ok := object[name].(map[string]any)
	if !ok {
		inner = map[string]any{}
		object[name] = inner
	}
	put(inner, rest, value)
}

// check looks at the requests of the walk.
func (p *paging) check(t *testing.T, sent []url.Values) {
	t.Helper()
	if p.Token != "" {
		require.Len(t, sent, 2)
		require.Empty(t, sent[0].Get(p.Token))
		require.Equal(t, "behind", sent[1].Get(p.Token))
		return
	}
	if p.Total != "" {
		require.Len(t, sent, 2, "the total says that two pages are all")
	} else {
		require.Len(t, sent, 3, "only an empty page is the end")
	}
	for i, request := range sent {
		number := request.Get(p.Page)
		if number == "" {
			number = "0" // zero is not sent
		}
		require.Equal(t, strconv.Itoa(p.First+i), number)
		if p.Fill != 0 {
			require.Equal(t, strconv.Itoa(p.Fill), request.Get(p.Size))
		}
	}
}

// script answers call by call, with the last response for ever, and keeps the
// parameters.
type script struct {
	responses []reply
	sent      []url.Values
}

type reply struct {
	status int
	body   string
}

func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	maps.Copy(values, req.URL.Query())
	response := s.responses[min(len(s.sent), len(s.responses)-1)]
	s.sent = append(s.sent, values)
	return &http.Response{StatusCode: response.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(response.body))}, nil
}
