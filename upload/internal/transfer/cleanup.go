package transfer

import (
	"context"
	"errors"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/retry"
)

const (
	cleanupTimeout = 10 * time.Second       // bounds the removal of parts after a failure that is not the end of the context
	settleTime     = 250 * time.Millisecond // for what was sent before a request was cut off
)

// cleanUp leaves the parts to a later run, or removes them if no run could use
// them.
func (r *run) cleanUp(ctx context.Context, err error) {
	if r.checkpoint.Durable() && !isUseless(err) {
		return
	}
	if c, ok := r.Credentials.(*RefreshingCredential); ok && errors.Is(err, ErrAddressChanged) {
		r.Credentials = current{c} // the parts are at the address of the old credential
	}
	r.abortUpload(ctx)
	_ = r.checkpoint.Restart() // the error is that of the transfer
}

// abortUpload removes the parts. An abort does not catch a part that the service
// is still receiving, so it is repeated while the service knows the upload. Its
// own failure is only logged: OSS removes forgotten parts after a week if the
// bucket has that rule. After ctx has ended it has what is left of cleanupGrace.
func (r *run) abortUpload(ctx context.Context) {
	late, cancel := context.WithTimeout(r.late, cleanupTimeout)
	defer cancel()
	for range 3 {
		if err := r.abort(late, r.uploadID); err != nil {
			if !IsLost(err) {
				r.Logger.WarnContext(ctx, "upload: parts not removed", "upload_id", r.uploadID, "error", shown(err))
			}
			return
		}
		if retry.Sleep(late, settleTime) != nil {
			return
		}
		_, err := call(late, r.client, "ListParts", func(ctx context.Context, o Object) (struct{}, error) {
			_, _, err := o.ListParts(ctx, r.uploadID, 0)
			return struct{}{}, err
		})
		if err != nil {
			return
		}
	}
}

// removeLostUploads aborts the multipart uploads of this object whose IDs never
// arrived. The credentials may not allow it. In an own bucket others may upload
// to the same key: there only uploads without parts are removed.
//
// useless tells that no part of the object is of use any more.
func (r *run) removeLostUploads(useless bool) {
	ctx, cancel := context.WithTimeout(r.late, cleanupTimeout)
	defer cancel()
	all, err := call(ctx, r.client, "ListMultipartUploads", func(ctx context.Context, o Object) ([]OpenUpload, error) { return o.ListUploads(ctx) })
	if alimedia.IsAccessDenied(err) && useless && r.RemoveUploads != nil {
		err = r.RemoveUploads(ctx)
	}
	_, exclusive := r.Credentials.(*RefreshingCredential)
	const tolerance = 2 * time.Second // both times are in whole seconds
	for _, u := range all {
		if u.UploadID == r.uploadID || u.Age > time.Since(r.began)+tolerance {
			continue
		}
		if !exclusive {
			parts, err := r.listParts(ctx, u.UploadID)
			if err != nil || len(parts) > 0 {
				continue
			}
		}
		if failed := r.abort(ctx, u.UploadID); failed != nil && !IsLost(failed) {
			err = failed
		}
	}
	if err != nil {
		r.Logger.DebugContext(ctx, "upload: a multipart upload may not have been removed", "error", shown(err))
	}
}
