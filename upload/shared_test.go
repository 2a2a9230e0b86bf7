package upload

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
)

// TestUpload_B50_ManyAtOnce: uploads of all kinds, good and bad, do not get in
// each other's way.
func TestUpload_B50_ManyAtOnce(t *testing.T) {
	t.Parallel()
	inParallel(t, func(t *testing.T, r *env) {
		ctx, cancel := context.WithTimeout(ctx, time.Hour) // should they wait for each other
		defer cancel()
		r.SetClockSkew(20 * time.Minute)
		r.Fault(mediatest.Fault{Match: func(q mediatest.Request) bool { return q.Header.Get("Content-Type") == "image/png" }, Status: 403, Code: "AccessDenied", Times: mediatest.Always},
			mediatest.Fault{Operation: "UploadPart", Nth: 7, ExpiredToken: true, Match: func(q mediatest.Request) bool { return !strings.HasPrefix(q.Key, "yike/") }},
			mediatest.Fault{Operation: "UploadPart", Times: mediatest.Always, Delay: time.Second})
		targets := []struct {
			name string
			Target
		}{{"a.mp4", VODVideo{}}, {"b.mp4", ICEMedia{}}, {"c.mp4", YikeAsset{}}, {"d.png", VODImage{}}}
		for range 2 { // one Uploader lasts
			var wg sync.WaitGroup
			for i := range 32 {
				wg.Go(func() {
					target := targets[i%len(targets)]
					name, data := fmt.Sprint(i, target.name), random(kib+i*20*kib)
					res, err := r.Upload(ctx, bytesSource(name, data), target.Target, WithProgress(func(p Progress) {
						if p.Name != "" && p.Name != name {
							t.Error("the progress of another upload")
						}
					}))
					if target.name == "d.png" {
						if e := failed(t, res, err); e.Name != name || !alimedia.IsAccessDenied(err) {
							t.Error(err)
						}
						return
					}
					if err != nil {
						t.Error(err)
						return
					}
					got, _ := r.Object(res.Bucket, res.Key)
					if string(got) != string(data) {
						t.Error("the object differs")
					}
				})
			}
			wg.Wait()
			require.Zero(t, r.engine.Active(), "no request is active")
		}
		require.Empty(t, r.Uploads())
		require.Len(t, r.Objects(r.StorageBucket()), 48)
	})
}
