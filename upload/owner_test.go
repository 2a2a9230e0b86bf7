package upload

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
	"github.com/alimedia/alimedia-go/vod"
)

// signedBy is an uploader of its own, as another process has it, that signs
// with these keys.
func (r *env) signedBy(t *testing.T, keys credentials.Credentials, change ...func(*Config)) *Uploader {
	t.Helper()
	sign := func(c *alimedia.Config) { c.Credentials = issued(keys) }
	cfg := r.cfg
	cfg.VOD, cfg.ICE, cfg.Credentials = r.vod.With(sign), r.ice.With(sign), issued(keys)
	for _, f := range change {
		f(&cfg)
	}
	u, err := New(cfg)
	require.NoError(t, err)
	return u
}

// ownTargets are one of each kind, those of two accounts in buckets of each.
func ownTargets(bucket string) map[string]Target {
	return map[string]Target{
		"VODVideo": VODVideo{}, "ICEMedia": ICEMedia{}, "YikeAsset": YikeAsset{},
		"Bucket": Bucket{Name: bucket, Region: "cn-shanghai", Register: RegisterMediaInfo{}},
	}
}

func TestUpload_B52_TwoAccountsOneDirectory(t *testing.T) {
	t.Parallel()
	for kind := range ownTargets("") {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			r := newEnv(t, nil)
			r.cfg.OSSEndpoint = r.URL
			other := r.AddAccount("2222222222222222")
			r.CreateBucket("first-bucket")
			other.CreateBucket("other-bucket")
			dir, data := t.TempDir(), random(300*kib)
			file := writeFile(t, "movie.mp4", data)
			// Temporary keys tell nothing by themselves.
			first, err := r.signedBy(t, r.Account().IssueCredentials()).Upload(ctx, File(file), ownTargets("first-bucket")[kind], WithCheckpoint(dir))
			require.NoError(t, err)
			second, err := r.signedBy(t, other.IssueCredentials()).Upload(ctx, File(file), ownTargets("other-bucket")[kind], WithCheckpoint(dir))
			require.NoError(t, err)
			require.False(t, second.AlreadyUploaded)
			require.NotEqual(t, first.MediaId, second.MediaId)
			require.NotEqual(t, first.Bucket, second.Bucket)
			r.stored(t, second, data)
			again, err := r.signedBy(t, other.IssueCredentials()).Upload(ctx, File(file), ownTargets("other-bucket")[kind], WithCheckpoint(dir))
			require.NoError(t, err)
			require.Equal(t, old(second), again)
		})
	}
}

// TestUpload_B52_EachProviderHasItsAccount: the clients and the credentials for
// buckets of one Uploader may belong to different accounts.
func TestUpload_B52_EachProviderHasItsAccount(t *testing.T) {
	t.Parallel()
	r := newEnv(t, nil)
	other := r.AddAccount("2222222222222222")
	dir, err := checkpoint.OpenDir(t.TempDir())
	require.NoError(t, err)
	defer dir.Close()
	u := r.signedBy(t, r.Account().IssueCredentials(), func(c *Config) { c.Credentials = issued(other.IssueCredentials()) })
	for target, account := range map[Target]string{videoPointer: r.Account().Id(), bucketPointer: other.Id()} {
		owned, err := u.owner(ctx, u.bind(target, "").signer(), dir)
		require.NoError(t, err)
		require.Equal(t, owner{ownedByAccount + account}, owned)
	}
	require.Equal(t, 2, r.Calls("GetCallerIdentity"))
}

var (
	videoPointer  = &VODVideo{}
	bucketPointer = &Bucket{}
)

// TestUpload_B52_OneAccountWhateverSigns: an upload is continued, and known as
// finished, with rotated keys, with a role in place of a key, and back.
func TestUpload_B52_OneAccountWhateverSigns(t *testing.T) {
	t.Parallel()
	for kind := range ownTargets("") {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			r := newEnv(t, func(c *Config) { c.Parallel = 1 })
			r.cfg.OSSEndpoint = r.URL
			r.CreateBucket("first-bucket")
			target := ownTargets("first-bucket")[kind]
			dir, data := t.TempDir(), random(600*kib)
			file := writeFile(t, "movie.mp4", data)
			keys := r.Account().AddKeys()
			var res *Result
			for i, keys := range []credentials.Credentials{keys, r.Account().AddKeys(), r.Account().IssueCredentials(), r.Account().IssueCredentials()} {
				if kind == "YikeAsset" && i > 0 && i < 3 {
					continue // its credential ends with the process
				}
				if i < 3 && kind != "YikeAsset" {
					r.Fault(stopAt("UploadPart", 2))
				} else if kind == "YikeAsset" && i == 0 {
					r.Fault(stopAt("RegisterYikeAssetMediaInfo", 1))
				}
				var err error
				if res, err = r.signedBy(t, keys).Upload(ctx, File(file), target, WithCheckpoint(dir)); i < 3 {
					failed(t, res, err)
				} else {
					require.NoError(t, err)
				}
				r.ClearFaults()
			}
			r.RevokeKeys(keys.AccessKeyId)
			r.stored(t, res, data)
			require.Len(t, r.Medias(), 1)
			for _, keys := range []credentials.Credentials{r.Account().AddKeys(), r.Account().IssueCredentials()} {
				again, err := r.signedBy(t, keys).Upload(ctx, File(file), target, WithCheckpoint(dir))
				require.NoError(t, err)
				require.Equal(t, old(res), again)
			}
			require.Len(t, r.Medias(), 1)
		})
	}
}

