package upload

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
)

func TestUpload_B49_WhatAnErrorSays(t *testing.T) {
	t.Parallel()
	forbidden := func(operation string, nth int) mediatest.Fault {
		return mediatest.Fault{Operation: operation, Nth: nth, Status: 403, Code: "Forbidden", Times: mediatest.Always}
	}
	type want struct {
		stage    Stage
		mediaId  bool
		uploadId bool
		sent     int64
		uploaded bool
	}
	for name, tt := range map[string]struct {
		target Target
		fault  mediatest.Fault
		want
	}{
		"create":               {VODVideo{}, forbidden("CreateUploadVideo", 1), want{stage: StageCreate}},
		"initiate":             {VODVideo{}, forbidden("InitiateMultipartUpload", 1), want{StageSend, true, false, 0, false}},
		"send":                 {VODVideo{}, forbidden("UploadPart", 4), want{StageSend, true, true, 3 * 100 * kib, false}},
		"in the midst of send": {VODVideo{}, mediatest.Fault{Operation: "UploadPart", Nth: 4, AfterBytes: 60 * kib, Status: 403, Code: "Forbidden"}, want{StageSend, true, true, 3 * 100 * kib, false}},
		"complete":             {VODVideo{}, forbidden("CompleteMultipartUpload", 1), want{StageComplete, true, true, 600 * kib, false}},
		"finish":               {YikeAsset{}, forbidden("RegisterYikeAssetMediaInfo", 1), want{StageFinish, false, true, 600 * kib, true}},
		"wait":                 {VODVideo{}, forbidden("GetVideoInfo", 1), want{StageWait, true, true, 600 * kib, true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inParallel(t, func(t *testing.T, r *env) {
				one, err := New(func() Config { c := r.cfg; c.Parallel = 1; return c }())
				require.NoError(t, err)
				r.Uploader = one
				r.Fault(tt.fault)
				res, err := r.Upload(ctx, bytesSource("movie.mp4", random(600*kib)), tt.target, WithWait())
				e := failed(t, res, err)
				require.Equal(t, tt.want, want{e.Stage, e.MediaId != "", e.UploadId != "", e.Sent, e.Uploaded})
				require.Equal(t, "movie.mp4", e.Name)
				require.True(t, alimedia.HasCode(err, "Forbidden"))
				require.Equal(t, tt.stage != StageCreate, e.FileURL != "")
				if tt.mediaId {
					require.Equal(t, r.Medias()[0].MediaId, e.MediaId)
					require.ErrorContains(t, err, e.MediaId)
				}
				var nested *Error
				require.False(t, errors.As(e.Err, &nested), "one error, not several in each other")
				require.ErrorContains(t, err, fmt.Sprintf("upload %q: %s: ", "movie.mp4", tt.stage))
				require.Contains(t, e.LogValue().String(), fmt.Sprintf("upload_id=%s sent=%d uploaded=%t", e.UploadId, e.Sent, e.Uploaded))
			})
		})
	}
}

// TestUpload_B49_NothingElse: whatever goes wrong, and wherever, it is an Error
// with its cause in it.
func TestUpload_B49_NothingElse(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(ctx)
	cancel()
	source := func(src Source) func() Source { return func() Source { return src } }
	good := source(bytesSource("movie.mp4", random(kib)))
	for name, tt := range map[string]struct {
		ctx    context.Context
		src    func() Source
		target Target
		cause  error
		stage  Stage
	}{
		"no source":     {ctx, source(nil), VODVideo{}, nil, StageOpen},
		"no target":     {ctx, good, nil, nil, StageOpen},
		"cancelled":     {ended, good, VODVideo{}, context.Canceled, StageOpen},
		"no file":       {ctx, source(File("no/such.mp4")), VODVideo{}, os.ErrNotExist, StageOpen},
		"broken source": {ctx, func() Source { return Reader("a.mp4", iotest.ErrReader(errDisk), 10) }, VODVideo{}, errDisk, StageOpen},
		"no extension":  {ctx, source(bytesSource("movie", random(kib))), VODVideo{}, nil, StageCreate},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inParallel(t, func(t *testing.T, r *env) {
				check := func(res *Result, err error) {
					e := failed(t, res, err)
					require.Equal(t, e, err, "it is the Error, and does not only hold one")
					require.Equal(t, tt.stage, e.Stage)
					require.NotNil(t, e.Err)
					if tt.cause != nil {
						require.ErrorIs(t, err, tt.cause)
					}
				}
				check(r.Upload(tt.ctx, tt.src(), tt.target))
				if tt.ctx.Err() != nil {
					return
				}
				n := 0
				for one := range r.UploadAll(tt.ctx, slices.Values([]Job{{Source: tt.src(), Target: tt.target}})) {
					check(one.Result, one.Err)
					n++
				}
				require.Equal(t, 1, n)
			})
		})
	}
}

func TestUpload_B49_CancelledAtEachStage(t *testing.T) {
	t.Parallel()
	for operation, stage := range map[string]Stage{
		"CreateYikeAssetUpload": StageCreate, "UploadPart": StageSend,
		"CompleteMultipartUpload": StageComplete, "RegisterYikeAssetMediaInfo": StageFinish,
	} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			inParallel(t, func(t *testing.T, r *env) {
				r.Fault(mediatest.Fault{Operation: operation, Delay: time.Hour, Times: mediatest.Always})
				enough := errors.New("enough")
				ctx, cancel := context.WithTimeoutCause(ctx, 10*time.Second, enough)
				defer cancel()
				res, err := r.Upload(ctx, bytesSource("movie.mp4", random(600*kib)), YikeAsset{})
				e := failed(t, res, err)
				require.Equal(t, stage, e.Stage)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.ErrorIs(t, err, enough)
			})
		})
	}
}
