package alimedia_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	htmltemplate "html/template"
	"log/slog"
	"testing"
	"text/template"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
)

type response struct {
	UploadAuth alimedia.Secret            `json:",omitzero"`
	Attribute  alimedia.Secret            `xml:",attr"`
	List       []alimedia.Secret          `json:",omitempty"`
	ByName     map[string]alimedia.Secret `json:",omitempty" xml:"-"`
	Pointer    *alimedia.Secret           `json:",omitempty"`
}

func fullResponse() response {
	s := alimedia.Secret("the-secret <&>")
	return response{s, s, []alimedia.Secret{s}, map[string]alimedia.Secret{"key": s}, &s}
}

// forms are all ways in which the standard library writes a value.
func forms(t *testing.T, v any) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} {
		out[verb] = fmt.Sprintf(verb, v)
	}
	var text, structured bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("x", "response", v)
	slog.New(slog.NewJSONHandler(&structured, nil)).Info("x", "response", v, slog.Group("in", "a", v))
	out["slog text"], out["slog JSON"] = text.String(), structured.String()

	data, err := json.Marshal(v)
	require.NoError(t, err)
	out["json"] = string(data)
	data, err = xml.Marshal(v)
	require.NoError(t, err)
	out["xml"] = string(data)
	var b bytes.Buffer
	require.NoError(t, gob.NewEncoder(&b).Encode(v))
	out["gob"] = b.String()

	b.Reset()
	require.NoError(t, template.Must(template.New("").Parse("{{.}}")).Execute(&b, v))
	out["template"] = b.String()
	b.Reset()
	require.NoError(t, htmltemplate.Must(htmltemplate.New("").Parse("{{.}}<script>x = {{.}}</script>")).Execute(&b, v))
	out["html template"] = b.String()
	return out
}

func TestSecret_B60_IsMaskedInEveryForm(t *testing.T) {
	t.Parallel()
	a := fullResponse()
	for _, v := range []any{a, &a, a.UploadAuth, a.Pointer, a.List} {
		for name, text := range forms(t, v) {
			require.NotContains(t, text, "the-secret", "%s of %T", name, v)
			require.NotContains(t, text, fmt.Sprintf("%x", "the-secret"), "%s of %T", name, v)
			require.NotContains(t, text, fmt.Sprintf("%X", "the-secret"), "%s of %T", name, v)
		}
		require.Contains(t, forms(t, v)["json"], "***")
	}
	require.Contains(t, forms(t, a)["slog JSON"], `"UploadAuth":"***"`)
	require.Contains(t, forms(t, a)["xml"], `Attribute="***"`)
}

func TestSecret_B60_GivesItsTextOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	s := alimedia.Secret("the-secret")
	require.Equal(t, "the-secret", s.Reveal())
	require.Equal(t, "the-secret", string(s))
	require.Empty(t, alimedia.Secret("").String())
	require.Empty(t, alimedia.Secret("").Reveal())

	data, err := json.Marshal(struct{ UploadAuth string }{s.Reveal()}) // what a backend writes for a browser
	require.NoError(t, err)
	require.JSONEq(t, `{"UploadAuth":"the-secret"}`, string(data))

	data, err = json.Marshal(response{})
	require.NoError(t, err)
	require.JSONEq(t, `{"Attribute":""}`, string(data))
}

func TestSecret_DecodesTheText(t *testing.T) {
	t.Parallel()
	var a response
	require.NoError(t, json.Unmarshal([]byte(`{"UploadAuth":"the-secret","List":["one"],"ByName":{"key":"two"}}`), &a))
	require.Equal(t, "the-secret one two", string(a.UploadAuth+" "+a.List[0]+" "+a.ByName["key"]))
	require.NoError(t, xml.Unmarshal([]byte(`<response Attribute="three"><UploadAuth>four</UploadAuth></response>`), &a))
	require.Equal(t, "three four", string(a.Attribute+" "+a.UploadAuth))

	var b bytes.Buffer
	require.NoError(t, gob.NewEncoder(&b).Encode(fullResponse()))
	require.NoError(t, gob.NewDecoder(&b).Decode(&a))
	require.Equal(t, "***", string(a.UploadAuth))
}
