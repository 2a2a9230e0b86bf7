package webupload

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
)

// Whatever arrives is refused with 400, or is what the documentation of Request says.
func FuzzDecodeCreate(f *testing.F) {
	for _, body := range []string{
		`{"FileName":"movie.MP4","FileSize":5,"ContentType":"video/mp4","Title":"t","Description":"a\nb","Tags":["a"],"Target":"v","Metadata":{"a":"b"}}`,
		`{"FileName":"a.mp4","FileSize":5,"FileSize":6}`, `{"FileName":"..\\a.mp4","FileSize":1}`, `{"FileName":"\ud800.mp4","FileSize":1e3}`,
		`{"Metadata":{"a":"b","a":null}}`, `[]`, `{"Tags":[null]}`, `{"VideoId":"a"}`, "{\"\xff\":1}", `{"FileName":"a.mp4","FileSize":9223372036854775807} `,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if id, err := decodeId(body); err == nil {
			require.NotEmpty(t, id)
		}
		r, err := decodeCreate(body)
		if err != nil {
			require.Equal(t, http.StatusBadRequest, refused(err).Status)
			require.True(t, utf8.ValidString(err.Error()))
			return
		}
		require.True(t, plainName(r.FileName) && plainExtension(r.Extension), "%q", r.FileName)
		require.True(t, strings.HasSuffix(strings.ToLower(r.FileName), "."+r.Extension))
		require.Positive(t, r.FileSize)
		require.True(t, plain(r.Title) && plain(r.Target) && plain(r.ContentType))
		require.LessOrEqual(t, len(r.Tags), maxTags)
		require.LessOrEqual(t, len(r.Metadata), maxMembers)
		var names map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(body, &names))
		var text string
		require.NoError(t, json.Unmarshal(names["FileName"], &text), "there is one FileName, spelled so")
		require.Equal(t, text, r.FileName)
	})
}

// A token is opaque to everybody else: what is not signed is refused.
func FuzzToken(f *testing.F) {
	all := newTokens([]alimedia.Secret{"0123456789abcdef0123456789abcdef"}, defaultLife)
	payload, err := json.Marshal(claim{Kind: KindVideo, Id: "id", Size: 5, Expires: math.MaxInt64})
	require.NoError(f, err)
	text := base64.RawURLEncoding.EncodeToString(payload) // the same in all processes of the fuzzer
	good := text + "." + base64.RawURLEncoding.EncodeToString(all.sign("ann", text))
	f.Add(good)
	f.Add("")
	f.Add(good + ".")
	f.Fuzz(func(t *testing.T, token string) {
		c, err := all.verify("ann", "id", token)
		require.Equal(t, token == good, err == nil)
		if err == nil {
			require.Equal(t, claim{KindVideo, "id", 5, math.MaxInt64}, c)
		}
		_, err = all.verify("bob", "id", token)
		require.Error(t, err)
	})
}

// What was not used for longest is forgotten first.
func TestRecent(t *testing.T) {
	t.Parallel()
	var r recent[*int]
	made := 0
	use := func(key string) { r.use(key, func() *int { made++; return new(int) }) }
	use("first")
	for i := range remembered - 1 {
		use(strings.Repeat("x", i+1))
	}
	use("first")
	use("one more")
	require.Equal(t, remembered+1, made)
	require.Len(t, r.entries, remembered)
	use("first")
	require.Equal(t, remembered+1, made, "it was used")
	use("x")
	require.Equal(t, remembered+2, made, "it was not")
}