// TestUpload_B52_MetadataMakesNoSecondAsset, and what is no metadata does.
func TestUpload_B52_MetadataMakesNoSecondAsset(t *testing.T) {
	t.Parallel()
	own := func(reg Registration) Bucket {
		return Bucket{Name: "own-bucket", Key: "a.mp4", Region: "cn-shanghai", Register: reg}
	}
	yes := true
	for name, tt := range map[string]struct {
		first       Target
		same, other []Target
	}{
		"video": {
			VODVideo{},
			[]Target{
				VODVideo{Title: "x", Tags: "a,b", Description: "d", CateId: 5, CoverURL: "http://example.com/a.jpg", TemplateGroupId: "t", WorkflowId: "w", UserData: vod.UserData{Raw: "{}"}},
				&VODVideo{AppId: defaultApp, EnableFirstFrameCover: &yes, GenerateThumbnail: &yes, FileName: "b.mp4", FileSize: 3},
			},
			[]Target{VODVideo{AppId: "app-2"}, VODVideo{StorageLocation: "out-x.oss-cn-shanghai.aliyuncs.com"}, VODVideo{ReferenceId: "another-one"}, ICEMedia{}, VODImage{}},
		},
		"image": {
			VODImage{},
			[]Target{VODImage{Title: "x", Tags: "a", CateId: 1, ImageType: "default"}},
			[]Target{VODImage{ImageType: "cover"}, VODImage{AppId: "app-2"}, VODImage{StorageLocation: "x"}},
		},
		"attached": {
			VODAttachedMedia{BusinessType: "watermark"},
			[]Target{VODAttachedMedia{BusinessType: "watermark", Title: "x", Tags: "a"}},
			[]Target{VODAttachedMedia{BusinessType: "material"}, VODAttachedMedia{BusinessType: "watermark", AppId: "app-2"}},
		},
		"media": {
			ICEMedia{},
			[]Target{
				ICEMedia{MediaMetaData: ice.MediaMetaData{Title: "x"}, EntityId: "e", PostProcessConfig: ice.PostProcessConfig{ProcessID: "p"}},
				ICEMedia{UserData: ice.UserData{Raw: "{}"}, AppId: defaultApp},
			},
			[]Target{ICEMedia{AppId: "app-2"}, ICEMedia{UploadTargetConfig: ice.UploadTargetConfig{StorageLocation: "x"}}, ICEMedia{UploadTargetConfig: ice.UploadTargetConfig{Raw: `{"StorageLocation":"x"}`}}},
		},
		"stream": {
			ICEStream{MediaId: "m", Definition: "HD"},
			[]Target{ICEStream{MediaId: "m", Definition: "HD", HDRType: "HDR", UserData: ice.UserData{Raw: "{}"}}},
			[]Target{ICEStream{MediaId: "n", Definition: "HD"}, ICEStream{MediaId: "m", Definition: "SD"}},
		},
		"yike": {YikeAsset{}, []Target{YikeAsset{FolderId: "f", MediaType: "video"}}, []Target{YikeAsset{ProductionId: "p"}, YikeAsset{FileType: "StoryboardInput"}}},
		"own": {
			own(RegisterMediaInfo{}),
			[]Target{own(RegisterMediaInfo{Title: "x", MediaTags: "a", WorkflowId: "w", CateId: 1, ReferenceId: "ref-00001"}), own(&RegisterMediaInfo{})},
			[]Target{own(nil), own(RegisterMedia{}), own(RegisterMediaStream{MediaId: "m"}), Bucket{Name: "other", Key: "a.mp4", Register: RegisterMediaInfo{}}, Bucket{Name: "own-bucket", Register: RegisterMediaInfo{}}},
		},
		"own stream": {
			own(RegisterMediaStream{MediaId: "m"}), []Target{own(RegisterMediaStream{MediaId: "m", UserData: ice.UserData{Raw: "{}"}})},
			[]Target{own(RegisterMediaStream{MediaId: "n"})},
		},
		"stored": {
			own(nil), []Target{Bucket{Name: "own-bucket", Key: "a.mp4", Region: " cn-shanghai "}}, []Target{Bucket{Name: "own-bucket", Key: "a.mp4", Region: "cn-beijing"}},
		},
		"own in VOD": {
			own(RegisterMedia{}), []Target{own(RegisterMedia{TemplateGroupId: "t", WorkflowId: "w", UserData: vod.UserData{Raw: "{}"}})}, nil,
		},
	} {
		u := newEnv(t, nil).Uploader
		name0 := func(target Target) string {
			r := &run{Uploader: u, target: u.bind(target, "")}
			return r.key(&input{file: fileInfo{name: "movie.mp4"}, content: &content{identity: checkpoint.Identity{Source: "/movie.mp4"}}}).Name()
		}
		for i, target := range tt.same {
			require.Equal(t, name0(tt.first), name0(target), "%s, same %d", name, i)
		}
		for i, target := range tt.other {
			require.NotEqual(t, name0(tt.first), name0(target), "%s, other %d", name, i)
		}
	}
}

