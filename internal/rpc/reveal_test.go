package rpc

import (
	"encoding/json"
	"fmt"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
)

type keyed struct {
	Key  alimedia.Secret
	Next *keyed `json:",omitempty"`
}

// wrapped writes its secret by itself, as a type of a caller may.
type wrapped struct{ key alimedia.Secret }

func (w wrapped) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"Key": w.key.Reveal()})
}

// passing leaves its secret to encoding/json.
type passing struct{ Key alimedia.Secret }

func (p passing) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"Key": p.Key, "Text": string(p.Key), "Revealed": p.Key.Reveal()})
}

func TestEncode_B60_SecretsOfDocumentsReachTheService(t *testing.T) {
	t.Parallel()
	const text = `the-secret "<&>` + "\u2028值"
	quoted, err := marshal(text)
	require.NoError(t, err)
	doc := fmt.Sprintf(`{"Key":%s}`, quoted)
	secret := alimedia.Secret(text)
	pointer := &keyed{Key: secret}

	for name, tt := range map[string]struct {
		in   any
		want string
	}{
		"struct":         {keyed{Key: secret}, doc},
		"pointer":        {pointer, doc},
		"nested":         {keyed{Next: pointer}, `{"Key":"","Next":` + doc + `}`},
		"list":           {[]keyed{{}, {Key: secret}}, `[{"Key":""},` + doc + `]`},
		"array":          {[2]alimedia.Secret{1: secret}, fmt.Sprintf(`["",%s]`, quoted)},
		"map":            {map[string]keyed{"a": {}, "b": {Key: secret}}, `{"a":{"Key":""},"b":` + doc + `}`},
		"free form":      {map[string]any{"a": 1, "b": []any{pointer, nil}}, `{"a":1,"b":[` + doc + `,null]}`},
		"secret":         {secret, string(quoted)},
		"own marshaller": {wrapped{secret}, doc},
		"passed on":      {passing{secret}, fmt.Sprintf(`{"Key":%[1]s,"Text":%[1]s,"Revealed":%[1]s}`, quoted)},
		"none":           {map[string]any{"stars": "***"}, `{"stars":"***"}`},
	} {
		p, err := Encode(struct {
			Doc any `rpc:",json"`
		}{tt.in})
		require.NoError(t, err, name)
		require.Len(t, p.query, 1, name)
		require.JSONEq(t, tt.want, p.query[0].value, name)
	}
	require.Equal(t, secret, pointer.Key, "the caller's value stays")
}

func TestEncode_B60_ScalarSecretsReachTheService(t *testing.T) {
	t.Parallel()
	p, err := Encode(struct {
		Key  alimedia.Secret
		Form alimedia.Secret `rpc:",form"`
		List []alimedia.Secret
		Flat struct{ Key alimedia.Secret }
	}{"one", "two", []alimedia.Secret{"three"}, struct{ Key alimedia.Secret }{"four"}})
	require.NoError(t, err)
	query, err := url.ParseQuery(encodePairs(p.query))
	require.NoError(t, err)
	require.Equal(t, url.Values{"Key": {"one"}, "List.1": {"three"}, "Flat.Key": {"four"}}, query)
	require.Equal(t, []pair{{"Form", "two"}}, p.form)
}

func TestEncode_B60_AMaskIsNeverSent(t *testing.T) {
	t.Parallel()
	data, err := json.Marshal(keyed{Key: "the-secret"})
	require.NoError(t, err)
	var lost keyed
	require.NoError(t, json.Unmarshal(data, &lost))
	for name, in := range map[string]any{
		"scalar": struct{ Key alimedia.Secret }{lost.Key},
		"flat":   struct{ Doc keyed }{lost},
		"json": struct {
			Doc keyed `rpc:",json"`
		}{lost},
		"free form": struct {
			Doc any `rpc:",json"`
		}{map[string]any{"a": []any{&lost}}},
		"map": map[string]any{"Key": lost.Key},
	} {
		_, err := Encode(in)
		require.ErrorIs(t, err, errMasked, name)
	}
}

func TestEncode_AValueInsideItselfIsAnError(t *testing.T) {
	t.Parallel()
	loop := &keyed{Key: "x"}
	loop.Next = loop
	_, err := Encode(struct {
		Doc any `rpc:",json"`
	}{loop})
	require.Error(t, err)
}
