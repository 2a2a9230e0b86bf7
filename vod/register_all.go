package vod

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/batch"
	"github.com/alimedia/alimedia-go/internal/rpc"
)

// RegisterMediaResult is what [Client.RegisterMediaAll] yields for one file.
type RegisterMediaResult struct {
	Index             int // of the file in the sequence, from 0
	File              RegisterMetadata
	MediaId           string
	AlreadyRegistered bool   // MediaId is an asset that was registered before
	RequestId         string // of the response that decided
	Err               error  // nil if the file is registered
}

const (
	filesOfRequest = 10 // RegisterMetadatas of one request
	registering    = 16 // requests at once: what the documented rate needs at a latency of 0.3 s
)

// RegisterMediaAll registers any number of files that are in OSS already. It
// returns a sequence that yields the result of each file when it is available, in
// any order. The calls start when you range over the sequence, and not before.
//
// req has the settings of all files: TemplateGroupId, WorkflowId, UserData and so
// on, without RegisterMetadatas. Files are registered in groups of ten of the same
// storage location, up to 16 groups at once. A group that is not complete is sent
// after one second without other work. Title is the name of the file if empty.
//
// If the client has no RateLimit, the calls are paced by [DocumentedRates].
// Throttled calls, and calls that failed because of the service or the network,
// are repeated for some minutes.
//
// A file that the service does not register has an [alimedia.Error] with code
// FailedFileURLs: the service does not say why. The usual reasons are that the
// object does not exist and that the bucket is not added to ApsaraVideo VOD. If
// the service rejects a whole request, it is split until each file has a result of
// its own. A file that is registered keeps its MediaId. So you can repeat the
// whole sequence at any time, also after an Err that matches
// [alimedia.ErrOutcomeUnknown]. If the response to a request is lost,
// AlreadyRegistered is decided by the creation time of the asset.
//
// Memory does not grow with the number of files: at most about 1,200 are kept. If
// the same FileURL occurs again, the later file is AlreadyRegistered.
//
// If you leave the loop, all calls are canceled. If ctx ends, they are canceled,
// too, and each file that was read yields the error of ctx. One more file is read
// and yields that error, if there is one, so that an interrupted run does not look
// complete.
func (c *Client) RegisterMediaAll(ctx context.Context, req RegisterMediaRequest, files iter.Seq[RegisterMetadata]) iter.Seq[RegisterMediaResult] {
	return func(yield func(RegisterMediaResult) bool) {
		r := &registrar{client: c.With(batch.Paced("RegisterMedia", DocumentedRates()["RegisterMedia"])), req: req, began: time.Now()}
		plan := batch.Plan[RegisterMetadata]{Workers: registering, Size: filesOfRequest, Place: placeOf}
		batch.Run(ctx, files, plan, r.group)(yield)
	}
}

// placeOf is the storage location of a file: its bucket, or the host that stands
// for one.
func placeOf(file RegisterMetadata) string {
	fileURL := fileURLOf(file)
	u, err := url.Parse(fileURL)
	if err != nil {
		return ""
	}
	return cmp.Or(bucketOf(fileURL), "//"+strings.ToLower(u.Host))
}

// fileURLOf is the FileURL that is sent.
func fileURLOf(file RegisterMetadata) string {
	var raw struct{ FileURL string }
	if file.Raw != "" && file.Raw.Decode(&raw) == nil {
		return raw.FileURL
	}
	return file.FileURL
}

type registrar struct {
	client *Client
	req    RegisterMediaRequest
	began  time.Time
}

type registerItem = batch.Item[RegisterMetadata]

// group registers up to ten files. A file that is there twice is sent once.
func (r *registrar) group(ctx context.Context, files []registerItem, emit func(RegisterMediaResult)) {
	first, again := make([]registerItem, 0, len(files)), map[string][]registerItem{}
	seen := map[string]bool{}
	for _, f := range files {
		fileURL := fileURLOf(f.In)
		if fileURL != "" && seen[fileURL] {
			again[fileURL] = append(again[fileURL], f)
			continue
		}
		seen[fileURL] = true
		first = append(first, f)
	}
	r.send(ctx, first, rpc.Lost{}, func(res RegisterMediaResult) {
		emit(res)
		for _, f := range again[fileURLOf(res.File)] {
			twin := res
			twin.Index, twin.File, twin.AlreadyRegistered = f.Index, f.In, res.Err == nil
			emit(twin)
		}
	})
}

