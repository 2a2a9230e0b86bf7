package cli

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/library"
	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/screen"
)

// waiting is one run of wait.
type waiting struct {
	*app
	service, job string
}

func newWaitCommand(a *app) *cobra.Command {
	w := &waiting{app: a}
	cmd := &cobra.Command{
		Use:   "wait ID...",
		Short: "Wait until assets or jobs have ended",
		Long: `wait asks for the status of each asset until it is Normal or has failed, and
prints a line for each when that is known. With - it reads IDs from standard
input, one a line. Use --timeout to limit the time: a video that no template
and no workflow works on stays in UploadSucc.

An ID that no library has may be that of a job: then wait tries uploads by URL
and transcoding. --job names the kind of the jobs:
` + columns(library.Jobs()) + `

Exit code: 0 if all are ready, 1 if all failed, 3 if some failed, 4 if nothing
has this ID, 7 if the time of --timeout is over.`,
		Example: `  alimedia wait --timeout 10m 93ab850b4f6f46e91d24d81d4a5b5c5d
  alimedia wait --job vod:transcode-task 7c0e6d2ca9a84ba2ab4d2fa6b8d6f9b1`,
		ValidArgsFunction: noFiles,
		RunE:              func(_ *cobra.Command, args []string) error { return w.run(args) },
	}
	cmd.Flags().StringVar(&w.job, "job", "", "the IDs are jobs of this kind")
	completeValues(cmd, "job", library.Jobs())
	a.serviceFlag(cmd, &w.service)
	return cmd
}

// waited is how the wait for one id ended.
type waited struct {
	Id      string `json:"id"`
	Service string `json:"service,omitempty"`
	Kind    string `json:"kind,omitempty"` // asset type, or kind of job
	Title   string `json:"title,omitempty"`
	Status  string `json:"status,omitempty"`
	Ready   bool   `json:"ready"`
}

const waitingAtOnce = 16

func (w *waiting) run(args []string) error {
	if err := checkService(w.service); err != nil {
		return err
	}
	if w.job != "" && !slices.Contains(library.Jobs(), w.job) {
		return usagef("--job %.60q is not one of %s", w.job, strings.Join(library.Jobs(), ", "))
	}
	ids, err := w.idsOf(args, "ID")
	if err != nil {
		return err
	}
	l, err := w.libraryOf(w.service)
	if err != nil {
		return err
	}
	var (
		mu     sync.Mutex
		wg     sync.WaitGroup
		places = make(chan struct{}, waitingAtOnce)
		failed int
		last   error
	)
	for _, id := range ids {
		wg.Add(1)
		go func() {
			defer wg.Done()
			places <- struct{}{}
			defer func() { <-places }()
			out, err := w.wait(w.ctx, l, id)
			mu.Lock()
			defer mu.Unlock()
			if told := w.tell(out, err); err == nil {
				err = told
			}
			if err != nil {
				failed, last = failed+1, err
			}
		}()
	}
	wg.Wait()
	switch {
	case failed == 0:
		return nil
	case w.ctx.Err() != nil:
		return &failure{code: exitCode(context.Cause(w.ctx)), err: last, silent: true}
	}
	return partly(failed, len(ids), last)
}

// wait waits for an asset, or for a job.
func (w *waiting) wait(ctx context.Context, l library.Library, id string) (waited, error) {
	out := waited{Id: id, Kind: w.job}
	if w.job != "" {
		var err error
		out.Service, _, _ = strings.Cut(w.job, ":")
		out.Status, err = l.WaitJob(ctx, w.job, id)
		return out, err
	}
	found := l.Get(ctx, []string{id})[0]
	switch {
	case found.Err == nil:
	case !errors.Is(found.Err, library.ErrNotFound):
		return out, found.Err
	default:
		kind, status, err := l.WaitAnyJob(ctx, id)
		if errors.Is(err, library.ErrNotFound) {
			return out, notFoundf("no asset and no job with this ID was found; --job names other kinds of jobs")
		}
		out.Kind, out.Status = kind, status
		out.Service, _, _ = strings.Cut(kind, ":")
		return out, err
	}
	asset := found.Asset
	out.Service, out.Kind, out.Title, out.Status = asset.Service, asset.Type, asset.Title, asset.Status
	if asset.Ready() {
		return out, nil
	}
	if asset.Service == "vod" && asset.Status == "UploadSucc" {
		w.notef("%s has the status UploadSucc, and keeps it if no template group and no workflow works on it", id)
	}
	status, err := l.WaitAsset(ctx, asset)
	if status != "" {
		out.Status = status
	}
	return out, err
}

// tell prints how the wait for one id ended.
func (w *waiting) tell(out waited, err error) error {
	out.Ready = err == nil
	if w.flags.json {
		if e := w.emit(out); e != nil {
			return e
		}
		if err != nil {
			w.complain(out.Id, err)
		}
		return nil
	}
	if err == nil {
		text := out.Id + "  " + w.term.Paint(w.term.Out, screen.Green, screen.Clean(out.Status))
		if out.Title != "" {
			text += "  " + screen.Clean(out.Title)
		}
		_, e := w.out.Write([]byte(text + "\n"))
		return e
	}
	var ended *alimedia.JobError
	if !errors.As(err, &ended) && w.ctx.Err() != nil {
		err = errors.New("still " + orUnknown(out.Status) + ": " + context.Cause(w.ctx).Error())
	}
	w.complain(out.Id, err)
	return nil
}

func orUnknown(status string) string {
	if status == "" {
		return "unknown"
	}
	return status
}
