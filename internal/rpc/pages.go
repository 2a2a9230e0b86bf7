package rpc

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"

	"github.com/alimedia/alimedia-go/internal/retry"
)

// maxEmptyPages ends a walk whose pages stay empty although the service
// promises more.
const maxEmptyPages = 100

var (
	errTokenRepeats = errors.New("alimedia: the service repeated a page token: the iteration stopped, because it would not end")
	errPageRepeats  = errors.New("alimedia: the service repeated a page: the iteration stopped, because it would not end")
)

// Tokens walks an operation that pages by an opaque token. token points into
// the request, page takes the items and the next token from a response. The
// sequence can be ranged over again; it then starts from the first page.
func Tokens[Req, Resp, Item any](ctx context.Context, call func(context.Context, Req) (*Resp, error), req Req,
	token func(*Req) *string, page func(*Resp) (items []Item, next string)) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		req, seen := req, map[string]bool{}
		for {
			out, err := fetch(ctx, call, req)
			if err != nil {
				fail(yield, err)
				return
			}
			items, next := page(out)
			if !yieldAll(ctx, yield, items) || next == "" {
				return
			}
			if seen[next] {
				fail(yield, errTokenRepeats)
				return
			}
			seen[next] = true
			*token(&req) = next
		}
	}
}

// Numbers walks an operation that pages by number. first is the number of the
// first page; at points to the page number and, where there is one, the page
// size of the request; page takes the items and the total number of items from
// a response, -1 where the service does not tell.
func Numbers[Req, Resp, Item any, N ~int32 | ~int64](ctx context.Context, call func(context.Context, Req) (*Resp, error), req Req, first N,
	at func(*Req) (page, size *N), page func(*Resp) (items []Item, total int64)) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		req := req
		number, size := at(&req)
		*number = max(*number, first)
		w := walk{skipped: int64(*number - first)}
		if size != nil {
			w.size = int64(*size)
		}
		for before := []Item(nil); ; *number++ {
			out, err := fetch(ctx, call, req)
			if err != nil {
				fail(yield, err)
				return
			}
			items, total := page(out)
			more := w.more(len(items), total)
			if w.noTotal && len(items) > 0 && reflect.DeepEqual(items, before) {
				return // the page number is not heeded
			}
			before = items
			if !yieldAll(ctx, yield, items) || !more {
				return
			}
		}
	}
}

// Scroll walks a search that pages by number and finds what lies deep only
// with the token of the page before. most is how many items the service lets
// a search reach: where it has more, the walk ends with an error. at also
// points to the token of the request, nil for a search that must do without;
// page takes the next token from a response, too.
func Scroll[Req, Resp, Item any](ctx context.Context, call func(context.Context, Req) (*Resp, error), req Req, most int64,
	at func(*Req) (page, size *int32, token *string), page func(*Resp) (items []Item, total int64, token string)) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		req := req
		number, size, token := at(&req)
		*number = max(*number, 1)
		w := walk{skipped: int64(*number - 1), size: int64(*size)}
		for before := []Item(nil); ; *number++ {
			out, err := fetch(ctx, call, req)
			if err != nil {
				fail(yield, err)
				return
			}
			items, total, next := page(out)
			if len(items) > 0 && reflect.DeepEqual(items, before) {
				fail(yield, errPageRepeats)
				return
			}
			before = items
			more := w.more(len(items), total)
			if !yieldAll(ctx, yield, items) || !more {
				return
			}
			if most > 0 && w.reached() >= most {
				fail(yield, fmt.Errorf("alimedia: a search returns at most %d items, and this one has more: narrow it", most))
				return
			}
			if token != nil && next != "" {
				*token = next
			}
		}
	}
}

// walk decides when pages by number end.
type walk struct {
	skipped int64 // pages before the first one asked for
	size    int64 // page size asked for; 0 where the service chooses

	pages   int64 // read so far
	seen    int64 // items so far
	length  int64 // of the longest page so far
	empty   int   // empty pages in a row
	noTotal bool  // the service does not tell the total, or not the truth
}

// more takes note of a page and reports whether another one is to be read.
//
// An empty page is the end unless the total says there is more; the service
// may leave pages empty that it filtered. A total smaller than what was seen is
// none: some operations send zero unless they are asked to count.
func (w *walk) more(items int, total int64) bool {
	w.pages++
	w.seen += int64(items)
	w.length = max(w.length, int64(items))
	w.noTotal = w.noTotal || total < w.seen
	if items > 0 {
		w.empty = 0
		return w.noTotal || w.reached() < total
	}
	w.empty++
	w.length = max(w.length, w.size)
	return !w.noTotal && w.empty < maxEmptyPages && (w.skipped+w.pages)*w.length < total
}

// reached is how far into all items the walk has come.
func (w *walk) reached() int64 { return w.seen + w.skipped*w.length }

// fetch does not begin a page after ctx has ended.
func fetch[Req, Resp any](ctx context.Context, call func(context.Context, Req) (*Resp, error), req Req) (*Resp, error) {
	if ctx.Err() != nil {
		return nil, retry.ContextError(ctx)
	}
	return call(ctx, req)
}

// yieldAll reports whether the walk goes on: the loop took all items, and ctx
// has not ended.
func yieldAll[Item any](ctx context.Context, yield func(Item, error) bool, items []Item) bool {
	for i := range items {
		if ctx.Err() != nil {
			fail(yield, retry.ContextError(ctx))
			return false
		}
		if !yield(items[i], nil) {
			return false
		}
	}
	return true
}

func fail[Item any](yield func(Item, error) bool, err error) {
	var none Item
	yield(none, err)
}
