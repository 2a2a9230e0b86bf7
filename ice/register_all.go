package ice

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/batch"
	"github.com/alimedia/alimedia-go/internal/rpc"
)

// RegisterMediaInfoResult is what [Client.RegisterMediaInfoAll] yields for one
// request.
type RegisterMediaInfoResult struct {
	Index             int // of the request in the sequence, from 0
	Request           RegisterMediaInfoRequest
	MediaId           string
	AlreadyRegistered bool   // MediaId is an asset that was registered before
	RequestId         string // of the response that decided
	Err               error  // nil if the file is registered
}

// RegisterMediaStreamResult is what [Client.RegisterMediaStreamAll] yields for one
// request.
type RegisterMediaStreamResult struct {
	Index     int // of the request in the sequence, from 0
	Request   RegisterMediaStreamRequest
	MediaId   string
	RequestId string // of the response that decided
	Err       error  // nil if the stream is registered
}

const (
	registering = 16 // calls at once
	// perSecond is a rate of our own: the reference has none for these operations.
	// It is the documented rate of RegisterMedia of ApsaraVideo VOD.
	perSecond = 50
	// settling is how long the service may not find what was registered. The service
	// takes 2 to 3 seconds.
	settling = 10 * time.Second
)

// RegisterMediaInfoAll registers any number of files that are in OSS already, one
// call for each. It returns a sequence that yields the result of each request when
// it is available, in any order. The calls start when you range over the sequence,
// and not before.
//
// Up to 16 calls run at once. If the client has no RateLimit, they are paced to 50
// per second; the reference has no rate for this operation. Throttled calls, and
// calls that failed because of the service or the network, are repeated for some
// minutes, with the same ClientToken.
//
// A file that is registered already keeps its MediaId, which is looked up with
// [Client.GetMediaInfo], unless Overwrite is set. So you can repeat the whole
// sequence at any time without Overwrite, also after an Err that matches
// [alimedia.ErrOutcomeUnknown]. If the response to a request is lost,
// AlreadyRegistered is decided by the creation time of the asset.
//
// Memory does not grow with the number of requests.
//
// If you leave the loop, all calls are canceled. If ctx ends, they are canceled,
// too, and each request that was read yields the error of ctx. One more request is
// read and yields that error, if there is one, so that an interrupted run does not
// look complete.
func (c *Client) RegisterMediaInfoAll(ctx context.Context, requests iter.Seq[RegisterMediaInfoRequest]) iter.Seq[RegisterMediaInfoResult] {
	return func(yield func(RegisterMediaInfoResult) bool) {
		paced, began := c.With(batch.Paced("RegisterMediaInfo", perSecond)), time.Now()
		work := func(ctx context.Context, group []batch.Item[RegisterMediaInfoRequest], emit func(RegisterMediaInfoResult)) {
			for _, item := range group {
				res := paced.registerInfo(ctx, item.In, began)
				res.Index, res.Request = item.Index, item.In
				emit(res)
			}
		}
		batch.Run(ctx, requests, batch.Plan[RegisterMediaInfoRequest]{Workers: registering, Size: 1}, work)(yield)
	}
}

func (c *Client) registerInfo(ctx context.Context, req RegisterMediaInfoRequest, began time.Time) (res RegisterMediaInfoResult) {
	req.ClientToken = cmp.Or(req.ClientToken, token()) // the same for all calls
	var lost rpc.Lost
	err := batch.Call(ctx, func() error {
		out, err := c.RegisterMediaInfo(rpc.WithLost(ctx, &lost), req)
		if err == nil {
			res.MediaId, res.RequestId = out.MediaId, out.RequestId
		}
		return err
	})
	switch {
	case err == nil:
		return res
	case alimedia.IsAlreadyExists(err) && req.InputURL != "":
		info, unknown := c.lookUp(ctx, req.InputURL)
		if unknown != nil {
			res.Err = fmt.Errorf("%w; looking it up: %w", err, unknown)
			return res
		}
		res.MediaId, res.RequestId = info.MediaInfo.MediaId, info.RequestId
		created, bad := alimedia.ParseTime(info.MediaInfo.MediaBasicInfo.CreateTime)
		ours := lost.Was && bad == nil && !created.Add(time.Second).Before(began.Add(lost.Ahead)) // CreateTime has whole seconds
		res.AlreadyRegistered = !ours
		return res
	}
	res.RequestId, res.Err = requestOf(err), certain(err, lost)
	return res
}

// lookUp finds the asset of a file, repeatedly while the service may not find it
// yet.
func (c *Client) lookUp(ctx context.Context, inputURL string) (*GetMediaInfoResponse, error) {
	until := time.Now().Add(settling)
	return alimedia.Poll(ctx, time.Second, func(ctx context.Context) (*GetMediaInfoResponse, bool, error) {
		info, err := c.GetMediaInfo(ctx, GetMediaInfoRequest{InputURL: inputURL})
		if alimedia.IsNotFound(err) && time.Now().Before(until) {
			return nil, false, nil
		}
		return info, err == nil, err
	})
}

