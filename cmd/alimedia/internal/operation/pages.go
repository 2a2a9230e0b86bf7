package operation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"strconv"
	"strings"

	"github.com/alimedia/alimedia-go/internal/catalogue"
)

// Send calls the operation with a request and returns its answer.
type Send func(ctx context.Context, request any) (map[string]any, error)

// ErrPages means that an operation does not return pages.
var ErrPages = errors.New("does not return pages: leave --all out")

// pageOf says how an operation is paged. SearchMedia goes on by its scroll
// token beside the number.
func pageOf(op *catalogue.Operation) *catalogue.Page {
	if op.Param("ScrollToken") != nil && op.Param("PageNo") != nil {
		items := "MediaList"
		if op.At(items) == nil {
			items = "MediaInfoList"
		}
		return &catalogue.Page{Page: "PageNo", Size: "PageSize", Token: "ScrollToken", Next: "ScrollToken", Items: items, Total: "Total"}
	}
	if op.Page == nil || op.Page.Items == "" {
		return nil
	}
	return op.Page
}

// Paged reports whether All works.
func Paged(op *catalogue.Operation) bool { return pageOf(op) != nil }

// maxPages ends a walk that does not end by itself.
const maxPages = 100_000

// All walks the items of all pages.
func (p *Params) All(ctx context.Context, send Send) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		page := pageOf(p.op)
		if page == nil {
			yield(nil, fmt.Errorf("%s %w", p.op.Action, ErrPages))
			return
		}
		w := walk{page: page, number: 1, seen: map[string]bool{}}
		if n, err := strconv.Atoi(p.values[page.Page]); page.Page != "" && err == nil {
			w.number, w.skipped = n, n-1
		}
		for range maxPages {
			answer, err := send(ctx, p.Request())
			if err != nil {
				yield(nil, err)
				return
			}
			items, _ := at(answer, page.Items).([]any)
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			more, err := w.next(p, answer, items)
			if err != nil {
				yield(nil, err)
			}
			if !more {
				return
			}
		}
		yield(nil, fmt.Errorf("%s: stopped after %d pages", p.op.Action, maxPages))
	}
}

// walk is how far the pages were read.
type walk struct {
	page    *catalogue.Page
	number  int
	skipped int // pages before the first
	length  int // of the longest page
	read    int // items
	before  []any
	seen    map[string]bool // tokens
}

// next prepares the request for the next page and reports whether there is one.
func (w *walk) next(p *Params, answer map[string]any, items []any) (bool, error) {
	token, _ := at(answer, w.page.Next).(string)
	if w.page.Page == "" {
		if token == "" {
			return false, nil
		}
		if w.seen[token] {
			return false, errors.New("the service repeated a page token: the walk would not end")
		}
		w.seen[token] = true
		p.Set(w.page.Token, token)
		return true, nil
	}
	if len(items) == 0 || len(items) > 0 && reflect.DeepEqual(items, w.before) {
		return false, nil
	}
	w.before, w.read, w.length = items, w.read+len(items), max(w.length, len(items))
	if total, known := number(at(answer, w.page.Total)); known && total >= w.read && w.skipped*w.length+w.read >= total {
		return false, nil
	}
	w.number++
	p.Set(w.page.Page, strconv.Itoa(w.number))
	if w.page.Token != "" && token != "" {
		p.Set(w.page.Token, token)
	}
	return true, nil
}

// at follows a dotted path.
func at(v any, path string) any {
	if path == "" {
		return nil
	}
	for name := range strings.SplitSeq(path, ".") {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[name]
	}
	return v
}

func number(v any) (int, bool) {
	switch v := v.(type) {
	case json.Number:
		n, err := v.Int64()
		return int(n), err == nil
	case string:
		n, err := strconv.Atoi(v)
		return n, err == nil
	}
	return 0, false
}
