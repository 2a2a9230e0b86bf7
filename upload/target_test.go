package upload

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload/internal/mediatype"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
	"github.com/alimedia/alimedia-go/vod"
)

// newBucketRig lets uploads to an own bucket go to the fake.
func newBucketRig(t *testing.T, opts ...mediatest.Option) *rig {
	r := newRig(t, nil, opts...)
	r.Uploader.cfg.OSSEndpoint = r.URL
	r.CreateBucket("own-bucket")
	return r
}

func TestUpload_Targets(t *testing.T) {
	t.Parallel()
	data := random(350 * kib)
	for _, tt := range []struct {
		file   string
		target func(*rig) Target
		call   string
		params map[string]string // of the operation that makes the asset
	}{
		{"Movie 1.MP4", func(*rig) Target { return VODVideo{CateId: 7} }, "CreateUploadVideo",
			map[string]string{"FileName": "Movie 1.MP4", "Title": "Movie 1", "FileSize": "358400", "CateId": "7"}},
		{"song.mp3", func(*rig) Target { return VODVideo{Title: "Song", FileName: "other.mp3"} }, "CreateUploadVideo",
			map[string]string{"FileName": "other.mp3", "Title": "Song"}},
		{"Cover.PNG", func(*rig) Target { return VODImage{ImageType: vod.ImageTypeCover} }, "CreateUploadImage",
			map[string]string{"ImageType": "cover", "ImageExt": "png", "OriginalFileName": "Cover.PNG", "Title": "Cover"}},
		{"photo.jpg", func(*rig) Target { return VODImage{} }, "CreateUploadImage", map[string]string{"ImageType": "default", "ImageExt": "jpg"}},
		{"logo.gif", func(*rig) Target { return VODAttachedMedia{BusinessType: vod.BusinessTypeWatermark} }, "CreateUploadAttachedMedia",
			map[string]string{"BusinessType": "watermark", "MediaExt": "gif", "FileName": "logo.gif", "FileSize": "358400", "Title": "logo"}},
		{"clip.mov", func(*rig) Target { return ICEMedia{} }, "CreateUploadMedia",
			map[string]string{"FileInfo": `{"Type":"video","Name":"clip","Ext":"mov","Size":358400}`, "MediaMetaData": `{"Title":"clip","BusinessType":"general"}`}},
		{"de.srt", func(*rig) Target { return ICEMedia{MediaMetaData: ice.MediaMetaData{Title: "German"}} }, "CreateUploadMedia",
			map[string]string{"FileInfo": `{"Type":"text","Name":"de","Ext":"srt","Size":358400}`, "MediaMetaData": `{"Title":"German","BusinessType":"subtitles"}`}},
		{"hd.mp4", func(r *rig) Target {
			return ICEStream{MediaId: r.AddMedia(mediatest.Media{Service: "ice"}), Definition: "HD", HDRType: "hdr10"}
		}, "CreateUploadStream", map[string]string{"Definition": "HD", "FileExtension": "mp4", "HDRType": "hdr10"}},
		{"shot.mp4", func(*rig) Target { return YikeAsset{FolderId: "fd-1", ProductionId: "p"} }, "RegisterYikeAssetMediaInfo",
			map[string]string{"MediaType": "video", "FolderId": "fd-1", "ProductionId": "p"}},
		{"own.mp4", func(*rig) Target {
			return Bucket{Name: "own-bucket", Key: "in/", Register: RegisterMediaInfo{CateId: 3}}
		}, "RegisterMediaInfo",
			map[string]string{"InputURL": "https://own-bucket.oss-cn-shanghai.aliyuncs.com/in/own.mp4", "Title": "own", "CateId": "3"}},
		{"own.mp4", func(r *rig) Target {
			return Bucket{Name: "own-bucket", Key: "x/stream.mp4", Register: RegisterMediaStream{MediaId: r.AddMedia(mediatest.Media{Service: "ice"})}}
		}, "RegisterMediaStream", map[string]string{"InputURL": "https://own-bucket.oss-cn-shanghai.aliyuncs.com/x/stream.mp4"}},
		{"own.mp4", func(*rig) Target {
			return Bucket{Name: "own-bucket", Register: RegisterMedia{TemplateGroupId: vod.NoTranscode, RegisterMetadatas: []vod.RegisterMetadata{{Tags: "a,b"}}}}
		}, "RegisterMedia", map[string]string{"RegisterMetadatas": `[{"FileURL":"https://own-bucket.oss-cn-shanghai.aliyuncs.com/own.mp4","Title":"own","Tags":"a,b"}]`, "TemplateGroupId": "VOD_NO_TRANSCODE"}},
	} {
		for _, size := range []int{len(data), 100} {
			t.Run(fmt.Sprint(tt.call, " ", tt.file, size), func(t *testing.T) {
				t.Parallel()
				r := newBucketRig(t, mediatest.Quirks())
				data := data[:size]
				res, err := r.Upload(ctx, FS(fstest.MapFS{"dir/" + tt.file: {Data: data}}, "dir/"+tt.file), tt.target(r))
				require.NoError(t, err)
				r.stored(t, res, data)
				require.NotEmpty(t, res.FileURL)
				require.NotEmpty(t, res.RequestId)
				require.False(t, res.AlreadyRegistered)
				_, ok := r.Media(res.MediaId)
				require.True(t, ok, "MediaId %q", res.MediaId)
				require.Equal(t, 1, r.Calls(tt.call))
				for _, q := range r.Requests() {
					if q.Operation != tt.call {
						continue
					}
					for name, want := range tt.params {
						want = strings.ReplaceAll(want, "358400", fmt.Sprint(size))
						if strings.HasPrefix(want, "{") || strings.HasPrefix(want, "[") {
							require.JSONEq(t, want, q.Params.Get(name), name)
						} else {
							require.Equal(t, want, q.Params.Get(name), name)
						}
					}
				}
			})
		}
	}
}

