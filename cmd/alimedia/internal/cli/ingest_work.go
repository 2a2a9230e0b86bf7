package cli

import (
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/alimedia/alimedia-go/ingest"
	"github.com/alimedia/alimedia-go/upload"
)

// workFlags are the flags of ingest work.
type workFlags struct {
	roots, buckets []string
	uploads, calls int
	attempts       int
	drain, idle    time.Duration
	limitRate      byteSize
	iceRate        float64
	allowPrivate   bool
}

func newIngestWorkCommand(a *app, f *ingestFlags) *cobra.Command {
	w := &workFlags{}
	cmd := &cobra.Command{
		Use:   "work",
		Short: "Do jobs of the queue",
		Long: `work takes jobs from the queue and does them until it is interrupted. It reads files below
the folders of --root only, and uses the buckets of --bucket only.

If the folder has another path on this machine than where it was submitted, say both:
  alimedia ingest work --root /data/movies=/mnt/movies

All workers of a fleet share the documented rates of ApsaraVideo VOD.`,
		Example: `  alimedia ingest work --root /data/movies --uploads 8
  alimedia ingest work --bucket my-bucket --calls 8`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.ingestWork(f, w) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringArrayVar(&w.roots, "root", nil, "folder that jobs may read, or SUBMITTED=LOCAL; repeat it for several")
	flags.StringArrayVar(&w.buckets, "bucket", nil, "bucket whose objects jobs may read and register, '*' for all; repeat it for several")
	flags.IntVar(&w.uploads, "uploads", 4, "uploads at the same time")
	flags.IntVar(&w.calls, "calls", 4, "calls that register at the same time")
	flags.IntVar(&w.attempts, "attempts", 5, "failures after which a job is dead")
	flags.DurationVar(&w.drain, "drain", 30*time.Second, "time for running jobs after the first Ctrl-C or SIGTERM")
	flags.DurationVar(&w.idle, "idle", 0, "end when there has been no job for this time (0: never)")
	flags.Var(&w.limitRate, "limit-rate", "bytes per second of this worker, such as 500k or 20M (default: no limit)")
	flags.Float64Var(&w.iceRate, "ice-rate", 0, "calls per second of each operation of ICE, for all workers (0: no limit)")
	flags.BoolVar(&w.allowPrivate, "allow-private", false, "fetch URLs of private addresses too")
	flags.BoolVar(&f.serve, "serve", false, "run the server of the queue in this process, too")
	f.serverFlags(cmd)
	_ = cmd.MarkFlagDirname("root")
	return cmd
}

func (a *app) ingestWork(f *ingestFlags, w *workFlags) error {
	cfg := ingest.WorkerConfig{
		Buckets: w.buckets, Uploads: w.uploads, Calls: w.calls, Attempts: w.attempts, Drain: w.drain, Idle: w.idle,
	}
	for _, root := range w.roots {
		name, dir, ok := strings.Cut(root, "=")
		if !ok {
			abs, err := filepath.Abs(root)
			if err != nil {
				return err
			}
			name, dir = abs, abs
		}
		cfg.Roots = append(cfg.Roots, ingest.Root{Name: name, Dir: dir})
	}
	if w.allowPrivate {
		cfg.URLOptions = append(cfg.URLOptions, upload.AllowPrivate())
	}
	if w.iceRate > 0 {
		cfg.ICERates = make(map[string]float64)
		for _, operation := range []string{"CreateUploadMedia", "CreateUploadStream", "RefreshUploadMedia", "GetMediaInfo", "RegisterMediaInfo", "RegisterMediaStream",
			"CreateYikeAssetUpload", "RegisterYikeAssetMediaInfo", "GetYikeAssetMediaInfo", "ListMediaBasicInfos"} {
			cfg.ICERates[operation] = w.iceRate
		}
	}
	up, err := a.uploadConfig()
	if err != nil {
		return err
	}
	cfg.Upload = up
	cfg.Upload.Bandwidth = int64(w.limitRate)
	if f.serve {
		if err := a.startServer(f); err != nil {
			return err
		}
	}
	fleet, err := a.fleet(a.ctx, f)
	if err != nil {
		return err
	}
	a.notef("working in fleet %s; Ctrl-C lets running jobs finish", f.name)
	err = fleet.Work(a.ctx, cfg)
	if err == nil && a.ctx.Err() != nil {
		a.notef("no job is in the hands of this worker any more")
		a.interrupts.tell()
		return a.ctx.Err()
	}
	return err
}