func TestUpload_B52_ResumedWithOtherMetadata(t *testing.T) {
	t.Parallel()
	b := breakOff(t, VODVideo{Title: "one"}, stopAt("UploadPart", 4))
	res := b.resume(t, VODVideo{Title: "two", Tags: "new"})
	require.Equal(t, b.fail.MediaId, res.MediaId)
	require.Equal(t, 4+3, b.Calls("UploadPart"))
	again, err := b.Upload(ctx, File(b.file), VODVideo{Title: "three", TemplateGroupId: "t"}, WithCheckpoint(b.dir))
	require.NoError(t, err)
	require.Equal(t, old(res), again)
	require.Len(t, b.Medias(), 1)
}

// TestUpload_B52_AccountUnknown: with temporary keys nothing of an earlier run
// is believed, unless the user says whose it is.
func TestUpload_B52_AccountUnknown(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]mediatest.Fault{
		"refused":     {Status: 403, Code: "NoPermission"},
		"unavailable": {Status: 503, Code: "ServiceUnavailable"},
		"cut off":     {Reset: true},
		"foreign":     {Status: 200, Code: "Hello"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var logged lines
			r := newEnv(t, nil)
			fault.Operation, fault.Times = "GetCallerIdentity", mediatest.Always
			r.Fault(fault)
			loud := func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&logged, nil)) }
			dir, data := t.TempDir(), random(kib)
			file := writeFile(t, "movie.mp4", data)
			keys := r.IssueCredentials()
			for range 2 {
				res, err := r.signedBy(t, keys, loud).Upload(ctx, File(file), VODVideo{}, WithCheckpoint(dir))
				require.NoError(t, err)
				require.False(t, res.AlreadyUploaded)
				r.stored(t, res, data)
			}
			require.Contains(t, logged.String(), "CheckpointScope")
			require.NotContains(t, logged.String(), keys.SecurityToken)
			require.Empty(t, files(t, dir))
			require.Len(t, r.Medias(), 2)
			res, err := r.signedBy(t, keys).Upload(ctx, File(file), VODVideo{}, WithCheckpoint(dir), WithCheckpointRequired())
			failed(t, res, err)
			require.ErrorIs(t, err, ErrCheckpoint)
			require.Len(t, r.Medias(), 2)

			scope := func(name string) func(*Config) { return func(c *Config) { c.CheckpointScope = name } }
			asked := r.Calls("GetCallerIdentity")
			first, err := r.signedBy(t, keys, scope("team-a")).Upload(ctx, File(file), VODVideo{}, WithCheckpoint(dir), WithCheckpointRequired())
			require.NoError(t, err)
			again, err := r.signedBy(t, r.IssueCredentials(), scope("team-a")).Upload(ctx, File(file), VODVideo{}, WithCheckpoint(dir))
			require.NoError(t, err)
			require.Equal(t, old(first), again)
			third, err := r.signedBy(t, keys, scope("team-b")).Upload(ctx, File(file), VODVideo{}, WithCheckpoint(dir))
			require.NoError(t, err)
			require.False(t, third.AlreadyUploaded)
			require.Equal(t, asked, r.Calls("GetCallerIdentity"))
		})
	}
}

// TestUpload_B52_LastingKeyWithoutSTS: a long-lived key belongs to one account
// for ever, so it serves while STS does not answer, before and after.
func TestUpload_B52_LastingKeyWithoutSTS(t *testing.T) {
	t.Parallel()
	silent := mediatest.Fault{Operation: "GetCallerIdentity", Times: mediatest.Always, Status: 403, Code: "NoPermission"}
	for name, order := range map[string][]bool{"first silent": {true, false, true}, "first answered": {false, true, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newEnv(t, func(c *Config) { c.Parallel = 1 })
			keys, other := r.Account().AddKeys(), r.AddAccount("3333333333333333").Credentials()
			dir, data := t.TempDir(), random(600*kib)
			file := writeFile(t, "movie.mp4", data)
			for i, off := range order {
				r.ClearFaults()
				if off {
					r.Fault(silent)
				}
				if i == 0 {
					r.Fault(stopAt("UploadPart", 3))
				}
				res, err := r.signedBy(t, keys).Upload(ctx, File(file), VODVideo{}, WithCheckpoint(dir))
				if i == 0 {
					failed(t, res, err)
					continue
				}
				require.NoError(t, err)
				require.Equal(t, i == 2, res.AlreadyUploaded)
				r.stored(t, res, data)
				require.Len(t, r.Medias(), 1)
			}
			r.ClearFaults()
			r.Fault(silent)
			res, err := r.signedBy(t, other).Upload(ctx, File(file), VODVideo{}, WithCheckpoint(dir))
			require.NoError(t, err)
			require.False(t, res.AlreadyUploaded, "another key")
		})
	}
}