func TestUpload_BucketWithoutRegistration(t *testing.T) {
	t.Parallel()
	r := newBucketRig(t)
	data := random(350 * kib)
	res, err := r.Upload(ctx, bytesSource("a.bin", data), Bucket{Name: "own-bucket", Region: "cn-shanghai"})
	require.NoError(t, err)
	r.stored(t, res, data)
	require.Empty(t, res.MediaId)
	require.Equal(t, "https://own-bucket.oss-cn-shanghai.aliyuncs.com/a.bin", res.FileURL)
}

// TestUpload_BadTargets: what can be known before is told before anything is
// created or sent.
func TestUpload_BadTargets(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("题", 43) // 129 bytes
	for _, tt := range []struct {
		name, file string
		target     Target
		text       string
	}{
		{"nil", "a.mp4", nil, "no target"},
		{"video without extension", "movie", VODVideo{}, "the file name has no extension, and the service needs one: set VODVideo.FileName"},
		{"hidden file", ".mp4", VODVideo{}, "no extension"},
		{"image without extension", "a", VODImage{}, "set VODImage.ImageExt"},
		{"attached without extension", "a", VODAttachedMedia{BusinessType: "material"}, "set VODAttachedMedia.MediaExt"},
		{"attached without type", "a.gif", VODAttachedMedia{}, "BusinessType"},
		{"media without extension", "a", ICEMedia{}, "set ICEMedia.FileInfo.Ext"},
		{"stream without extension", "a", ICEStream{MediaId: "m"}, "set ICEStream.FileExtension"},
		{"stream without asset", "a.mp4", ICEStream{}, "needs MediaId"},
		{"stream of a wrong definition", "a.mp4", ICEStream{MediaId: "m", Definition: "8K"}, "Definition"},
		{"yike without extension", "a", YikeAsset{}, "set YikeAsset.FileExt"},
		{"yike of unknown type", "a.xyz", YikeAsset{}, "needs MediaType"},
		{"title too long", "a.mp4", VODVideo{Title: strings.Repeat("x", 129)}, "Title"},
		{"false size", "a.mp4", VODVideo{FileSize: 5}, "the target says 5 bytes, the source has 1024"},
		{"bucket without name", "a.mp4", Bucket{Register: RegisterMediaInfo{}}, "bucket name"},
		{"bad bucket name", "a.mp4", Bucket{Name: "Own_Bucket", Register: RegisterMediaInfo{}}, "bucket name"},
		{"bad key", "a.mp4", Bucket{Name: "own-bucket", Key: "/a.mp4", Register: RegisterMediaInfo{}}, "begins with a slash"},
		{"bad region", "a.mp4", Bucket{Name: "own-bucket", Region: "cn/shanghai"}, "is not a region ID"},
		{"no region", "a.mp4", Bucket{Name: "own-bucket"}, "needs Region"},
		{"registration title", "a.mp4", Bucket{Name: "own-bucket", Register: RegisterMediaInfo{Title: long}}, "Title: at most 128 bytes"},
		{"registration without asset", "a.mp4", Bucket{Name: "own-bucket", Register: RegisterMediaStream{}}, "needs MediaId"},
		{"registration without extension", "a", Bucket{Name: "own-bucket", Register: RegisterMedia{}}, "FileURL"},
		{"two descriptions", "a.mp4", Bucket{Name: "own-bucket", Register: RegisterMedia{RegisterMetadatas: make([]vod.RegisterMetadata, 2)}}, "one element"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newBucketRig(t)
			res, err := r.Upload(ctx, bytesSource(tt.file, random(kib)), tt.target)
			e := failed(t, res, err)
			require.ErrorContains(t, err, tt.text)
			require.Contains(t, []Stage{StageOpen, StageCreate}, e.Stage)
			require.Empty(t, e.MediaId)
			require.Empty(t, r.Requests(), "nothing was asked")
		})
	}
}

