package cli

import (
	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/progress"
	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/screen"
	"github.com/alimedia/alimedia-go/upload"
)

// uploadedJSON is what --json prints of a file.
type uploadedJSON struct {
	Event             string       `json:"event"` // uploaded or failed
	Name              string       `json:"name"`
	MediaId           string       `json:"mediaId,omitempty"`
	FileURL           string       `json:"fileUrl,omitempty"`
	MediaURL          string       `json:"mediaUrl,omitempty"`
	Bucket            string       `json:"bucket,omitempty"`
	Key               string       `json:"key,omitempty"`
	ETag              string       `json:"etag,omitempty"`
	CRC64             uint64       `json:"crc64,omitempty,string"`
	Size              int64        `json:"size"`
	Status            string       `json:"status,omitempty"`
	RequestId         string       `json:"requestId,omitempty"`
	AlreadyUploaded   bool         `json:"alreadyUploaded,omitempty"`
	AlreadyRegistered bool         `json:"alreadyRegistered,omitempty"`
	Error             *failureJSON `json:"error,omitempty"`
}

func (r *uploadRun) resultJSON(it uploadItem, result *upload.Result, err error) uploadedJSON {
	if err != nil {
		failed := r.errorJSON("", err)
		return uploadedJSON{Event: "failed", Name: it.label, MediaId: failed.MediaId, Size: max(it.size, 0), Error: &failed}
	}
	return uploadedJSON{
		Event: "uploaded", Name: it.label, MediaId: result.MediaId, FileURL: result.FileURL, MediaURL: result.MediaURL,
		Bucket: result.Bucket, Key: result.Key, ETag: result.ETag, CRC64: result.CRC64, Size: result.Size, Status: result.Status,
		RequestId: result.RequestId, AlreadyUploaded: result.AlreadyUploaded, AlreadyRegistered: result.AlreadyRegistered,
	}
}

// progressJSON prints the progress as events between the results.
type progressJSON struct {
	progress.Display
	run *uploadRun
}

type progressEvent struct {
	Event   string  `json:"event"` // progress
	Name    string  `json:"name"`
	Stage   string  `json:"stage"`
	MediaId string  `json:"mediaId,omitempty"`
	Sent    int64   `json:"sent"`
	Resumed int64   `json:"resumed,omitempty"`
	Total   int64   `json:"total"` // -1: not known
	Rate    int64   `json:"rate"`  // bytes per second
	ETA     float64 `json:"eta"`   // seconds, 0: not known
}

// Update prints one event. It goes through Finish of the display, which keeps
// lines apart.
func (d *progressJSON) Update(i int, p upload.Progress) {
	var b lineBuffer
	_ = writeJSON(&b, progressEvent{
		Event: "progress", Name: d.run.items[i].label, Stage: string(p.Stage), MediaId: p.MediaId,
		Sent: p.Sent, Resumed: p.Resumed, Total: p.Total, Rate: int64(p.Rate), ETA: p.ETA.Seconds(),
	})
	d.Finish(i, false, string(b))
}

type lineBuffer []byte

func (b *lineBuffer) Write(p []byte) (int, error) { *b = append(*b, p...); return len(p), nil }

// plannedJSON is what --dry-run prints of a file with --json.
type plannedJSON struct {
	Event  string       `json:"event"` // planned or failed
	Name   string       `json:"name"`
	Size   int64        `json:"size"` // -1: not known
	Target string       `json:"target"`
	Title  string       `json:"title,omitempty"`
	Object string       `json:"object,omitempty"`
	Error  *failureJSON `json:"error,omitempty"`
}

// plan prints what would be uploaded.
func (a *app) plan(f *uploadFlags, to *uploadTarget, items []uploadItem) error {
	table := &screen.Table{Headings: []string{"FILE", "SIZE", "TARGET", "TITLE OR OBJECT"}, Flexible: []int{0, 3}}
	var total int64
	failed := 0
	var first error
	for _, it := range items {
		p := plannedJSON{Event: "planned", Name: it.label, Size: it.size, Target: to.kind, Title: f.expand(f.title, it)}
		if b, ok := f.targetOf(to, it).(upload.Bucket); ok {
			p.Object = "oss://" + b.Name + "/" + b.Key
			if b.Key == "" || b.Key[len(b.Key)-1] == '/' {
				p.Object += it.file
			}
		}
		if it.err != nil {
			failure := a.errorJSON("", it.err)
			p.Event, p.Error, failed = "failed", &failure, failed+1
			if first == nil {
				first = it.err
			}
		}
		total += max(it.size, 0)
		switch {
		case a.flags.json:
			if err := a.emit(p); err != nil {
				return err
			}
		case it.err != nil:
			a.complain(it.label, it.err)
		default:
			where := p.Title
			if p.Object != "" {
				where = p.Object
			}
			table.Row(it.label, sizeText(it.size), to.kind, where)
		}
	}
	if !a.flags.json && len(table.Rows) > 0 {
		if err := a.table(table); err != nil {
			return err
		}
	}
	a.notef("dry run: %s, %s; nothing was sent", count(len(items)-failed, "file"), screen.Bytes(total))
	if failed > 0 {
		return partly(failed, len(items), first)
	}
	return nil
}
