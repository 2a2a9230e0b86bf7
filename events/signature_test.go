package events

import (
	"crypto/subtle"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
)

// Every key is tried with every URL, wherever the right ones stand, so that
// the time of a refusal does not tell how near it was.
func TestReceiver_B44_AllCombinationsTried(t *testing.T) {
	t.Parallel()
	keys := []alimedia.Secret{"Key0", "Key1", "Key2"}
	urls := []string{"https://a.example.com/", "https://b.example.com/"}
	for name, tt := range map[string]struct {
		key, url string
		want     bool
	}{
		"first":     {"Key0", urls[0], true},
		"in middle": {"Key1", urls[1], true},
		"last":      {"Key2", urls[1], true},
		"wrong":     {"Key3", urls[0], false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var p proof
			record := func(x, _ []byte) int { p.signature = x; return 0 }
			newMatcher([]alimedia.Secret{alimedia.Secret(tt.key)}, []string{tt.url}, record)(proof{timestamp: "1519375990"})
			p.timestamp = "1519375990"

			compared := map[string]int{}
			matches := newMatcher(keys, urls, func(x, y []byte) int {
				require.Equal(t, p.signature, y)
				compared[string(x)]++
				return subtle.ConstantTimeCompare(x, y)
			})
			require.Equal(t, tt.want, matches(p))
			require.Len(t, compared, len(keys)*len(urls))
		})
	}
}

func TestReceiver_B44_MalformedHeaders(t *testing.T) {
	t.Parallel()
	r, err := New(Config{Keys: []alimedia.Secret{"Test123"}, URLs: []string{"https://example.com"}, AllowUnsigned: true}, new(News).Handle)
	require.NoError(t, err)
	const good = "c587b80d2d0ede300e8967937da7219b"
	for name, tt := range map[string][2]string{
		"no timestamp":     {"", good},
		"no signature":     {"1519375990", ""},
		"short signature":  {"1519375990", good[2:]},
		"long signature":   {"1519375990", good + "00"},
		"no hex":           {"1519375990", "z" + good[1:]},
		"word":             {"yesterday", good},
		"negative":         {"-1519375990", good},
		"plus":             {"+1519375990", good},
		"blank":            {" 1519375990", good},
		"fraction":         {"1519375990.5", good},
		"underscore":       {"1_519375990", good},
		"milliseconds":     {"1519375990000", good},
		"overflow":         {"99999999999999999999", good},
		"other digits":     {"１５１９３７５９９０", good},
		"leading zeros":    {"0001519375990", good},
		"list of two":      {"1519375990,1519375990", good},
		"newline appended": {"1519375990\n", good},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header := http.Header{}
			header.Set("X-VOD-TIMESTAMP", tt[0])
			header.Set("X-VOD-SIGNATURE", tt[1])
			_, err := r.verify(header)
			require.ErrorIs(t, err, ErrSignature)
			require.ErrorContains(t, err, "malformed")
			require.NotContains(t, err.Error(), good[2:])
		})
	}
}