func TestUpload_MissingClients(t *testing.T) {
	t.Parallel()
	u, err := New(Config{Credentials: providerFunc(func(context.Context) (credentials.Credentials, error) {
		return credentials.Credentials{}, errDisk
	})})
	require.NoError(t, err)
	for text, target := range map[string]Target{
		"VODVideo needs Config.VOD":            VODVideo{},
		"VODImage needs Config.VOD":            VODImage{},
		"VODAttachedMedia needs Config.VOD":    VODAttachedMedia{},
		"ICEMedia needs Config.ICE":            ICEMedia{},
		"ICEStream needs Config.ICE":           ICEStream{MediaId: "m"},
		"YikeAsset needs Config.ICE":           YikeAsset{},
		"RegisterMediaInfo needs Config.ICE":   Bucket{Name: "own-bucket", Register: RegisterMediaInfo{}},
		"RegisterMediaStream needs Config.ICE": Bucket{Name: "own-bucket", Register: RegisterMediaStream{MediaId: "m"}},
		"RegisterMedia needs Config.VOD":       Bucket{Name: "own-bucket", Register: RegisterMedia{}},
		"disk on fire":                         Bucket{Name: "own-bucket", Region: "cn-shanghai"},
	} {
		res, err := u.Upload(ctx, bytesSource("a.mp4", random(kib)), target)
		e := failed(t, res, err)
		require.ErrorContains(t, err, text)
		require.Equal(t, StageCreate, e.Stage)
	}
}

type providerFunc func(context.Context) (credentials.Credentials, error)

func (f providerFunc) Credentials(ctx context.Context) (credentials.Credentials, error) {
	return f(ctx)
}

func TestUpload_RegionWithoutUploads(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil, mediatest.Region("cn-hangzhou"))
	for _, target := range []Target{ICEMedia{}, ICEStream{MediaId: "m"}} {
		res, err := r.Upload(ctx, bytesSource("a.mp4", random(kib)), target)
		failed(t, res, err)
		var v *alimedia.ValidationError
		require.ErrorAs(t, err, &v)
		require.ErrorContains(t, err, "cn-shanghai")
	}
	require.Empty(t, r.Requests())
}

func TestUpload_NoCredentials(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	none := func(c *alimedia.Config) {
		c.Credentials = providerFunc(func(context.Context) (credentials.Credentials, error) {
			return credentials.Credentials{}, errors.New("no credentials: set ALIBABA_CLOUD_ACCESS_KEY_ID")
		})
	}
	r.Uploader.cfg.VOD, r.Uploader.cfg.ICE = r.vod.With(none), r.ice.With(none)
	for _, target := range []Target{VODVideo{}, ICEMedia{}, YikeAsset{}, Bucket{Name: "own-bucket", Register: RegisterMediaInfo{}}, Bucket{Name: "own-bucket", Register: RegisterMedia{}}} {
		res, err := r.Upload(ctx, bytesSource("a.mp4", random(kib)), target)
		e := failed(t, res, err)
		require.Equal(t, StageCreate, e.Stage)
		require.ErrorContains(t, err, "set ALIBABA_CLOUD_ACCESS_KEY_ID")
	}
	require.Empty(t, r.Requests())
}

func TestUpload_B38_BadPermit(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil, mediatest.EncodeUpload(func(address, auth map[string]any) (string, string) {
		delete(auth, "SecurityToken")
		return mediatest.EncodeBase64(address), mediatest.EncodeBase64(auth)
	}))
	for name, target := range map[string]Target{"a.mp4": VODVideo{}, "b.mp4": ICEMedia{}, "c.png": VODImage{}} {
		res, err := r.Upload(ctx, bytesSource(name, random(kib)), target)
		e := failed(t, res, err)
		require.ErrorIs(t, err, ErrAddress)
		require.Equal(t, StageCreate, e.Stage)
		require.NotEmpty(t, e.MediaId, "B34: what was created is told")
		require.ErrorContains(t, err, e.MediaId)
		require.ErrorContains(t, err, "no SecurityToken")
	}
	require.Zero(t, r.Calls("PutObject"))
}

func TestUpload_B38_OddPermitsWork(t *testing.T) {
	t.Parallel()
	for name, encode := range map[string]func(address, auth map[string]any) (string, string){
		"swapped": func(a, b map[string]any) (string, string) {
			return mediatest.EncodeBase64(b), mediatest.EncodeBase64(a)
		},
		"unpadded": func(a, b map[string]any) (string, string) {
			return strings.TrimRight(mediatest.EncodeBase64(a), "="), strings.TrimRight(mediatest.EncodeBase64(b), "=")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil, mediatest.EncodeUpload(encode))
			data := random(350 * kib)
			res, err := r.Upload(ctx, bytesSource("a.mp4", data), VODVideo{})
			require.NoError(t, err)
			r.stored(t, res, data)
		})
	}
}