// TestUpload_B52_AskedOnce: for each access key, however many uploads begin, and
// a STS that does not answer is left alone for a while.
func TestUpload_B52_AskedOnce(t *testing.T) {
	t.Parallel()
	for _, responses := range []bool{true, false} {
		r := newEnv(t, nil)
		if !responses {
			r.Fault(mediatest.Fault{Operation: "GetCallerIdentity", Times: mediatest.Always, Status: 403, Code: "NoPermission"})
		}
		u := r.signedBy(t, r.IssueCredentials())
		dir := t.TempDir()
		jobs := func(yield func(Job) bool) {
			for range 20 {
				if !yield(Job{Source: File(writeFile(t, "a.mp4", random(kib))), Target: VODVideo{}}) {
					return
				}
			}
		}
		_, err := Collect(u.UploadAll(ctx, jobs, WithCheckpoint(dir)))
		require.NoError(t, err)
		require.Equal(t, 1, r.Calls("GetCallerIdentity"))
	}
}

// TestUpload_B54_InodeIsNoIdentity: another inode is the same
// file.
func TestUpload_B54_InodeIsNoIdentity(t *testing.T) {
	t.Parallel()
	b := breakOff(t, VODVideo{}, stopAt("UploadPart", 4))
	remount := func() {
		info, err := os.Stat(b.file)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(b.file+"2", b.data, 0o600))
		require.NoError(t, os.Chtimes(b.file+"2", time.Time{}, info.ModTime()))
		require.NoError(t, os.Rename(b.file+"2", b.file))
	}
	remount()
	res := b.resume(t, VODVideo{})
	require.Equal(t, b.fail.MediaId, res.MediaId)
	require.Equal(t, 4+3, b.Calls("UploadPart"))
	remount()
	again, err := b.Upload(ctx, File(b.file), VODVideo{}, WithCheckpoint(b.dir))
	require.NoError(t, err)
	require.Equal(t, old(res), again)
	require.Len(t, b.Medias(), 1)
}

func TestUpload_B54_VerifiedContent(t *testing.T) {
	t.Parallel()
	r := newEnv(t, nil)
	dir, data := t.TempDir(), random(300*kib)
	file := writeFile(t, "movie.mp4", data)
	info, err := os.Stat(file)
	require.NoError(t, err)
	upload := func(opts ...Option) *Result {
		res, err := r.Upload(ctx, File(file), VODVideo{}, append(opts, WithCheckpoint(dir))...)
		require.NoError(t, err)
		return res
	}
	first := upload(WithVerifyContent())
	require.False(t, first.AlreadyUploaded)
	require.Equal(t, old(first), upload(WithVerifyContent()))
	data[5]++
	require.NoError(t, os.WriteFile(file, data, 0o600))
	require.NoError(t, os.Chtimes(file, time.Time{}, info.ModTime()))
	require.Equal(t, old(first), upload(), "not compared")
	second := upload(WithVerifyContent())
	require.False(t, second.AlreadyUploaded)
	require.NotEqual(t, first.MediaId, second.MediaId)
	r.stored(t, second, data)
	require.Equal(t, old(second), upload(WithVerifyContent()))
	require.Equal(t, old(second), upload())

	_, err = r.Upload(ctx, Reader("a.mp4", bytes.NewReader(data), UnknownSize), VODVideo{}, WithVerifyContent())
	require.ErrorContains(t, err, "WithVerifyContent")
	require.Len(t, r.Medias(), 2)
}

// sources are all that a key can name, each with the content of data.
func sources(t *testing.T, data []byte) map[string]func() Source {
	return map[string]func() Source{
		"File": func() Source { return File(writeFile(t, "movie.mp4", data)) }, // another path each time
		"FS": func() Source {
			return FS(fstest.MapFS{"movie.mp4": {Data: data, ModTime: time.Now()}}, "movie.mp4")
		},
		"Reader":   func() Source { return Reader("movie.mp4", reader(bytes.NewReader(data)), UnknownSize) },
		"sized":    func() Source { return Reader("movie.mp4", reader(bytes.NewReader(data)), int64(len(data))) },
		"ReaderAt": func() Source { return bytesSource("movie.mp4", data) },
		"ReaderFunc": func() Source {
			return ReaderFunc("movie.mp4", UnknownSize, func(context.Context) (io.ReadCloser, error) {
				return io.NopCloser(reader(bytes.NewReader(data))), nil
			})
		},
	}
}

