package events

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBounded(t *testing.T) {
	t.Parallel()
	var b bounded[string, int]
	_, ok := b.get("a")
	require.False(t, ok)
	b.remove("a")
	b.set("a", 1, 2)
	b.set("b", 2, 2)
	b.set("a", 3, 2) // keeps its age
	b.set("c", 4, 2)
	_, ok = b.get("a")
	require.False(t, ok, "the oldest goes")
	b.remove("b")
	b.set("d", 5, 2)
	for key, want := range map[string]int{"c": 4, "d": 5} {
		got, ok := b.get(key)
		require.True(t, ok, key)
		require.Equal(t, want, got)
	}
	require.Len(t, b.entries, 2)
	require.Equal(t, 2, b.oldest.Len())
}

func TestNews_MemoryIsBounded(t *testing.T) {
	t.Parallel()
	var n News
	for i := range 3 * maxNews {
		require.NoError(t, n.Handle(t.Context(), Event{MediaId: strconv.Itoa(i)}))
	}
	for _, id := range []string{"", strings.Repeat("x", maxMediaId+1)} {
		require.NoError(t, n.Handle(t.Context(), Event{MediaId: id}))
		_, kept := n.unread.get(id)
		require.False(t, kept)
	}
	require.Len(t, n.unread.entries, maxNews)
	require.Equal(t, maxNews, n.unread.oldest.Len())
	require.NoError(t, n.Wait(t.Context(), strconv.Itoa(3*maxNews-1)), "the last is there")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, n.Wait(ctx, "0"), context.Canceled, "the first is forgotten")
	require.Empty(t, n.waiting, "who stops waiting leaves nothing behind")
}

// News that comes while ctx ends is not lost.
func TestNews_AtTheLastMoment(t *testing.T) {
	t.Parallel()
	var n News
	w := n.join("a")
	require.NoError(t, n.Handle(t.Context(), Event{MediaId: "a"}))
	require.True(t, n.leave("a", w))
	later := n.join("a")
	require.False(t, n.leave("a", later))
}

func TestReceiver_B44_ReplayMemoryIsBounded(t *testing.T) {
	t.Parallel()
	r := replays{limit: 100}
	p := proof{timestamp: "1519375990", signature: make([]byte, 16)}
	for i := range 1000 {
		settle, err := r.claim(p, []byte(strconv.Itoa(i)))
		require.NoError(t, err)
		settle(true)
	}
	require.Len(t, r.handled.entries, 100)
	_, err := r.claim(p, []byte("999"))
	require.ErrorIs(t, err, ErrReplayed)
	_, err = r.claim(p, []byte("0"))
	require.NoError(t, err, "pushed out by newer ones")
}