// creating are the targets that make an asset before the bytes are sent, each
// with a file for it.
func (r *rig) creating() map[string]Target {
	return map[string]Target{
		"a.mp4": VODVideo{}, "b.png": VODImage{}, "c.gif": VODAttachedMedia{BusinessType: vod.BusinessTypeWatermark},
		"d.mp4": ICEMedia{}, "e.mp4": ICEStream{MediaId: r.AddMedia(mediatest.Media{Service: "ice"})},
	}
}

func TestUpload_B34_MediaIdInTheError(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for name, target := range r.creating() {
		before := len(r.Medias())
		r.Fault(mediatest.Fault{Operation: "PutObject", Status: 403, Code: "AccessDenied"})
		res, err := r.Upload(ctx, bytesSource(name, random(kib)), target)
		e := failed(t, res, err)
		made := r.Medias()[len(r.Medias())-1].MediaId
		if stream, ok := target.(ICEStream); ok {
			made = stream.MediaId
		} else {
			require.Len(t, r.Medias(), before+1, name)
		}
		require.Equal(t, made, e.MediaId, name)
		require.ErrorContains(t, err, "[MediaId "+made+"]", name)
		require.Contains(t, e.LogValue().String(), "media_id="+made, name)
		require.False(t, e.Uploaded, name)

		key := ""
		for _, q := range r.Requests() {
			if q.Operation == "PutObject" {
				key = q.Key
			}
		}
		require.True(t, strings.HasSuffix(e.FileURL, "/"+key), "%s: %s is not that of %s", name, e.FileURL, key)
	}
}

// TestUpload_B34_UnusableAnswer: the asset is made, and that is all that is
// known of it.
func TestUpload_B34_UnusableAnswer(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil, mediatest.EncodeUpload(func(address, auth map[string]any) (string, string) { return "?", "?" }))
	for name, target := range r.creating() {
		res, err := r.Upload(ctx, bytesSource(name, random(kib)), target)
		e := failed(t, res, err)
		require.ErrorIs(t, err, ErrAddress, name)
		_, made := r.Media(e.MediaId)
		require.True(t, made, name)
	}
}

// TestUpload_B34_RegisteredAtTheEnd: an asset that is made of the stored object
// is named by what fails later.
func TestUpload_B34_RegisteredAtTheEnd(t *testing.T) {
	t.Parallel()
	r := newBucketRig(t)
	for operation, target := range map[string]Target{
		"GetYikeAssetMediaInfo": YikeAsset{},
		"GetMediaInfo":          Bucket{Name: "own-bucket", Register: RegisterMediaInfo{}},
		"GetVideoInfo":          Bucket{Name: "own-bucket", Register: RegisterMedia{}},
	} {
		r.Fault(mediatest.Fault{Operation: operation, Status: 403, Code: "Forbidden"})
		res, err := r.Upload(ctx, bytesSource("a.mp4", random(kib)), target, WithWait())
		e := failed(t, res, err)
		require.Equal(t, StageWait, e.Stage, operation)
		require.NotEmpty(t, e.MediaId, operation)
		require.Equal(t, r.Medias()[len(r.Medias())-1].MediaId, e.MediaId, operation)
	}
}

// tokens are the ClientToken of each request of an operation.
func (r *rig) tokens(operation string) (all []string) {
	for _, q := range r.Requests() {
		if q.Operation == operation {
			all = append(all, q.Params.Get("ClientToken"))
		}
	}
	return all
}

func TestUpload_B35_RegistrationIsRepeated(t *testing.T) {
	t.Parallel()
	r := newBucketRig(t)
	r.Fault(mediatest.Fault{Operation: "RegisterMediaInfo", AfterEffect: true}, mediatest.Fault{Operation: "RegisterMediaInfo", Nth: 2, Status: 503})
	res, err := r.Upload(ctx, bytesSource("a.mp4", random(kib)), Bucket{Name: "own-bucket", Register: RegisterMediaInfo{}})
	require.NoError(t, err)
	require.Len(t, r.Medias(), 1)
	require.Equal(t, r.Medias()[0].MediaId, res.MediaId)
	require.False(t, res.AlreadyRegistered, "it is ours, the service knows it again")
	tokens := r.tokens("RegisterMediaInfo")
	require.Len(t, tokens, 3)
	require.NotEmpty(t, tokens[0])
	require.Equal(t, []string{tokens[0], tokens[0], tokens[0]}, tokens)
}