// RegisterMediaStreamAll registers any number of files in OSS as streams of
// assets, one call for each. It works as [Client.RegisterMediaInfoAll], with these
// differences.
//
// The service does not recognize a repeated call. So after a lost response the
// stream is looked up in its asset with [Client.GetMediaInfo], and the call is
// repeated once if the stream does not appear in 10 seconds. If that is not clear
// either, Err matches [alimedia.ErrOutcomeUnknown]: look at the asset before you
// register the stream again. Requests for the same asset and file are two streams.
func (c *Client) RegisterMediaStreamAll(ctx context.Context, requests iter.Seq[RegisterMediaStreamRequest]) iter.Seq[RegisterMediaStreamResult] {
	return func(yield func(RegisterMediaStreamResult) bool) {
		paced := c.With(batch.Paced("RegisterMediaStream", perSecond))
		work := func(ctx context.Context, group []batch.Item[RegisterMediaStreamRequest], emit func(RegisterMediaStreamResult)) {
			for _, item := range group {
				res := paced.registerStream(ctx, item.In)
				res.Index, res.Request = item.Index, item.In
				emit(res)
			}
		}
		batch.Run(ctx, requests, batch.Plan[RegisterMediaStreamRequest]{Workers: registering, Size: 1}, work)(yield)
	}
}

func (c *Client) registerStream(ctx context.Context, req RegisterMediaStreamRequest) (res RegisterMediaStreamResult) {
	call := func() error { // up to the first lost response
		var lost error
		err := batch.Call(ctx, func() error {
			out, err := c.RegisterMediaStream(ctx, req)
			if errors.Is(err, alimedia.ErrOutcomeUnknown) {
				lost = err
				return nil
			}
			if err == nil {
				res.MediaId, res.RequestId = cmp.Or(out.MediaId, req.MediaId), out.RequestId
			}
			return err
		})
		return cmp.Or(err, lost)
	}
	err := call()
	for again := true; errors.Is(err, alimedia.ErrOutcomeUnknown) && ctx.Err() == nil; again = false {
		id, unclear := c.hasStream(ctx, req)
		switch {
		case unclear != nil:
			res.RequestId, res.Err = requestOf(err), fmt.Errorf("%w; looking it up: %w", err, unclear)
			return res
		case id != "":
			res.MediaId, res.RequestId = req.MediaId, id
			return res
		case !again:
			res.RequestId, res.Err = requestOf(err), err
			return res
		}
		first := err
		if err = call(); err != nil && !errors.Is(err, alimedia.ErrOutcomeUnknown) {
			err = fmt.Errorf("%w; the call before: %w", err, first)
			break
		}
	}
	res.RequestId, res.Err = cmp.Or(res.RequestId, requestOf(err)), err
	return res
}

// hasStream looks for a stream in its asset while the service may not have it yet.
// It returns the id of the request that found it.
func (c *Client) hasStream(ctx context.Context, req RegisterMediaStreamRequest) (requestId string, err error) {
	until := time.Now().Add(settling)
	return alimedia.Poll(ctx, time.Second, func(ctx context.Context) (string, bool, error) {
		info, err := c.GetMediaInfo(ctx, GetMediaInfoRequest{MediaId: req.MediaId})
		if err != nil {
			return "", false, err
		}
		for _, file := range info.MediaInfo.FileInfoList {
			if sameObject(file.FileBasicInfo.FileUrl, req.InputURL) {
				return info.RequestId, true, nil
			}
		}
		return "", !time.Now().Before(until), nil
	})
}

// sameObject reports whether two URLs are those of one object: with http or https
// or oss, signed or not.
func sameObject(a, b string) bool {
	x, y := objectOf(a), objectOf(b)
	return x != "" && x == y
}

func objectOf(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" {
		return ""
	}
	bucket, rest, _ := strings.Cut(strings.ToLower(u.Hostname()), ".")
	if u.Scheme != "oss" && !(strings.HasPrefix(rest, "oss-") && strings.HasSuffix(rest, ".aliyuncs.com")) {
		bucket = strings.ToLower(u.Host)
	}
	return bucket + u.Path
}

// certain adds that an earlier request may have had an effect.
func certain(err error, lost rpc.Lost) error {
	if lost.Was && !errors.Is(err, alimedia.ErrOutcomeUnknown) {
		return fmt.Errorf("%w; an earlier request: %w", err, alimedia.ErrOutcomeUnknown)
	}
	return err
}

func requestOf(err error) string {
	var e *alimedia.Error
	if errors.As(err, &e) {
		return e.RequestId
	}
	return ""
}

// token is a ClientToken.
func token() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
