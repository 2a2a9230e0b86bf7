package upload

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf8"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload/internal/mediatype"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
	"github.com/alimedia/alimedia-go/vod"
	"github.com/stretchr/testify/require"
)

func TestUpload_Targets(t *testing.T) {
	t.Parallel()
	data := random(350 * kib)
	for _, tt := range []struct {
		file   string
		target func(*env) Target
		call   string
		params map[string]string // of the operation that makes the asset
	}{
		{"Movie 1.MP4", func(*env) Target { return VODVideo{CateId: 7} }, "CreateUploadVideo",
			map[string]string{"FileName": "Movie 1.MP4", "Title": "Movie 1", "FileSize": "358400", "CateId": "7"}},
		{"song.mp3", func(*env) Target { return VODVideo{Title: "Song", FileName: "other.mp3"} }, "CreateUploadVideo",
			map[string]string{"FileName": "other.mp3", "Title": "Song"}},
		{"Cover.PNG", func(*env) Target { return VODImage{ImageType: vod.ImageTypeCover} }, "CreateUploadImage",
			map[string]string{"ImageType": "cover", "ImageExt": "png", "OriginalFileName": "Cover.PNG", "Title": "Cover"}},
		{"photo.jpg", func(*env) Target { return VODImage{} }, "CreateUploadImage", map[string]string{"ImageType": "default", "ImageExt": "jpg"}},
		{"logo.gif", func(*env) Target { return VODAttachedMedia{BusinessType: vod.BusinessTypeWatermark} }, "CreateUploadAttachedMedia",
			map[string]string{"BusinessType": "watermark", "MediaExt": "gif", "FileName": "logo.gif", "FileSize": "358400", "Title": "logo"}},
		{"clip.mov", func(*env) Target { return ICEMedia{} }, "CreateUploadMedia",
			map[string]string{"FileInfo": `{"Type":"video","Name":"clip","Ext":"mov","Size":358400}`, "MediaMetaData": `{"Title":"clip","BusinessType":"general"}`}},
		{"de.srt", func(*env) Target { return ICEMedia{MediaMetaData: ice.MediaMetaData{Title: "German"}} }, "CreateUploadMedia",
			map[string]string{"FileInfo": `{"Type":"text","Name":"de","Ext":"srt","Size":358400}`, "MediaMetaData": `{"Title":"German","BusinessType":"subtitles"}`}},
		{"hd.mp4", func(r *env) Target {
			return ICEStream{MediaId: r.AddMedia(mediatest.Media{Service: "ice"}), Definition: "HD", HDRType: "hdr10"}
		}, "CreateUploadStream", map[string]string{"Definition": "HD", "FileExtension": "mp4", "HDRType": "hdr10"}},
		{"shot.mp4", func(*env) Target { return YikeAsset{FolderId: "fd-1", ProductionId: "p"} }, "RegisterYikeAssetMediaInfo",
			map[string]string{"MediaType": "video", "FolderId": "fd-1", "ProductionId": "p"}},
		{"own.mp4", func(*env) Target {
			return Bucket{Name: "own-bucket", Key: "in/", Register: RegisterMediaInfo{CateId: 3}}
		}, "RegisterMediaInfo",
			map[string]string{"InputURL": "https://own-bucket.oss-cn-shanghai.aliyuncs.com/in/own.mp4", "Title": "own", "CateId": "3"}},
		{"own.mp4", func(r *env) Target {
			return Bucket{Name: "own-bucket", Key: "x/stream.mp4", Register: RegisterMediaStream{MediaId: r.AddMedia(mediatest.Media{Service: "ice"})}}
		}, "RegisterMediaStream", map[string]string{"InputURL": "https://own-bucket.oss-cn-shanghai.aliyuncs.com/x/stream.mp4"}},
		{"own.mp4", func(*env) Target {
			return Bucket{Name: "own-bucket", Register: RegisterMedia{TemplateGroupId: vod.NoTranscode, RegisterMetadatas: []vod.RegisterMetadata{{Tags: "a,b"}}}}
		}, "RegisterMedia", map[string]string{"RegisterMetadatas": `[{"FileURL":"https://own-bucket.oss-cn-shanghai.aliyuncs.com/own.mp4","Title":"own","Tags":"a,b"}]`, "TemplateGroupId": "VOD_NO_TRANSCODE"}},
	} {
		for _, size := range []int{len(data), 100} {
			t.Run(fmt.Sprint(tt.call, " ", tt.file, size), func(t *testing.T) {
				t.Parallel()
				r := newBucketEnv(t, mediatest.Quirks())
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
			r := newBucketEnv(t)
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
	r := newEnv(t, nil, mediatest.Region("cn-hangzhou"))
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
	r := newEnv(t, nil)
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
	r := newEnv(t, nil, mediatest.EncodeUpload(func(address, auth map[string]any) (string, string) {
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
			r := newEnv(t, nil, mediatest.EncodeUpload(encode))
			data := random(350 * kib)
			res, err := r.Upload(ctx, bytesSource("a.mp4", data), VODVideo{})
			require.NoError(t, err)
			r.stored(t, res, data)
		})
	}
}

// creating are the targets that make an asset before the bytes are sent, each
// with a file for it.
func (r *env) creating() map[string]Target {
	return map[string]Target{
		"a.mp4": VODVideo{}, "b.png": VODImage{}, "c.gif": VODAttachedMedia{BusinessType: vod.BusinessTypeWatermark},
		"d.mp4": ICEMedia{}, "e.mp4": ICEStream{MediaId: r.AddMedia(mediatest.Media{Service: "ice"})},
	}
}

func TestUpload_B34_MediaIdInTheError(t *testing.T) {
	t.Parallel()
	r := newEnv(t, nil)
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

// TestUpload_B34_UnusableResponse: the asset is made, and that is all that is
// known of it.
func TestUpload_B34_UnusableResponse(t *testing.T) {
	t.Parallel()
	r := newEnv(t, nil, mediatest.EncodeUpload(func(address, auth map[string]any) (string, string) { return "?", "?" }))
	for name, target := range r.creating() {
		res, err := r.Upload(ctx, bytesSource(name, random(kib)), target)
		e := failed(t, res, err)
		require.ErrorIs(t, err, ErrAddress, name)
		_, made := r.Media(e.MediaId)
		require.True(t, made, name)
	}
}

func TestUpload_B36_Names(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"a b.mp4", "a+b%20c#d?e&f=g.mp4", "%2e%2e%2f.mp4", "no extension", "UPPER.MP4", "接口.mp4", "🎬 film.MP4", ".hidden.mp4", "..mp4", "a.b.c.mp4", "'\"<>|*.mp4", "a;b,c.mp4",
		strings.Repeat("長", 300) + ".mp4",
	} {
		t.Run(clipBytes(name, 40), func(t *testing.T) {
			t.Parallel()
			r := newBucketEnv(t)
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

func TestUpload_B49_OneErrorForAll(t *testing.T) {
	t.Parallel()
	for stage, fault := range map[Stage]mediatest.Fault{
		StageCreate:   {Operation: "CreateYikeAssetUpload", Status: 403, Code: "Forbidden"},
		StageSend:     {Operation: "UploadPart", Nth: 3, Status: 403, Code: "Forbidden"},
		StageComplete: {Operation: "CompleteMultipartUpload", Status: 403, Code: "Forbidden"},
		StageFinish:   {Operation: "RegisterYikeAssetMediaInfo", Status: 403, Code: "Forbidden"},
	} {
		r := newEnv(t, func(c *Config) { c.Parallel = 1 })
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