// TestUpload_B35_RegistrationIsRepeatedLater: by the next run, which did not
// hear what became of the first.
func TestUpload_B35_RegistrationIsRepeatedLater(t *testing.T) {
	t.Parallel()
	target := Bucket{Name: "own-bucket", Register: RegisterMediaInfo{}}
	b := breakOff(t, target, mediatest.Fault{Operation: "RegisterMediaInfo", AfterEffect: true, Status: 403, Code: "Stop"})
	res := b.resume(t, target)
	require.Len(t, b.Medias(), 1)
	require.Equal(t, b.Medias()[0].MediaId, res.MediaId)
	require.False(t, res.AlreadyRegistered, "it is ours, the service knows it again")
	tokens := b.tokens("RegisterMediaInfo")
	require.Len(t, tokens, 2)
	require.NotEmpty(t, tokens[0])
	require.Equal(t, tokens[0], tokens[1])
}

// TestUpload_B35_RegisteredIsNotRegisteredAgain: a run that ends after that
// leaves the next one only the wait.
func TestUpload_B35_RegisteredIsNotRegisteredAgain(t *testing.T) {
	t.Parallel()
	for operation, register := range map[string]func(id string) Registration{
		"RegisterMediaInfo":   func(string) Registration { return RegisterMediaInfo{} },
		"RegisterMediaStream": func(id string) Registration { return RegisterMediaStream{MediaId: id} },
		"RegisterMedia":       func(string) Registration { return RegisterMedia{} },
	} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newWaitRig(t)
				target := Bucket{Name: "own-bucket", Register: register(r.AddMedia(mediatest.Media{Service: "ice"}))}
				stopping, cancel := context.WithCancel(inTime(t))
				defer cancel()
				r.Fault(mediatest.Fault{Delay: time.Minute, Match: func(q mediatest.Request) bool {
					asks := q.Operation == "GetMediaInfo" || q.Operation == "GetVideoInfo"
					if asks {
						cancel()
					}
					return asks
				}})
				file, dir := writeFile(t, "a.mp4", random(kib)), t.TempDir()
				res, err := r.Upload(stopping, File(file), target, WithCheckpoint(dir), WithWait())
				e := failed(t, res, err)
				require.ErrorIs(t, err, context.Canceled)
				require.Equal(t, StageWait, e.Stage)
				res, err = r.Upload(inTime(t), File(file), target, WithCheckpoint(dir), WithWait())
				require.NoError(t, err)
				require.Equal(t, e.MediaId, res.MediaId)
				require.False(t, res.AlreadyRegistered)
				require.Equal(t, 1, r.Calls(operation))
				require.Equal(t, 1, r.Calls("PutObject"))
			})
		})
	}
}

func TestUpload_B35_AlreadyRegistered(t *testing.T) {
	t.Parallel()
	for name, register := range map[string]Registration{"ice": RegisterMediaInfo{}, "vod": RegisterMedia{}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newWaitRig(t)
				target := Bucket{Name: "own-bucket", Register: register}
				first, err := r.Upload(ctx, bytesSource("a.mp4", random(kib)), target)
				require.NoError(t, err)
				require.False(t, first.AlreadyRegistered)
				r.Fault(mediatest.Fault{Operation: "GetMediaInfo", Status: 404, Code: "MediaNotFound"}) // a lag
				again, err := r.Upload(ctx, bytesSource("a.mp4", random(2*kib)), target)
				require.NoError(t, err)
				require.Equal(t, first.MediaId, again.MediaId)
				require.True(t, again.AlreadyRegistered)
				require.Len(t, r.Medias(), 1)
			})
		})
	}
}

// TestUpload_B35_RegisteredAndNotFound: the service contradicts itself for
// good, and both answers are told.
func TestUpload_B35_RegisteredAndNotFound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newWaitRig(t)
		target := Bucket{Name: "own-bucket", Register: RegisterMediaInfo{}}
		_, err := r.Upload(ctx, bytesSource("a.mp4", random(kib)), target)
		require.NoError(t, err)
		r.Fault(mediatest.Fault{Operation: "GetMediaInfo", Times: mediatest.Always, Status: 404, Code: "MediaNotFound"})
		start := time.Now()
		res, err := r.Upload(inTime(t), bytesSource("a.mp4", random(kib)), target)
		e := failed(t, res, err)
		require.Equal(t, StageFinish, e.Stage)
		require.ErrorContains(t, err, "MediaAlreadyExist")
		require.ErrorContains(t, err, "MediaNotFound")
		require.Less(t, time.Since(start), time.Minute)
	})
}

func TestUpload_B35_RegistrationRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		target Target
		fault  mediatest.Fault
	}{
		"ice":  {Bucket{Name: "own-bucket", Register: RegisterMediaInfo{}}, mediatest.Fault{Operation: "RegisterMediaInfo", Status: 403, Code: "Forbidden"}},
		"yike": {YikeAsset{}, mediatest.Fault{Operation: "RegisterYikeAssetMediaInfo", Status: 403, Code: "Forbidden"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newBucketRig(t)
			r.Fault(tt.fault)
			res, err := r.Upload(ctx, bytesSource("a.mp4", random(kib)), tt.target)
			e := failed(t, res, err)
			require.True(t, alimedia.IsAccessDenied(err))
			require.Equal(t, StageFinish, e.Stage)
			require.True(t, e.Uploaded, "the bytes need not be sent again")
			require.NotEmpty(t, e.FileURL)
			require.EqualValues(t, kib, e.Sent)
			require.ErrorContains(t, err, e.FileURL)
		})
	}
}

