package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// withReference generates with the files of a group and the shared meanings.
func withReference(t *testing.T, decisions, meanings, things string) (map[string][]byte, *model, error) {
	t.Helper()
	s, o, err := parse(t, catalogue, decisions)
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "x")
	require.NoError(t, os.Mkdir(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(dir), "meanings.json"), []byte(meanings), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "things.json"), []byte(things), 0o600))
	r, err := readReference(dir, o)
	if err != nil {
		return nil, nil, err
	}
	m, err := build("x", s, o, r, func() (map[string][]byte, error) {
		return map[string][]byte{"documents.go": []byte("package x\n")}, nil
	})
	if err != nil {
		return nil, m, err
	}
	files, err := m.files()
	return files, m, err
}

const thingsReference = `{"operations":{"CreateThing":{
 "errors":{"Thing.Exists":"It exists. Take another title.","quotaExceeded":"Too many things. Delete some."},
 "cost":"Each thing is billed.","rate":30,"page":"https://example.com/en/things"}},
"fields":{"ListThingsResponse.Total":"Number of all things.","CreateThingResponse.Blob":"The thing as a document."}}`

func TestReference_Prints(t *testing.T) {
	t.Parallel()
	files, m, err := withReference(t, decisions, `{"Id:text":"ID of the thing.","Total":"Something else.","Tag":""}`, thingsReference)
	require.NoError(t, err)
	for _, wanted := range []string{
		"// Each thing is billed.\n//\n// At most 30 calls per second for an account, see [DocumentedRates].\n//\n// Errors:\n//\n" +
			"//   - Thing.Exists: It exists. Take another title.\n//   - quotaExceeded: Too many things. Delete some.\n//\n// RAM action: x:CreateThing.\n//\n// Reference: https://example.com/en/things\n",
		"\t// Number of all things.\n\tTotal int32\n",
		"\t// The thing as a document.\n\tBlob ",
	} {
		require.Contains(t, string(files["zz_things.go"]), wanted)
	}
	require.Contains(t, string(files["zz_types.go"]), "// ID of the thing.\n\tId ")
	require.Contains(t, string(files["zz_rates.go"]), `"CreateThing": 30,`)
	require.Equal(t, "{\"x\", \"CreateThing\", \"quotaexceeded\", \"Too many things. Delete some.\"},\n{\"x\", \"CreateThing\", \"thing.exists\", \"It exists. Take another title.\"},\n",
		string(m.adviceOf()))

	var stats, missing strings.Builder
	m.printStats(&stats)
	require.Regexp(t, `error codes +2\n`, stats.String())
	m.printMissing(&missing, "things")
	require.NotContains(t, missing.String(), "ListThingsResponse.Total")
	require.Contains(t, missing.String(), "x/things: CreateThingResponse.Thing Thing\n")
}

func TestReference_Refuses(t *testing.T) {
	t.Parallel()
	var explained map[string]any
	require.NoError(t, json.Unmarshal([]byte(decisions), &explained))
	explained["explained"] = []string{"things"}
	text, err := json.Marshal(explained)
	require.NoError(t, err)
	for name, tt := range map[string]struct{ decisions, meanings, things, want string }{
		"unknown field":     {decisions, `{}`, `{"fields":{"Thing.Nothing":"Not there."}}`, "there is no field Thing.Nothing"},
		"unknown operation": {decisions, `{}`, `{"operations":{"Nothing":{}}}`, "the operation Nothing is not in the group"},
		"of another group":  {decisions, `{}`, `{"operations":{"GetNothing":{}}}`, "the operation GetNothing is not in the group"},
		"unknown member":    {decisions, `{}`, `{"errors":{}}`, "unknown field"},
		"no unit":           {string(text), `{}`, `{"fields":{"ListThingsResponse.Total":"The total."}}`, "the meaning of ListThingsResponse.Total (int32) lacks a unit"},
		"lower case":        {decisions, `{}`, `{"fields":{"ListThingsResponse.Total":"number of things."}}`, "the meaning of ListThingsResponse.Total is no sentence"},
		"lower case doc":    {strings.Replace(decisions, "Do it anyway.", "do it anyway.", 1), `{}`, `{}`, "the doc of CreateThingRequest.Force is no sentence"},
		"no period":         {decisions, `{"Total":"Number of things"}`, `{}`, "the meaning of Total is no sentence"},
		"too long":          {decisions, `{"Total":"N` + strings.Repeat("o", maxMeaning) + `."}`, `{}`, "is longer than 300 bytes"},
		"no meaning":        {string(text), `{}`, `{}`, "the meaning of ListThingsResponse.Total (int32) lacks a unit"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := withReference(t, tt.decisions, tt.meanings, tt.things)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestField_Gap(t *testing.T) {
	t.Parallel()
	for want, fields := range map[string][]field{
		"": {
			{wire: "Size", typ: "int64", doc: "Size in bytes."}, {wire: "Total", typ: "int32", doc: "Number of all items."},
			{wire: "CreateTime", typ: "string", doc: "When it was created, in UTC: yyyy-MM-ddTHH:mm:ssZ."}, {wire: "CreateTime", typ: "int64", doc: "Unix time in milliseconds."},
			{wire: "Status", typ: "string", doc: "State: Running or Done."}, {wire: "Title", typ: "string"}, {wire: "Bitrate", typ: "string", doc: "Bit rate in kbit/s."},
		},
		"a unit, or what the number counts": {{wire: "Size", typ: "int64", doc: "The size."}, {wire: "Size", typ: "float64"}},
		"the format of a time":              {{wire: "CreateTime", typ: "string", doc: "When it was created."}, {wire: "CreateTime", typ: "int64", doc: "When it was created."}},
		"the values":                        {{wire: "Status", typ: "string", doc: "The state"}},
		"a unit":                            {{wire: "Bitrate", typ: "string", doc: "The rate."}},
	} {
		for _, f := range fields {
			require.Equal(t, want, f.gap(), "%s %s %q", f.wire, f.typ, f.doc)
		}
	}
}
