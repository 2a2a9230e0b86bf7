package answer

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func decode(t *testing.T, text string) any {
	t.Helper()
	v, err := Decode([]byte(text))
	require.NoError(t, err)
	return v
}

func TestMask(t *testing.T) {
	t.Parallel()
	const secret = "PlantedSecret0123456789"
	for name, text := range map[string]string{
		"field":          `{"UploadAuth":"` + secret + `","UploadAddress":"stays"}`,
		"nested":         `{"A":{"B":[{"SecurityToken":"` + secret + `"}],"C":"stays"}}`,
		"case":           `{"accessKeySecret":"` + secret + `","C":"stays"}`,
		"document":       `{"UserData":"{\"AuthKey\":\"` + secret + `\",\"Other\":\"stays\"}"}`,
		"list in secret": `{"Password":["` + secret + `"],"C":"stays"}`,
		"two levels":     `{"A":"{\"B\":\"{\\\"PlayAuth\\\":\\\"` + secret + `\\\"}\"}","C":"stays"}`,
	} {
		shown, err := JSON(Mask(decode(t, text)), false)
		require.NoError(t, err, name)
		require.NotContains(t, string(shown), secret, name)
		require.Contains(t, string(shown), "***", name)
		if strings.Contains(text, "stays") {
			require.Contains(t, string(shown), "stays", name)
		}
	}
	for _, text := range []string{`{"A":"{\"b\": 1.50}"}`, `{"A":"[not json"}`, `{"UploadAuth":""}`, `{"A":12345678901234567890}`} {
		shown, err := JSON(Mask(decode(t, text)), false)
		require.NoError(t, err)
		require.Equal(t, text+"\n", string(shown))
	}
}

func TestQuery(t *testing.T) {
	t.Parallel()
	v := decode(t, `{"List":[{"Id":"a","Size":5,"Big":12345678901234567890},{"Id":"b","Size":50,"Big":1}]}`)
	for expression, want := range map[string]string{
		"":                         `{"List":[{"Big":12345678901234567890,"Id":"a","Size":5},{"Big":1,"Id":"b","Size":50}]}`,
		"List[].Id":                `["a","b"]`,
		"List[?Size > `10`].Id":    `["b"]`,
		"List[0].Big":              `12345678901234567890`,
		"length(List)":             `2`,
		"Nothing.Here":             `null`,
		"List[].{i: Id, s: Size}":  `[{"i":"a","s":5},{"i":"b","s":50}]`,
		"sort_by(List, &Size)[-1]": `{"Big":1,"Id":"b","Size":50}`,
	} {
		q, err := Compile(expression)
		require.NoError(t, err, expression)
		found, err := q.Of(v)
		require.NoError(t, err, expression)
		shown, err := JSON(found, false)
		require.NoError(t, err)
		require.Equal(t, want+"\n", string(shown), expression)
	}
	_, err := Compile("List[")
	require.ErrorContains(t, err, "--query: ")
	q, err := Compile("abs('x')")
	require.NoError(t, err)
	_, err = q.Of(v)
	require.ErrorContains(t, err, "--query: ")
}

func TestJSON_ControlsNoTerminal(t *testing.T) {
	t.Parallel()
	hostile := "\x1b]0;own\a\u009b31m\u202eabc\u007f\u2028\U000e0001\U000f0000" + "ok"
	for _, indent := range []bool{false, true} {
		shown, err := JSON(map[string]any{"Title": hostile}, indent)
		require.NoError(t, err)
		for _, r := range string(shown) {
			require.False(t, special(r), "%U", r)
		}
		require.Equal(t, hostile, decode(t, string(shown)).(map[string]any)["Title"], "it is the same text")
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	clean := func(s string) string { return strings.ReplaceAll(s, "\x1b", "?") }
	for in, want := range map[string]string{
		`"a\u001bb"`: "a?b\n", `["a","b"]`: "a\nb\n", `5`: "5\n", `null`: "", `{"a":[1]}`: "{\"a\":[1]}\n", `[1,{"b":2}]`: "1\n{\"b\":2}\n",
	} {
		shown, err := Text(decode(t, in), clean)
		require.NoError(t, err)
		require.Equal(t, want, string(shown), in)
	}
}