func TestUpload_B35_PartialFailure(t *testing.T) {
	t.Parallel()
	r := newBucketRig(t)
	r.Handle("vod", "RegisterMedia", func(params url.Values) (any, error) {
		return map[string]any{"FailedFileURLs": []string{"https://own-bucket.oss-cn-shanghai.aliyuncs.com/a.mp4"}}, nil
	})
	res, err := r.Upload(ctx, bytesSource("a.mp4", random(kib)), Bucket{Name: "own-bucket", Register: RegisterMedia{}})
	e := failed(t, res, err)
	require.Equal(t, StageFinish, e.Stage)
	require.ErrorContains(t, err, "was not registered")
}

func TestUpload_B36_Names(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"a b.mp4", "a+b%20c#d?e&f=g.mp4", "%2e%2e%2f.mp4", "no extension", "UPPER.MP4", "接口.mp4", "🎬 film.MP4", ".hidden.mp4", "..mp4", "a.b.c.mp4", "'\"<>|*.mp4", "a;b,c.mp4",
		strings.Repeat("長", 300) + ".mp4",
	} {
		t.Run(clipBytes(name, 40), func(t *testing.T) {
			t.Parallel()
			r := newBucketRig(t)
			data := random(250 * kib)
			old := r.AddMedia(mediatest.Media{Service: "ice"})
			for _, target := range []Target{
				VODVideo{}, ICEMedia{}, YikeAsset{}, Bucket{Name: "own-bucket", Region: "cn-shanghai"},
				Bucket{Name: "own-bucket", Register: RegisterMediaInfo{}},
				Bucket{Name: "own-bucket", Key: "dir/", Register: RegisterMedia{}},
				Bucket{Name: "own-bucket", Key: "streams/", Register: RegisterMediaStream{MediaId: old}},
			} {
				b, own := target.(Bucket)
				if mediatype.Extension(name) == "" && (!own || b.Key == "dir/") {
					continue // the service needs one
				}
				res, err := r.Upload(ctx, bytesSource(name, data), target)
				if len(name) > 900 && b.Key == "dir/" {
					require.ErrorContains(t, err, "at most 1024 bytes") // of FileURL; told before
					continue
				}
				require.NoError(t, err)
				r.stored(t, res, data)
				told, err := url.Parse(res.FileURL)
				require.NoError(t, err)
				require.Equal(t, "/"+res.Key, strings.TrimPrefix(told.Path, "/"+res.Bucket))
				require.NotContains(t, res.FileURL, "+", "it would be read as a blank")
				m, _ := r.Media(res.MediaId)
				title := strings.TrimSuffix(name, "."+mediatype.Extension(name))
				switch target.(type) {
				case VODVideo:
					require.Equal(t, name, m.Params.Get("FileName"))
					require.Equal(t, clipRunes(title, 128), m.Title)
					require.LessOrEqual(t, utf8.RuneCountInString(m.Title), 128)
				case ICEMedia:
					require.Equal(t, clipRunes(title, 128), m.Title)
					require.Contains(t, m.Params.Get("FileInfo"), fmt.Sprintf(`"Ext":%q`, mediatype.Extension(name)))
				case YikeAsset:
					require.Equal(t, res.FileURL, m.InputURL, "the URL that is registered is the URL that is told")
				case Bucket:
					require.Equal(t, b.Key+name, res.Key)
					switch b.Register.(type) {
					case RegisterMediaInfo, RegisterMedia:
						require.Equal(t, res.FileURL, m.InputURL, "the URL that is registered is the URL that is told")
						require.True(t, utf8.ValidString(m.Title) && m.Title != "" && strings.HasPrefix(title, m.Title), "%q", m.Title)
					case RegisterMediaStream:
						all := r.Requests()
						require.Equal(t, res.FileURL, all[len(all)-1].Params.Get("InputURL"))
					}
				}
			}
		})
	}
}

// TestUpload_B36_LongestKey: the store takes 1023 bytes.
func TestUpload_B36_LongestKey(t *testing.T) {
	t.Parallel()
	r := newBucketRig(t)
	target := Bucket{Name: "own-bucket", Region: "cn-shanghai"}
	name := strings.Repeat("a", 1023-4) + ".mp4"
	data := random(kib)
	res, err := r.Upload(ctx, bytesSource(name, data), target)
	require.NoError(t, err)
	r.stored(t, res, data)
	require.Equal(t, name, res.Key)
	res, err = r.Upload(ctx, bytesSource("a"+name, data), target)
	failed(t, res, err)
	require.ErrorContains(t, err, "1024 bytes, at most 1023")
	require.Equal(t, 1, r.Calls("PutObject"))
}

