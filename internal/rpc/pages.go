package rpc

import (
	"context"
	"errors"
	"iter"
	"reflect"
)

// maxEmptyPages ends a walk whose pages stay empty although the service
// promises more.
const maxEmptyPages = 100

var errTokenRepeats = errors.New("alimedia: the service sent a page token it had sent before: stopped to not go round in circles")

// Tokens walks an operation that pages by an opaque token. token points into
// the request, page takes the items and the next token from an answer. The
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
			for i := range items {
				if !yield(items[i], nil) {
					return
				}
			}
			if next == "" {
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
// an answer, -1 where the service does not tell.
func Numbers[Req, Resp, Item any, N ~int32 | ~int64](ctx context.Context, call func(context.Context, Req) (*Resp, error), req Req, first N,
	at func(*Req) (page, size *N), page func(*Resp) (items []Item, total int64)) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		req := req
		number, size := at(&req)
		if *number < first {
			*number = first
		}
		start := *number
		var seen, length int64 // items so far; the longest page so far
		var before []Item
		for empty := 0; empty < maxEmptyPages; *number++ {
			out, err := fetch(ctx, call, req)
			if err != nil {
				fail(yield, err)
				return
			}
			items, total := page(out)
			if total < 0 && len(items) > 0 && reflect.DeepEqual(items, before) {
				return // the page number is not heeded
			}
			before = items
			for i := range items {
				if !yield(items[i], nil) {
					return
				}
			}
			seen += int64(len(items))
			length = max(length, int64(len(items)))
			if len(items) > 0 {
				empty = 0
				if total >= 0 && seen+int64(start-first)*length >= total {
					return
				}
				continue
			}
			// An empty page is the end unless the total says there is more;
			// the service may leave pages empty that it filtered.
			empty++
			if size != nil {
				length = max(length, int64(*size))
			}
			if total < 0 || int64(*number-first+1)*length >= total {
				return
			}
		}
	}
}

// fetch does not begin a page after ctx has ended.
func fetch[Req, Resp any](ctx context.Context, call func(context.Context, Req) (*Resp, error), req Req) (*Resp, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return call(ctx, req)
}

func fail[Item any](yield func(Item, error) bool, err error) {
	var none Item
	yield(none, err)
}