// TestUpload_B53_KeyForEverySource: stopped at any point, another run continues
// with the same asset, and a finished one is not done again.
func TestUpload_B53_KeyForEverySource(t *testing.T) {
	t.Parallel()
	data := random(650 * kib)
	for kind, source := range sources(t, data) {
		for name, tt := range map[string]struct {
			stop mediatest.Fault
			sent int // parts in all
		}{
			"before a part": {stopAt("InitiateMultipartUpload", 1), 7},
			"after part 3":  {stopAt("UploadPart", 4), 8},
			"all parts":     {stopAt("CompleteMultipartUpload", 1), 7},
			"completed":     {mediatest.Fault{Operation: "CompleteMultipartUpload", AfterEffect: true, Status: 403, Code: "Stop"}, 7},
		} {
			for what, target := range map[string]Target{
				"media": ICEMedia{}, "own": Bucket{Name: "own-bucket", Key: "in/", Region: "cn-shanghai", Register: RegisterMediaInfo{}},
			} {
				t.Run(kind+" "+name+" "+what, func(t *testing.T) {
					t.Parallel()
					r := newEnv(t, func(c *Config) { c.Parallel = 1 })
					r.cfg.OSSEndpoint = r.URL
					r.CreateBucket("own-bucket")
					dir := t.TempDir()
					r.Fault(tt.stop)
					res, err := r.Upload(ctx, source(), target, WithCheckpoint(dir), WithKey("order-4711"))
					failed(t, res, err)
					r.ClearFaults()
					res, err = r.Upload(ctx, source(), target, WithCheckpoint(dir), WithKey("order-4711"))
					require.NoError(t, err)
					r.stored(t, res, data)
					require.Equal(t, tt.sent, r.Calls("UploadPart"))
					require.Len(t, r.Medias(), 1)
					again, err := r.signedBy(t, r.Account().AddKeys()).Upload(ctx, source(), target, WithCheckpoint(dir), WithKey("order-4711"))
					require.NoError(t, err)
					require.Equal(t, old(res), again)
					other, err := r.Upload(ctx, source(), ICEMedia{}, WithCheckpoint(dir), WithKey("order-4712"))
					require.NoError(t, err)
					require.NotEqual(t, res.MediaId, other.MediaId)
				})
			}
		}
	}
}

// TestUpload_B53_KeyWithOtherContent: the asset stays, parts that differ are
// sent again, and of a finished upload only WithVerifyContent tells.
func TestUpload_B53_KeyWithOtherContent(t *testing.T) {
	t.Parallel()
	was := random(600 * kib)
	changed := bytes.Clone(was)
	changed[150*kib]++ // in part 2
	for name, tt := range map[string]struct {
		data []byte
		sent int // parts by the second run, of three that are there
	}{
		"one part": {changed, 4},
		"longer":   {append(bytes.Clone(was), random(50*kib)...), 4},
		"shorter":  {was[:250*kib], 1},
	} {
		for kind, source := range sources(t, tt.data) {
			t.Run(name+" "+kind, func(t *testing.T) {
				t.Parallel()
				r := newEnv(t, func(c *Config) { c.Parallel = 1 })
				dir := t.TempDir()
				r.Fault(stopAt("UploadPart", 4))
				res, err := r.Upload(ctx, sources(t, was)[kind](), ICEMedia{}, WithCheckpoint(dir), WithKey("order-4711"))
				first := failed(t, res, err)
				r.ClearFaults()
				before := r.Calls("UploadPart")
				res, err = r.Upload(ctx, source(), ICEMedia{}, WithCheckpoint(dir), WithKey("order-4711"))
				require.NoError(t, err)
				r.stored(t, res, tt.data)
				require.Equal(t, first.MediaId, res.MediaId)
				require.Equal(t, tt.sent, r.Calls("UploadPart")-before)
				require.Len(t, r.Medias(), 1)
				again, err := r.Upload(ctx, sources(t, was)[kind](), ICEMedia{}, WithCheckpoint(dir), WithKey("order-4711"))
				require.NoError(t, err)
				require.Equal(t, old(res), again)
				if kind != "Reader" && kind != "sized" {
					_, err = r.Upload(ctx, sources(t, was)[kind](), ICEMedia{}, WithCheckpoint(dir), WithKey("order-4711"), WithVerifyContent())
					require.ErrorIs(t, err, ErrKeyReused)
				}
			})
		}
	}
}

