package wiretest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
)

const canary = "canary-9d1c"

// RunSecrets calls each operation of a service with a request whose secrets are
// all set. None may show in a form of the request or of the response, and all must
// be on the wire. It returns how many fields are secrets.
func RunSecrets(t *testing.T, service string, open func(alimedia.Config) (any, error)) (requests, responses int) {
	t.Helper()
	catalogue := readCatalogue(t, service)
	wire := new(recorder)
	client := connect(t, open, wire)
	for _, action := range slices.Sorted(maps.Keys(catalogue.Operations)) {
		op := catalogue.Operations[action]
		method := reflect.ValueOf(client).MethodByName(action)
		in := []reflect.Value{reflect.ValueOf(t.Context())}
		sent := 0
		if method.Type().NumIn() == 2 {
			req := filled(method.Type().In(1), action)
			sent = poison(req)
			requests += sent
			requireHidden(t, req.Interface())
			in = append(in, req)
		}
		wire.response = catalogue.response(t, op, false)
		out := invoke(t, method, in)
		require.Equal(t, sent, strings.Count(wire.seen.text(), canary), "%s: secrets on the wire", action)

		responses += poison(out)
		requireHidden(t, out.Interface())
	}
	return requests, responses
}

// poison sets all secrets in v and counts them. A secret of a list counts as
// often as it is there.
func poison(v reflect.Value) (n int) {
	switch {
	case v.Type() == reflect.TypeFor[alimedia.Secret]():
		v.SetString(canary)
		return 1
	case v.Kind() == reflect.Pointer && !v.IsNil():
		return poison(v.Elem())
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			n += poison(v.Field(i))
		}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			n += poison(v.Index(i))
		}
	}
	return n
}

// requireHidden prints v in all forms that logs and dumps have.
func requireHidden(t *testing.T, v any) {
	t.Helper()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		text := fmt.Sprintf(verb, v)
		require.NotContains(t, text, canary, "%s of %T", verb, v)
		require.NotContains(t, text, fmt.Sprintf("%x", canary), "%s of %T", verb, v)
	}
	data, err := json.Marshal(v)
	require.NoError(t, err)
	require.NotContains(t, string(data), canary, "JSON of %T", v)
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "value", v)
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "value", v)
	require.NotContains(t, logged.String(), canary, "log of %T", v)
}
