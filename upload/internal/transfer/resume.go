package transfer

import (
	"context"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go"
)

// partsLife is how long a service keeps the parts of an upload that is not
// completed.
const partsLife = 7 * 24 * time.Hour

// resume continues what an earlier run has begun. stored tells that the object
// is complete.
func (r *run) resume(ctx context.Context) (done Info, stored bool, err error) {
	was, ok := r.checkpoint.Load()
	if !ok {
		return Info{}, false, nil
	}
	// The process may have ended before the upload ID arrived.
	if was.LostIDs || was.UploadID == "" && was.Sending && !r.plan.single {
		r.lostIDs, r.began = true, was.Created
	}
	if was.UploadID == "" {
		return r.exists(ctx, was, nil)
	}
	parts := was.Parts
	r.uploadID = was.UploadID
	listed, err := r.listParts(ctx, r.uploadID)
	switch {
	case IsLost(err):
		if done, stored, err = r.exists(ctx, was, parts); stored || err != nil {
			return done, stored, err
		}
		r.Logger.WarnContext(ctx, "upload: OSS no longer has the parts, sending them again", "upload_id", r.uploadID)
		return r.restart()
	case alimedia.IsAccessDenied(err):
		r.unlisted = true // what was recorded has to do
	case err != nil:
		return Info{}, false, err
	default:
		parts = reconcile(parts, listed)
	}
	if time.Since(was.Initiated) > partsLife {
		if done, stored, err = r.exists(ctx, was, parts); stored || err != nil {
			return done, stored, err
		}
		r.Logger.WarnContext(ctx, "upload: the parts are too old, sending them again", "upload_id", r.uploadID)
		r.abortUpload(ctx)
		return r.restart()
	}
	r.kept = make(map[int]Part, len(parts))
	for _, p := range parts {
		r.kept[p.Number] = p
	}
	return Info{}, false, r.checkpoint.Replace(parts)
}

// restart forgets the parts.
func (r *run) restart() (Info, bool, error) {
	r.uploadID = ""
	return Info{}, false, r.checkpoint.Restart()
}

// reconcile returns the parts that the service has as they were recorded.
func reconcile(parts, listed []Part) []Part {
	there := make(map[int]Part, len(listed))
	for _, p := range listed {
		there[p.Number] = p
	}
	var same []Part
	for _, p := range parts {
		if q, ok := there[p.Number]; ok && q.Size == p.Size && SameETag(q.ETag, p.ETag) {
			same = append(same, p)
		}
	}
	return same
}

// SameETag compares two ETags. Quotation marks and letter case do not count.
func SameETag(a, b string) bool {
	return strings.EqualFold(strings.Trim(a, `" `), strings.Trim(b, `" `))
}

// exists reports whether the object is stored with the bytes that the source
// has now. parts are what an earlier run has recorded. A stream, which cannot
// be read for it, is compared with these.
func (r *run) exists(ctx context.Context, was State, parts []Part) (Info, bool, error) {
	recorded := totals(parts)
	size, isStream := r.plan.size, r.source.ReaderAt == nil
	if isStream {
		if !was.Completing {
			return Info{}, false, nil
		}
		size = recorded.Size
	}
	found, err := r.head(ctx)
	switch {
	case isMissing(err):
		return Info{}, false, nil
	case alimedia.IsAccessDenied(err):
		if r.Exists == nil {
			return Info{}, false, nil
		}
		if exists, err := r.Exists(ctx); err != nil || !exists {
			return Info{}, false, err
		}
		found = recorded // the asset has what an earlier run has sent
	case err != nil:
		return Info{}, false, err
	}
	if found.Size != size || !found.HasCRC64 {
		return Info{}, false, nil
	}
	crc := recorded.CRC64
	if !isStream && !(r.source.Unchanged && recorded.Size == size) {
		if crc, err = r.source.checksumAll(ctx); err != nil {
			return Info{}, false, err
		}
	}
	if crc != found.CRC64 {
		return Info{}, false, nil
	}
	r.observer.Resumed(size)
	return Info{ETag: found.ETag, Size: size, CRC64: crc}, true, nil
}