// TestUpload_B53_KeyNeedsARecord: what a key promises cannot be kept without
// one, and nothing is created.
func TestUpload_B53_KeyNeedsARecord(t *testing.T) {
	t.Parallel()
	shared := t.TempDir()
	require.NoError(t, os.Chmod(shared, 0o777))
	for name, tt := range map[string]struct {
		target Target
		opts   []Option
		fails  bool
	}{
		"no directory":                {ICEMedia{}, []Option{WithKey("order-4711")}, true},
		"no rule":                     {VODVideo{}, []Option{WithKey("no rule!")}, true},
		"directory of others":         {ICEMedia{}, []Option{WithKey("order-4711"), WithCheckpoint(shared)}, true},
		"too long":                    {ICEMedia{}, []Option{WithKey(strings.Repeat("k", maxUserKey+1)), WithCheckpoint(t.TempDir())}, true},
		"no text":                     {ICEMedia{}, []Option{WithKey("\xff"), WithCheckpoint(t.TempDir())}, true},
		"ReferenceId":                 {VODVideo{}, []Option{WithKey("order-4711")}, false},
		"ReferenceId, of others":      {VODVideo{}, []Option{WithKey("order-4711"), WithCheckpoint(shared)}, false},
		"its own ReferenceId":         {VODVideo{ReferenceId: "movie-2026"}, []Option{WithKey("no rule!")}, false},
		"required without directory":  {VODVideo{}, []Option{WithCheckpointRequired()}, true},
		"required without a name":     {VODVideo{}, []Option{WithCheckpointRequired(), WithCheckpoint(t.TempDir())}, true},
		"required with a key":         {ICEMedia{}, []Option{WithCheckpointRequired(), WithCheckpoint(t.TempDir()), WithKey("k")}, false},
		"required, directory of all":  {ICEMedia{}, []Option{WithCheckpointRequired(), WithCheckpoint(shared), WithKey("k")}, true},
		"MediaId of an image":         {VODImage{ImageExt: "png"}, []Option{WithMediaId("x")}, true},
		"MediaId of an object":        {Bucket{Name: "own-bucket", Region: "cn-shanghai"}, []Option{WithMediaId("x")}, true},
		"MediaId of a stream's asset": {ICEStream{MediaId: "x"}, []Option{WithMediaId("x")}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newEnv(t, nil)
			res, err := r.Upload(ctx, Reader("movie.mp4", bytes.NewReader(random(kib)), UnknownSize), tt.target, tt.opts...)
			if !tt.fails {
				require.NoError(t, err)
				require.Len(t, r.Medias(), 1)
				return
			}
			failed(t, res, err)
			require.Empty(t, r.Medias())
			require.Zero(t, r.Calls("PutObject"))
			require.Equal(t, strings.HasPrefix(name, "required") || name == "directory of others", strings.Contains(err.Error(), ErrCheckpoint.Error()), "%v", err)
		})
	}
}

// TestUpload_B53_ReferenceIdIsContinued: an asset that exists is not created
// again, and no failure is for ever.
func TestUpload_B53_ReferenceIdIsContinued(t *testing.T) {
	t.Parallel()
	for status, done := range map[string]bool{"Uploading": false, "UploadFail": false, "UploadSucc": true, "Transcoding": true, "Normal": true} {
		for _, recorded := range []bool{false, true} {
			t.Run(status+map[bool]string{true: " with a checkpoint"}[recorded], func(t *testing.T) {
				t.Parallel()
				r := newEnv(t, nil)
				made, err := r.vod.CreateUploadVideo(ctx, vod.CreateUploadVideoRequest{FileName: "a.mp4", Title: "t", ReferenceId: "order-4711"})
				require.NoError(t, err)
				r.SetStatus(made.VideoId, status)
				var opts []Option
				if recorded {
					opts = append(opts, WithCheckpoint(t.TempDir()))
				}
				data := random(300 * kib)
				res, err := r.Upload(ctx, bytesSource("movie.mp4", data), VODVideo{}, append(opts, WithKey("order-4711"))...)
				require.NoError(t, err)
				require.Equal(t, made.VideoId, res.MediaId)
				require.Equal(t, done, res.AlreadyUploaded)
				require.Len(t, r.Medias(), 1)
				if done {
					require.Zero(t, r.Calls("InitiateMultipartUpload"), "what is there is not overwritten")
				} else {
					r.stored(t, res, data)
				}
			})
		}
	}
}

// TestUpload_B53_ReferenceIdWithoutCredential: an asset that has its file and
// takes no upload, such as one that was registered, is completed.
func TestUpload_B53_ReferenceIdWithoutCredential(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]mediatest.Fault{
		"no address": {Operation: "RefreshUploadVideo", Edit: func(_ mediatest.Request, a *mediatest.Response) {
			a.Body = strings.ReplaceAll(a.Body, `"UploadAddress"`, `"Other"`)
		}},
		"refused": {Operation: "RefreshUploadVideo", Status: 400, Code: "InvalidVideo.Damaged"},
	} {
		for _, status := range []string{"UploadSucc", "Normal", "Blocked"} {
			r := newEnv(t, nil)
			made, err := r.vod.CreateUploadVideo(ctx, vod.CreateUploadVideoRequest{FileName: "a.mp4", Title: "t", ReferenceId: "order-4711"})
			require.NoError(t, err)
			r.SetStatus(made.VideoId, status)
			fault.Times = mediatest.Always
			r.Fault(fault)
			res, err := r.Upload(ctx, bytesSource("movie.mp4", random(kib)), VODVideo{ReferenceId: "order-4711"})
			require.NoError(t, err, name+" "+status)
			require.Equal(t, made.VideoId, res.MediaId)
			require.True(t, res.AlreadyUploaded)
			require.Len(t, r.Medias(), 1)
		}
	}
}

