package credentials

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// verbs holds the verbs of package fmt, with the flags that change much, but
// for %p: of a value that is no pointer it prints the fields without asking.
var verbs = []string{
	"%v", "%+v", "%#v", "%s", "%q", "%#q", "%+q", "%x", "%X", "% x", "%#x", "%d", "%t", "%c", "%U", "%b", "%o", "%O",
	"%e", "%E", "%f", "%g", "%G", "%T", "%10s", "%-10v", "%.3s", "%z", "%!",
}

// texts renders v in every way there is.
func texts(t testing.TB, v any) []string {
	t.Helper()
	var all []string
	for _, verb := range verbs {
		all = append(all, fmt.Sprintf(verb, v))
	}
	all = append(all, fmt.Sprint(v), fmt.Sprintln(v))

	var log bytes.Buffer
	for _, handler := range []slog.Handler{
		slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil),
	} {
		slog.New(handler).With("with", v).Info("message", "value", v, slog.Group("group", "value", v))
	}
	all = append(all, log.String())
	if data, err := json.Marshal(v); err == nil {
		all = append(all, string(data))
	}
	var binary bytes.Buffer
	if gob.NewEncoder(&binary).Encode(v) == nil {
		all = append(all, binary.String())
	}
	if data, err := xml.Marshal(struct{ Of any }{v}); err == nil {
		all = append(all, string(data))
	}
	return all
}

func TestCredentials_ShowNoSecret(t *testing.T) {
	t.Parallel()
	c := Credentials{
		AccessKeyId: testId, AccessKeySecret: testSecret, SecurityToken: testToken,
		Expires: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Source: "Env",
	}
	for name, v := range map[string]any{
		"value":      c,
		"pointer":    &c,
		"slice":      []Credentials{c},
		"pointers":   []*Credentials{&c},
		"map":        map[string]Credentials{"key": c},
		"key of map": map[Credentials]int{c: 1},
		"field":      struct{ Of Credentials }{c},
		"interface":  struct{ Of any }{&c},
		"embedded":   struct{ Credentials }{c},
		"in error":   fmt.Errorf("failed with %v", c),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, text := range texts(t, v) {
				requireNoSecret(t, text)
				require.NotContains(t, text, testId)
				require.NotContains(t, text, fmt.Sprintf("%x", testSecret))
			}
		})
	}
}

func TestCredentials_Texts(t *testing.T) {
	t.Parallel()
	long := Credentials{
		AccessKeyId: testId, AccessKeySecret: testSecret, SecurityToken: testToken,
		Expires: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Source: "Env",
	}
	const text = `Credentials{AccessKeyId:"LTAI***", AccessKeySecret:"***", SecurityToken:"***", Source:"Env", Expires:"2026-01-02T03:04:05Z"}`
	require.Equal(t, text, long.String())
	require.Equal(t, text, fmt.Sprintf("%+v", long))
	require.Equal(t, "credentials."+text, fmt.Sprintf("%#v", &long))
	require.Equal(t, fmt.Sprintf("%q", text), fmt.Sprintf("%q", long))

	require.NotContains(t, fmt.Sprintf("%p", &long), testSecret)

	data, err := json.Marshal(long)
	require.NoError(t, err)
	require.JSONEq(t, `{"AccessKeyId":"LTAI***","AccessKeySecret":"***","SecurityToken":"***","Expires":"2026-01-02T03:04:05Z","Source":"Env"}`, string(data))

	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "c", long)
	require.Contains(t, log.String(), "c.access_key_id=LTAI*** c.source=Env c.expires=2026-01-02T03:04:05.000Z")

	require.Equal(t, `Credentials{AccessKeyId:"***"}`, Credentials{AccessKeyId: "LTAI1234"}.String(), "a short id is hidden as a whole")
	require.Equal(t, `Credentials{AccessKeyId:""}`, Credentials{}.String())
}
