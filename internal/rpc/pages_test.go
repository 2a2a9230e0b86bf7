package rpc

import (
	"context"
	"errors"
	"iter"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

type listRequest struct {
	NextToken   string
	ScrollToken string
	PageNo      int32
	PageSize    int32
}

type listResponse struct {
	Items       []int
	NextToken   string
	ScrollToken string
	Total       int64
}

func tokenPages(pages [][]int, calls *int) func(context.Context, listRequest) (*listResponse, error) {
	return func(_ context.Context, req listRequest) (*listResponse, error) {
		*calls++
		n := 0
		if req.NextToken != "" {
			n, _ = strconv.Atoi(req.NextToken)
		}
		out := &listResponse{Items: pages[n]}
		if n+1 < len(pages) {
			out.NextToken = strconv.Itoa(n + 1)
		}
		return out, nil
	}
}

func token(r *listRequest) *string               { return &r.NextToken }
func tokenPage(r *listResponse) ([]int, string)  { return r.Items, r.NextToken }
func numbers(r *listRequest) (*int32, *int32)    { return &r.PageNo, &r.PageSize }
func totalPage(r *listResponse) ([]int, int64)   { return r.Items, r.Total }
func noTotalPage(r *listResponse) ([]int, int64) { return r.Items, -1 }

func falseTotalPage(total int64) func(*listResponse) ([]int, int64) {
	return func(r *listResponse) ([]int, int64) { return r.Items, total }
}

func TestTokens(t *testing.T) {
	t.Parallel()
	calls := 0
	seq := Tokens(t.Context(), tokenPages([][]int{{1, 2}, {}, {3}, {}}, &calls), listRequest{}, token, tokenPage)
	for range 2 { // restartable
		var got []int
		for item, err := range seq {
			require.NoError(t, err)
			got = append(got, item)
		}
		require.Equal(t, []int{1, 2, 3}, got)
	}
	require.Equal(t, 8, calls)

	calls = 0
	for range seq {
		break
	}
	require.Equal(t, 1, calls, "a broken loop asks for nothing more")
}

func TestTokens_RepeatedTokenEnds(t *testing.T) {
	t.Parallel()
	calls := 0
	var last error
	for _, err := range Tokens(t.Context(), func(context.Context, listRequest) (*listResponse, error) {
		calls++
		return &listResponse{Items: []int{1}, NextToken: "same"}, nil
	}, listRequest{}, token, tokenPage) {
		last = err
	}
	require.ErrorIs(t, last, errTokenRepeats)
	require.Equal(t, 2, calls)
}

func TestPages_ErrorsAndContextEndTheWalk(t *testing.T) {
	t.Parallel()
	cause := errors.New("down")
	fails := func(context.Context, listRequest) (*listResponse, error) { return nil, cause }
	for _, err := range Tokens(t.Context(), fails, listRequest{}, token, tokenPage) {
		require.ErrorIs(t, err, cause)
	}
	for _, err := range Numbers(t.Context(), fails, listRequest{}, 1, numbers, totalPage) {
		require.ErrorIs(t, err, cause)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	calls, items := 0, 0
	for _, err := range Tokens(ctx, tokenPages([][]int{{1}, {2}}, &calls), listRequest{}, token, tokenPage) {
		if err != nil {
			require.ErrorIs(t, err, context.Canceled)
			continue
		}
		items++
		cancel()
	}
	require.Equal(t, 1, items)
	require.Equal(t, 1, calls)
}

// A page is not handed out to its end when ctx has ended.
func TestPages_ContextEndsWithinAPage(t *testing.T) {
	t.Parallel()
	calls := 0
	for name, seq := range map[string]func(context.Context) iter.Seq2[int, error]{
		"tokens": func(ctx context.Context) iter.Seq2[int, error] {
			return Tokens(ctx, tokenPages([][]int{{1, 2, 3}}, &calls), listRequest{}, token, tokenPage)
		},
		"numbers": func(ctx context.Context) iter.Seq2[int, error] {
			return Numbers(ctx, list(30, 10, nil, 1, &calls), listRequest{}, 1, numbers, totalPage)
		},
		"scroll": func(ctx context.Context) iter.Seq2[int, error] {
			return Scroll(ctx, list(30, 10, nil, 1, &calls), listRequest{}, 0, scrolls, scrollPage)
		},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		cause := errors.New("enough")
		var got []int
		for item, err := range seq(ctx) {
			if len(got) == 2 {
				require.ErrorIs(t, err, cause, name)
				break
			}
			require.NoError(t, err, name)
			got = append(got, item)
			if len(got) == 2 {
				cancel(cause)
			}
		}
		require.Len(t, got, 2, name)
		cancel(nil)
	}
}

func scrolls(r *listRequest) (*int32, *int32, *string)    { return &r.PageNo, &r.PageSize, &r.ScrollToken }
func unscrolled(r *listRequest) (*int32, *int32, *string) { return &r.PageNo, &r.PageSize, nil }
func scrollPage(r *listResponse) ([]int, int64, string)   { return r.Items, r.Total, r.ScrollToken }

// search serves count items in pages of at most ten; it reaches deep only with
// the token of the page before.
func search(t *testing.T, count, deep int, calls *int) func(context.Context, listRequest) (*listResponse, error) {
	pages := list(count, 10, nil, 1, calls)
	return func(ctx context.Context, req listRequest) (*listResponse, error) {
		if int(req.PageNo)*10 > deep && req.ScrollToken != "after "+strconv.Itoa(int(req.PageNo)-1) {
			t.Errorf("page %d with token %q", req.PageNo, req.ScrollToken)
		}
		out, err := pages(ctx, req)
		out.ScrollToken = "after " + strconv.Itoa(int(req.PageNo))
		return out, err
	}
}

func TestScroll(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name         string
		count        int
		req          listRequest
		most         int64
		at           func(*listRequest) (page, size *int32, token *string)
		items, calls int
		err          string
	}{
		{"deep", 95, listRequest{PageSize: 10}, 0, scrolls, 95, 10, ""},
		{"from a page on", 95, listRequest{PageNo: 4}, 0, scrolls, 65, 7, ""},
		{"nothing", 0, listRequest{}, 0, scrolls, 0, 1, ""},
		{"without tokens", 50, listRequest{PageSize: 10}, 50, unscrolled, 50, 5, ""},
		{"without tokens and too many", 51, listRequest{PageSize: 10}, 50, unscrolled, 50, 5, "at most 50 items"},
		{"too many for tokens", 95, listRequest{}, 80, scrolls, 80, 8, "at most 80 items"},
		{"too many behind a page", 95, listRequest{PageNo: 4}, 80, scrolls, 50, 5, "at most 80 items"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			seq := Scroll(t.Context(), search(t, tt.count, 50, &calls), tt.req, tt.most, tt.at, scrollPage)
			for range 2 {
				items := 0
				var last error
				for _, err := range seq {
					require.NoError(t, last, "nothing comes after an error")
					if last = err; err == nil {
						items++
					}
				}
				require.Equal(t, tt.items, items)
				if tt.err == "" {
					require.NoError(t, last)
				} else {
					require.ErrorContains(t, last, tt.err)
				}
			}
			require.Equal(t, 2*tt.calls, calls)
		})
	}
}

