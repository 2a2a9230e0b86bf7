package ice

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
)

func TestWaitVodPackagingAsset(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, endpoints string
		failed          bool
	}{
		{"all are playable", `{"Status":"Playable"},{"Status":"Playable"}`, false},
		{"one has failed", `{"Status":"Queuing"},{"Status":"Failed"},{"Status":"Playable"}`, true},
	} {
		c, w := newClient(t, "cn-shanghai", `{"Asset":{"EgressEndpoints":[`+tt.endpoints+`]}}`)
		asset, err := c.WaitVodPackagingAsset(t.Context(), "movie")
		var failed *alimedia.JobError
		require.Equal(t, tt.failed, errors.As(err, &failed), tt.name)
		require.NotEmpty(t, asset.Asset.EgressEndpoints)
		require.Equal(t, "movie", w.sent[0].Get("AssetName"))
	}
}

func TestWaitMediaIndexJob(t *testing.T) {
	t.Parallel()
	c, w := newClient(t, "cn-shanghai", `{"IndexJobInfoList":[{"Status":"Success"},{"Status":"Success"}]}`)
	_, err := c.WaitMediaIndexJob(t.Context(), "lib", "m")
	require.NoError(t, err)
	require.Equal(t, "lib", w.sent[0].Get("SearchLibName"))
	require.Equal(t, "m", w.sent[0].Get("MediaId"))

	c, _ = newClient(t, "cn-shanghai", `{"IndexJobInfoList":[{"Status":"Success"},{"Status":"Fail"}]}`)
	_, err = c.WaitMediaIndexJob(t.Context(), "", "m")
	require.ErrorContains(t, err, "job m ended in state Fail")
}

func TestAllOf(t *testing.T) {
	t.Parallel()
	for want, parts := range map[string][]string{
		"":        {},
		"Success": {"Success", "Success"},
		"Running": {"Success", "Running", "Success"},
		"Fail":    {"Running", "Success", "Fail"},
		"Waiting": {"Waiting"},
	} {
		require.Equal(t, want, allOf(parts, func(s string) string { return s }, "Success", "Fail").Status)
	}
}