// TestUpload_B53_ReferenceIdOfALostResponse is found in the same run.
func TestUpload_B53_ReferenceIdOfALostResponse(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]mediatest.Fault{
		"lost": {AfterEffect: true}, "gateway": {AfterEffect: true, Status: 502, Code: "BadGateway"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newEnv(t, nil)
			fault.Operation = "CreateUploadVideo"
			r.Fault(fault)
			data := random(kib)
			res, err := r.Upload(ctx, bytesSource("movie.mp4", data), VODVideo{ReferenceId: "movie-2026"})
			require.NoError(t, err)
			r.stored(t, res, data)
			require.Len(t, r.Medias(), 1)
		})
	}
}

func TestUpload_B53_IntoAnAssetThatExists(t *testing.T) {
	t.Parallel()
	for kind, tt := range map[string]struct {
		create func(*env) string
		target Target
		ops    string
	}{
		"video": {func(r *env) string {
			out, err := r.vod.CreateUploadVideo(ctx, vod.CreateUploadVideoRequest{FileName: "a.mp4", Title: "t"})
			require.NoError(t, err)
			return out.VideoId
		}, VODVideo{}, "CreateUploadVideo"},
		"media": {func(r *env) string {
			out, err := r.ice.CreateUploadMedia(ctx, ice.CreateUploadMediaRequest{
				FileInfo: ice.UploadFileInfo{Type: "video", Name: "a", Ext: "mp4"}, MediaMetaData: ice.MediaMetaData{Title: "t", BusinessType: "general"},
			})
			require.NoError(t, err)
			return out.MediaId
		}, ICEMedia{}, "CreateUploadMedia"},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			r := newEnv(t, func(c *Config) { c.Parallel = 1 })
			id, other := tt.create(r), tt.create(r)
			dir, data := t.TempDir(), random(600*kib)
			file := writeFile(t, "movie.mp4", data)
			r.Fault(stopAt("UploadPart", 4))
			res, err := r.Upload(ctx, File(file), tt.target, WithMediaId(id), WithCheckpoint(dir))
			require.Equal(t, id, failed(t, res, err).MediaId)
			r.ClearFaults()
			res, err = r.Upload(ctx, File(file), tt.target, WithMediaId(id), WithCheckpoint(dir))
			require.NoError(t, err)
			r.stored(t, res, data)
			require.Equal(t, id, res.MediaId)
			require.Equal(t, 4+3, r.Calls("UploadPart"))
			second, err := r.Upload(ctx, File(file), tt.target, WithMediaId(other), WithCheckpoint(dir))
			require.NoError(t, err)
			require.Equal(t, other, second.MediaId)
			require.Equal(t, 2, r.Calls(tt.ops))
			_, err = r.Upload(ctx, File(file), tt.target, WithMediaId("0123456789abcdef0123456789abcdef"))
			require.True(t, alimedia.IsNotFound(err), "%v", err)
			require.Equal(t, 2, r.Calls(tt.ops))
		})
	}
}

// TestUpload_B53_UploadIdOfADeadProcess: a process may die before the response
// of InitiateMultipartUpload arrives; the next run removes what it began, also
// where it stops once more.
func TestUpload_B53_UploadIdOfADeadProcess(t *testing.T) {
	t.Parallel()
	for name, target := range map[string]Target{"video": VODVideo{}, "own": Bucket{Name: "own-bucket", Region: "cn-shanghai"}} {
		for _, again := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " ", again), func(t *testing.T) {
				t.Parallel()
				b := breakOff(t, target, mediatest.Fault{Operation: "InitiateMultipartUpload", AfterEffect: true, Status: 403, Code: "Stop"})
				require.Len(t, b.Uploads(), 1, "nobody knows its ID")
				if again {
					b.Fault(stopAt("UploadPart", 2))
					res, err := b.Upload(ctx, File(b.file), target, WithCheckpoint(b.dir))
					failed(t, res, err)
					b.ClearFaults()
				}
				b.resume(t, target)
			})
		}
	}
}

// TestUpload_B46_OneAfterTheOther: the list serves Upload as it serves
// UploadAll.
func TestUpload_B46_OneAfterTheOther(t *testing.T) {
	t.Parallel()
	r, j := newJobEnv(t, "ICEMedia")
	j.File = writeFile(t, "small.mp4", random(kib))
	ids := map[string]bool{}
	for i := range 6 {
		j := j
		j.Out += string(rune('a' + i))
		out := j.start(t).outcome(t)
		require.Empty(t, out.Error)
		require.Equal(t, i > 0, out.Result.AlreadyUploaded)
		ids[out.Result.MediaId] = true
	}
	require.Len(t, ids, 1)
	require.Len(t, r.Medias(), 1)
	require.Equal(t, 1, r.Calls("GetCallerIdentity"), "a key that lasts is asked for once in a directory")
}