func TestScroll_NeverEndsInCircles(t *testing.T) {
	t.Parallel()
	calls := 0
	var last error
	for _, err := range Scroll(t.Context(), func(context.Context, listRequest) (*listResponse, error) {
		calls++
		return &listResponse{Items: []int{7}, Total: 1 << 40, ScrollToken: "same"}, nil
	}, listRequest{}, 0, scrolls, scrollPage) {
		last = err
	}
	require.ErrorIs(t, last, errPageRepeats)
	require.Equal(t, 2, calls)

	calls = 0
	for range Scroll(t.Context(), func(context.Context, listRequest) (*listResponse, error) {
		calls++
		return &listResponse{Total: 1 << 40, ScrollToken: strconv.Itoa(calls)}, nil
	}, listRequest{PageSize: 10}, 0, scrolls, scrollPage) {
		t.Fail()
	}
	require.Equal(t, maxEmptyPages, calls)

	cause := errors.New("down")
	for _, err := range Scroll(t.Context(), func(context.Context, listRequest) (*listResponse, error) { return nil, cause },
		listRequest{}, 0, scrolls, scrollPage) {
		require.ErrorIs(t, err, cause)
	}
}

// list serves count items in pages of at most limit, with holes left empty.
func list(count, limit int, holes map[int32]bool, first int32, calls *int) func(context.Context, listRequest) (*listResponse, error) {
	return func(_ context.Context, req listRequest) (*listResponse, error) {
		*calls++
		size := limit
		if req.PageSize > 0 && int(req.PageSize) < limit {
			size = int(req.PageSize)
		}
		out := &listResponse{Total: int64(count)}
		for i := int(req.PageNo-first) * size; i < count && i < int(req.PageNo-first+1)*size; i++ {
			if !holes[req.PageNo] {
				out.Items = append(out.Items, i)
			}
		}
		return out, nil
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name         string
		count, limit int
		holes        map[int32]bool
		req          listRequest
		first        int32
		page         func(*listResponse) ([]int, int64)
		items, calls int
	}{
		{"exact pages", 20, 10, nil, listRequest{PageSize: 10}, 1, totalPage, 20, 2},
		{"short last page", 21, 10, nil, listRequest{PageSize: 10}, 1, totalPage, 21, 3},
		{"nothing", 0, 10, nil, listRequest{PageSize: 10}, 1, totalPage, 0, 1},
		{"default size", 25, 10, nil, listRequest{}, 1, totalPage, 25, 3},
		{"the service caps the size", 25, 10, nil, listRequest{PageSize: 500}, 1, totalPage, 25, 3},
		{"from the middle", 25, 10, nil, listRequest{PageNo: 2, PageSize: 10}, 1, totalPage, 15, 2},
		{"pages from zero", 25, 10, nil, listRequest{PageSize: 10}, 0, totalPage, 25, 3},
		{"an empty page in the middle", 30, 10, map[int32]bool{2: true}, listRequest{PageSize: 10}, 1, totalPage, 20, 4},
		{"an empty first page", 30, 10, map[int32]bool{1: true}, listRequest{PageSize: 10}, 1, totalPage, 20, 4},
		{"no total", 25, 10, nil, listRequest{PageSize: 10}, 1, noTotalPage, 25, 4},
		{"the total is not counted", 25, 10, nil, listRequest{PageSize: 10}, 1, falseTotalPage(0), 25, 4},
		{"the total is too small", 25, 10, nil, listRequest{PageSize: 10}, 1, falseTotalPage(9), 25, 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			seq := Numbers(t.Context(), list(tt.count, tt.limit, tt.holes, tt.first, &calls), tt.req, tt.first, numbers, tt.page)
			for range 2 {
				seen := map[int]bool{}
				for item, err := range seq {
					require.NoError(t, err)
					require.False(t, seen[item])
					seen[item] = true
				}
				require.Len(t, seen, tt.items)
			}
			require.Equal(t, 2*tt.calls, calls)
		})
	}
}

func TestNumbers_NeverEndsInCircles(t *testing.T) {
	t.Parallel()
	calls := 0
	items := 0
	for range Numbers(t.Context(), func(context.Context, listRequest) (*listResponse, error) {
		calls++
		return &listResponse{Items: []int{7}}, nil
	}, listRequest{}, 1, numbers, noTotalPage) {
		items++
	}
	require.Equal(t, 2, calls, "the page number is not heeded")
	require.Equal(t, 1, items)

	calls = 0
	for range Numbers(t.Context(), func(context.Context, listRequest) (*listResponse, error) {
		calls++
		return &listResponse{Total: 1 << 40}, nil
	}, listRequest{}, 1, numbers, totalPage) {
		t.Fail()
	}
	require.Equal(t, maxEmptyPages, calls)
}