// refuseCallbacks makes the store's callbacks fail.
func (r *rig) refuseCallbacks() {
	r.via(func(base http.RoundTripper, q *http.Request) (*http.Response, error) {
		answer, err := base.RoundTrip(q)
		commits := q.Method == http.MethodPut && !q.URL.Query().Has("uploadId") || q.Method == http.MethodPost && q.URL.Query().Has("uploadId")
		if err == nil && commits {
			answer.StatusCode = http.StatusNonAuthoritativeInfo
			answer.Body.Close()
			body := bytes.NewBufferString("<Error><Code>CallbackFailed</Code><Message>Response body is not valid json format.</Message></Error>")
			answer.ContentLength, answer.Body = int64(body.Len()), io.NopCloser(body)
		}
		return answer, err
	})
}

func TestUpload_B37_CallbackFailed(t *testing.T) {
	t.Parallel()
	for _, target := range []Target{Bucket{Name: "own-bucket", Register: RegisterMediaInfo{}}, VODVideo{}} {
		for _, size := range []int{kib, 600 * kib} {
			r := newBucketRig(t)
			r.refuseCallbacks()
			data := random(size)
			file, checkpoint := writeFile(t, "a.mp4", data), WithCheckpoint(t.TempDir())
			res, err := r.Upload(ctx, File(file), target, checkpoint)
			e := failed(t, res, err)
			require.ErrorIs(t, err, ErrCallback)
			require.True(t, alimedia.HasCode(err, "CallbackFailed"))
			require.True(t, e.Uploaded)
			require.EqualValues(t, size, e.Sent)
			require.Equal(t, StageComplete, e.Stage)
			require.Equal(t, r.Medias()[0].MediaId, e.MediaId, "registered all the same")
			sent := r.Calls("PutObject") + r.Calls("UploadPart")
			require.Equal(t, 1, r.Calls("PutObject")+r.Calls("CompleteMultipartUpload"))

			res, err = r.Upload(ctx, File(file), target, checkpoint)
			require.NoError(t, err, "the callback is behind us")
			r.stored(t, res, data)
			require.Equal(t, e.MediaId, res.MediaId)
			require.Len(t, r.Medias(), 1)
			require.Equal(t, sent, r.Calls("PutObject")+r.Calls("UploadPart"), "nothing is sent again")
			require.LessOrEqual(t, r.Calls("RegisterMediaInfo"), 1)
		}
	}
}

// TestUpload_B47_CredentialsGoNowhereElse: a redirect is an answer, not an order.
func TestUpload_B47_CredentialsGoNowhereElse(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(thief.Close)
	for _, status := range []int{301, 302, 307, 308} {
		r := newRig(t, nil)
		r.via(func(base http.RoundTripper, q *http.Request) (*http.Response, error) {
			if q.Method != http.MethodPut {
				return base.RoundTrip(q)
			}
			return &http.Response{StatusCode: status, Header: http.Header{"Location": {thief.URL}}, Body: http.NoBody, Request: q}, nil
		})
		res, err := r.Upload(ctx, bytesSource("a.mp4", random(kib)), VODVideo{})
		failed(t, res, err)
		require.ErrorContains(t, err, fmt.Sprintf("HTTP %d", status))
		require.Zero(t, asked.Load())
	}
}

