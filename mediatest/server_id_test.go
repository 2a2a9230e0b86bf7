package mediatest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

// idsOf are the ids that a server gives to a few calls, with polls in between.
func idsOf(t *testing.T, srv *mediatest.Server, polls int) []string {
	c := callerOf(srv, vodVersion)
	var all []string
	for range 2 {
		made := c.ok(t, "CreateUploadVideo", "Title", "a", "FileName", "a.mp4")
		for range polls {
			c.ok(t, "GetVideoList")
		}
		all = append(all, made.str("VideoId"), targetOf(t, made).AccessKeyId)
	}
	u, err := ossBucket(t, srv, srv.StorageBucket(), srv.Credentials()).InitiateMultipartUpload("key")
	require.NoError(t, err)
	return append(all, u.UploadID, srv.Account().Id(), srv.StorageBucket(), srv.Credentials().AccessKeyId)
}

func TestSeed_MakesIdsReproducible(t *testing.T) {
	t.Parallel()
	want := idsOf(t, mediatest.New(t, mediatest.Seed(7)), 0)
	require.Equal(t, want, idsOf(t, mediatest.New(t, mediatest.Seed(7)), 3), "polls change no other id")
	require.NotEqual(t, want, idsOf(t, mediatest.New(t, mediatest.Seed(8)), 0))
	require.NotEqual(t, idsOf(t, mediatest.New(t), 0), idsOf(t, mediatest.New(t), 0))

	// A state goes on with new ids.
	srv := mediatest.New(t, mediatest.Seed(7))
	first := idsOf(t, srv, 0)
	next := idsOf(t, moved(t, srv, mediatest.Seed(7)), 0)
	for _, id := range next[:5] {
		require.NotContains(t, first, id)
	}
}
