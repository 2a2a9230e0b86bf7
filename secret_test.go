package alimedia_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
)

func TestSecret(t *testing.T) {
	t.Parallel()
	type answer struct{ UploadAuth alimedia.Secret }
	a := answer{"the-secret"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{a, &a, a.UploadAuth, []alimedia.Secret{a.UploadAuth}} {
			text := fmt.Sprintf(verb, v)
			require.NotContains(t, text, "the-secret")
			require.NotContains(t, text, fmt.Sprintf("%x", "the-secret"))
			require.Contains(t, text, "***")
		}
	}
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "auth", a.UploadAuth, "answer", a)
	require.NotContains(t, out.String(), "the-secret")

	data, err := json.Marshal(a)
	require.NoError(t, err)
	require.JSONEq(t, `{"UploadAuth":"the-secret"}`, string(data))
	require.Equal(t, "the-secret", string(a.UploadAuth))
	require.Empty(t, alimedia.Secret("").String())
}