// send registers files by one request, or by several if that one is rejected.
func (r *registrar) send(ctx context.Context, files []registerItem, lost rpc.Lost, emit func(RegisterMediaResult)) {
	req := r.req
	req.RegisterMetadatas = make([]RegisterMetadata, len(files))
	for i, f := range files {
		req.RegisterMetadatas[i] = titled(f.In)
	}
	var out *RegisterMediaResponse
	err := batch.Call(ctx, func() (err error) {
		out, err = r.client.RegisterMedia(rpc.WithLost(ctx, &lost), req)
		return err
	})
	switch {
	case err == nil:
		r.read(ctx, files, out, lost, emit)
	case len(files) > 1 && ofOneFile(err):
		half := len(files) / 2
		r.send(ctx, files[:half], lost, emit)
		r.send(ctx, files[half:], lost, emit)
	default:
		if lost.Was && !errors.Is(err, alimedia.ErrOutcomeUnknown) {
			err = fmt.Errorf("%w; an earlier request: %w", err, alimedia.ErrOutcomeUnknown)
		}
		for _, f := range files {
			emit(RegisterMediaResult{Index: f.Index, File: f.In, RequestId: requestOf(err), Err: err})
		}
	}
}

// titled gives a file the title that the service asks for.
func titled(file RegisterMetadata) RegisterMetadata {
	if file.Title != "" || file.Raw != "" {
		return file
	}
	u, err := url.Parse(file.FileURL)
	if err != nil {
		return file
	}
	name := strings.ToValidUTF8(u.Path[strings.LastIndex(u.Path, "/")+1:], "")
	for len(name) > 128 { // bytes, without a part of a character
		name = strings.ToValidUTF8(name[:128], "")
	}
	file.Title = name
	return file
}

// ofOneFile reports whether an error may be that of one file in the request.
// Others are the same for each file.
func ofOneFile(err error) bool {
	var invalid *alimedia.ValidationError
	if errors.As(err, &invalid) {
		return true
	}
	var e *alimedia.Error
	return errors.As(err, &e) && e.StatusCode/100 == 4 && !e.Retryable() && !alimedia.IsAccessDenied(err) &&
		!slices.ContainsFunc(ofCaller, func(code string) bool { return alimedia.HasCode(err, code) })
}

// ofCaller are codes about who calls and how.
var ofCaller = strings.Fields("InvalidAccessKeyId InvalidSecurityToken SecurityTokenExpired SignatureDoesNotMatch IncompleteSignature " +
	"InvalidTimeStamp SignatureNonceUsed InvalidAction InvalidVersion InvalidApi InvalidProduct InvalidUser MissingAccessKeyId")

func requestOf(err error) string {
	var e *alimedia.Error
	if errors.As(err, &e) {
		return e.RequestId
	}
	return ""
}

// read tells the files apart that a response is about. A file that it does not
// name is sent once more, alone.
func (r *registrar) read(ctx context.Context, files []registerItem, out *RegisterMediaResponse, lost rpc.Lost, emit func(RegisterMediaResult)) {
	registered, failed := map[string]RegisteredMedia{}, map[string]bool{}
	for _, m := range out.RegisteredMediaList {
		if m.MediaId != "" {
			registered[sameFile(m.FileURL)] = m
		}
	}
	for _, u := range out.FailedFileURLs {
		failed[sameFile(u)] = true
	}
	for _, f := range files {
		res := RegisterMediaResult{Index: f.Index, File: f.In, RequestId: out.RequestId}
		m, ok := registered[sameFile(fileURLOf(f.In))]
		if !ok && len(files) == 1 && len(out.RegisteredMediaList) == 1 { // only written in another way
			m, ok = out.RegisteredMediaList[0], out.RegisteredMediaList[0].MediaId != ""
		}
		switch {
		case ok:
			res.MediaId, res.AlreadyRegistered = m.MediaId, !m.NewRegister && !(lost.Was && r.isOurs(ctx, m.MediaId, lost.Ahead))
		case failed[sameFile(fileURLOf(f.In))] || len(files) == 1 && len(out.FailedFileURLs) == 1:
			res.Err = &alimedia.Error{
				Product: "vod", Action: "RegisterMedia", Code: "FailedFileURLs", RequestId: out.RequestId, StatusCode: http.StatusOK,
				Message: "the file was not registered: does the object exist, and is its bucket added to ApsaraVideo VOD, in this region?",
			}
		case len(files) > 1:
			lost.Was = true // it may be registered
			r.send(ctx, []registerItem{f}, lost, emit)
			continue
		default:
			res.Err = &alimedia.Error{
				Product: "vod", Action: "RegisterMedia", RequestId: out.RequestId, StatusCode: http.StatusOK,
				Message: "the response does not name the file",
			}
		}
		emit(res)
	}
}

// isOurs reports whether an asset was created since this run began, by the clock of
// the service.
func (r *registrar) isOurs(ctx context.Context, mediaId string, ahead time.Duration) bool {
	info, err := r.client.GetVideoInfo(ctx, GetVideoInfoRequest{VideoId: mediaId})
	if err != nil {
		return false
	}
	created, err := alimedia.ParseTime(info.Video.CreationTime)
	return err == nil && !created.Add(time.Second).Before(r.began.Add(ahead)) // CreationTime has whole seconds
}

// sameFile is equal for the ways to write the URL of a file.
func sameFile(fileURL string) string {
	u, err := url.Parse(fileURL)
	if err != nil {
		return fileURL
	}
	return strings.ToLower(u.Host) + u.Path
}