// TestUpload_B46_FinishedBeforeIsWaitedFor when that was not done then.
func TestUpload_B46_FinishedBeforeIsWaitedFor(t *testing.T) {
	t.Parallel()
	r := newEnv(t, nil)
	file, dir := writeFile(t, "a.mp4", random(kib)), t.TempDir()
	first, err := r.Upload(ctx, File(file), VODVideo{}, WithCheckpoint(dir))
	require.NoError(t, err)
	require.Empty(t, first.Status)
	again, err := r.Upload(ctx, File(file), VODVideo{}, WithCheckpoint(dir), WithWait())
	require.NoError(t, err)
	require.True(t, again.AlreadyUploaded)
	require.Equal(t, "Normal", again.Status)
}

// TestUpload_B31_NoSignedURLOnDisk: a query may be a signature.
func TestUpload_B31_NoSignedURLOnDisk(t *testing.T) {
	t.Parallel()
	r := newEnv(t, nil)
	made, err := r.vod.CreateUploadImage(ctx, vod.CreateUploadImageRequest{ImageType: "default", ImageExt: "png"})
	require.NoError(t, err)
	const secret = "auth_key=1700000000-0-0-deadbeef"
	r.Handle("vod", "CreateUploadImage", func(url.Values) (any, error) {
		return map[string]any{
			"ImageId": made.ImageId, "FileURL": made.FileURL + "?" + secret, "ImageURL": made.ImageURL + "?" + secret,
			"UploadAddress": made.UploadAddress, "UploadAuth": made.UploadAuth.Reveal(),
		}, nil
	})
	dir, file := t.TempDir(), writeFile(t, "a.png", random(kib))
	r.Fault(stopAt("PutObject", 1))
	for _, fails := range []bool{true, false} {
		res, err := r.Upload(ctx, File(file), VODImage{}, WithCheckpoint(dir), WithRecreate())
		require.Equal(t, fails, err != nil)
		if !fails {
			require.Contains(t, res.MediaURL, secret, "it is in the Result of this run")
		}
		for _, name := range files(t, dir) {
			text, err := os.ReadFile(filepath.Join(dir, name))
			require.NoError(t, err)
			require.NotContains(t, string(text), "deadbeef", name)
		}
		r.ClearFaults()
	}
}

// TestUpload_B53_OtherPartSize: a stream that is split in another way by a later
// run is sent again, into the same asset.
func TestUpload_B53_OtherPartSize(t *testing.T) {
	t.Parallel()
	r := newEnv(t, nil, mediatest.InMemory())
	dir, data := t.TempDir(), random(900*kib)
	src := ReaderFunc("movie.mp4", UnknownSize, func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(reader(bytes.NewReader(data))), nil
	})
	r.Fault(stopAt("UploadPart", 4))
	res, err := r.Upload(ctx, src, ICEMedia{}, WithCheckpoint(dir), WithKey("order-4711"))
	e := failed(t, res, err)
	r.ClearFaults()
	r.reset(func(c *Config) { c.PartSize = 200 * kib })
	res, err = r.Upload(ctx, src, ICEMedia{}, WithCheckpoint(dir), WithKey("order-4711"))
	require.NoError(t, err)
	require.Equal(t, e.MediaId, res.MediaId)
	require.Len(t, r.Medias(), 1)
	r.stored(t, res, data)
}

// TestUpload_B27_UnansweredCreateIsLookedUp: a later run finds the asset by its
// ReferenceId and does not ask for another one.
func TestUpload_B27_UnansweredCreateIsLookedUp(t *testing.T) {
	t.Parallel()
	r := newEnv(t, nil, mediatest.InMemory())
	file, dir := writeFile(t, "movie.mp4", random(kib)), t.TempDir()
	r.Fault(mediatest.Fault{Operation: "CreateUploadVideo", AfterEffect: true, Times: mediatest.Always},
		mediatest.Fault{Operation: "RefreshUploadVideo", Status: 403, Code: "Forbidden.Example", Times: mediatest.Always})
	target := VODVideo{ReferenceId: "order-4711"}
	res, err := r.Upload(ctx, File(file), target, WithCheckpoint(dir))
	failed(t, res, err)
	r.ClearFaults()
	asked := r.Calls("CreateUploadVideo")
	res, err = r.Upload(ctx, File(file), target, WithCheckpoint(dir))
	require.NoError(t, err)
	require.Len(t, r.Medias(), 1)
	require.Equal(t, r.Medias()[0].MediaId, res.MediaId)
	require.Equal(t, asked, r.Calls("CreateUploadVideo"), "the asset is known")
}