func TestUpload_B47_Endpoints(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for name, tt := range map[string]struct {
			change func(*Config)
			given  string // Endpoint in UploadAddress
			host   string
			scheme string
			v4     bool
		}{
			"as given":     {nil, "https://oss-cn-shanghai.aliyuncs.com", "BUCKET.oss-cn-shanghai.aliyuncs.com", "https", true},
			"http":         {nil, "http://oss-cn-shanghai.aliyuncs.com", "BUCKET.oss-cn-shanghai.aliyuncs.com", "https", true},
			"no scheme":    {nil, "oss-cn-shanghai.aliyuncs.com", "BUCKET.oss-cn-shanghai.aliyuncs.com", "https", true},
			"internal":     {func(c *Config) { c.OSSInternal = true }, "oss-cn-shanghai.aliyuncs.com", "BUCKET.oss-cn-shanghai-internal.aliyuncs.com", "https", true},
			"same region":  {func(c *Config) { c.LocalRegion = "cn-shanghai" }, "oss-cn-shanghai.aliyuncs.com", "BUCKET.oss-cn-shanghai-internal.aliyuncs.com", "https", true},
			"other region": {func(c *Config) { c.LocalRegion = "cn-beijing" }, "oss-cn-shanghai.aliyuncs.com", "BUCKET.oss-cn-shanghai.aliyuncs.com", "https", true},
			"accelerate":   {nil, "oss-accelerate.aliyuncs.com", "BUCKET.oss-accelerate.aliyuncs.com", "https", false},
			"accelerate 2": {func(c *Config) { c.OSSRegion = "cn-shanghai" }, "oss-accelerate.aliyuncs.com", "BUCKET.oss-accelerate.aliyuncs.com", "https", true},
			"twin":         {func(c *Config) { c.OSSEndpoint = "oss-accelerate.aliyuncs.com" }, "oss-cn-shanghai.aliyuncs.com", "BUCKET.oss-accelerate.aliyuncs.com", "https", true},
		} {
			r := newRig(t, tt.change, mediatest.InMemory(), mediatest.EncodeUpload(func(address, auth map[string]any) (string, string) {
				address["Endpoint"] = tt.given
				return mediatest.EncodeBase64(address), mediatest.EncodeBase64(auth)
			}))
			r.via(func(base http.RoundTripper, q *http.Request) (*http.Response, error) {
				require.Equal(t, strings.ReplaceAll(tt.host, "BUCKET", r.StorageBucket()), q.URL.Host, name)
				require.Equal(t, tt.scheme, q.URL.Scheme, name)
				require.Equal(t, tt.v4, strings.HasPrefix(q.Header.Get("Authorization"), "OSS4-HMAC-SHA256 "), name)
				return base.RoundTrip(q)
			})
			data := random(250 * kib)
			res, err := r.Upload(ctx, bytesSource("a b+ü.mp4", data), VODVideo{})
			require.NoError(t, err, name)
			r.stored(t, res, data)
		}
	})
}

// TestUpload_V4 signs for the region found in FileURL, as the endpoint has none.
func TestUpload_V4(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.via(func(base http.RoundTripper, q *http.Request) (*http.Response, error) {
		require.Contains(t, q.Header.Get("Authorization"), "OSS4-HMAC-SHA256 ")
		return base.RoundTrip(q)
	})
	data := random(250 * kib)
	res, err := r.Upload(ctx, bytesSource("ü +.mp4", data), ICEMedia{})
	require.NoError(t, err)
	r.stored(t, res, data)
	r.Uploader.cfg.OSSRegion = "cn-beijing"
	res, err = r.Upload(ctx, bytesSource("a.mp4", data), ICEMedia{})
	failed(t, res, err)
	require.ErrorContains(t, err, "cn-shanghai", "a forced region is used")
}

func TestUpload_B49_OneErrorForAll(t *testing.T) {
	t.Parallel()
	for stage, fault := range map[Stage]mediatest.Fault{
		StageCreate:   {Operation: "CreateYikeAssetUpload", Status: 403, Code: "Forbidden"},
		StageSend:     {Operation: "UploadPart", Nth: 3, Status: 403, Code: "Forbidden"},
		StageComplete: {Operation: "CompleteMultipartUpload", Status: 403, Code: "Forbidden"},
		StageFinish:   {Operation: "RegisterYikeAssetMediaInfo", Status: 403, Code: "Forbidden"},
	} {
		r := newRig(t, func(c *Config) { c.Parallel = 1 })
		r.Fault(fault)
		res, err := r.Upload(ctx, bytesSource("a.mp4", random(600*kib)), YikeAsset{})
		e := failed(t, res, err)
		require.Equal(t, stage, e.Stage)
		require.Equal(t, "a.mp4", e.Name)
		require.True(t, alimedia.HasCode(err, "Forbidden"))
		require.Equal(t, stage != StageCreate, e.UploadId != "")
		require.EqualValues(t, map[Stage]int{StageSend: 200 * kib, StageComplete: 600 * kib, StageFinish: 600 * kib}[stage], e.Sent)
		require.Equal(t, stage == StageFinish, e.Uploaded)
		require.Contains(t, e.LogValue().String(), "stage="+string(stage))
	}
}

func TestNew_Refuses(t *testing.T) {
	t.Parallel()
	for text, cfg := range map[string]Config{
		"Config.Parallel is -1":           {Parallel: -1},
		"Config.PartSize is 102399 bytes": {PartSize: transfer.MinPartSize - 1},
		"Config.PartSize is 5368709121":   {PartSize: transfer.MaxPartSize + 1},
		"Config.MultipartThreshold is":    {MultipartThreshold: transfer.MaxPartSize + 1},
		"negative time":                   {StallTimeout: -time.Second},
		"Config.OSSEndpoint: endpoint":    {OSSEndpoint: "https://user@host"},
		"is not https":                    {OSSEndpoint: "http://oss.example.com:8080"},
	} {
		_, err := New(cfg)
		require.ErrorContains(t, err, text)
	}
	_, err := New(Config{})
	require.NoError(t, err)
}
