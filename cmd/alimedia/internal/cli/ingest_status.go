package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/screen"
	"github.com/alimedia/alimedia-go/ingest"
)

func newIngestStatusCommand(a *app, f *ingestFlags) *cobra.Command {
	var watch time.Duration
	var untilEmpty bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show how far the fleet is",
		Long: `status shows the jobs that wait, are worked on and are finished, and the workers. With
--watch it does so again and again, with --until-empty it ends when the queue is empty.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			fleet, err := a.fleet(a.ctx, f)
			if err != nil {
				return err
			}
			for {
				s, err := fleet.Status(a.ctx)
				if err != nil {
					return err
				}
				if err := a.showStatus(s); err != nil {
					return err
				}
				if untilEmpty && s.Waiting+s.Running == 0 || watch <= 0 && !untilEmpty {
					return nil
				}
				select {
				case <-time.After(max(watch, time.Second)):
				case <-a.ctx.Done():
					return a.ctx.Err()
				}
			}
		},
	}
	cmd.Flags().DurationVar(&watch, "watch", 0, "show it again after this time, such as 5s")
	cmd.Flags().BoolVar(&untilEmpty, "until-empty", false, "end when the queue is empty")
	return cmd
}

func (a *app) showStatus(s ingest.Status) error {
	if a.flags.json {
		return a.emit(s)
	}
	line := fmt.Sprintf("%s: %d waiting, %d running, %d finished, %d dead", s.Name, s.Waiting, s.Running, s.Finished, s.Dead)
	if s.PerHour > 0 {
		line += fmt.Sprintf("; %.0f jobs an hour", s.PerHour)
	}
	if s.PerSec > 0 {
		line += fmt.Sprintf(", %.1f MB/s", s.PerSec/1e6)
	}
	if s.ETA > 0 {
		line += ", ETA " + s.ETA.String()
	}
	a.printf("%s", line)
	if len(s.Workers) == 0 {
		return nil
	}
	t := &screen.Table{Headings: []string{"WORKER", "RUNNING", "DONE", "FAILED", "DEAD", "JOBS/H", "SINCE"}}
	for _, w := range s.Workers {
		running := fmt.Sprint(w.Running)
		if w.Draining {
			running += " (stops)"
		}
		t.Row(w.Id, running, fmt.Sprint(w.Done), fmt.Sprint(w.Failed), fmt.Sprint(w.Dead), fmt.Sprintf("%.0f", w.PerHour), w.Began.Local().Format(time.DateTime))
	}
	return a.table(t)
}

func newIngestReportCommand(a *app, f *ingestFlags) *cobra.Command {
	var summaryOnly bool
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Print the result of each job as a line of JSON, and a summary",
		Long: `report prints one line of JSON for each job that a worker has taken: key, state, MediaId,
and the last failure. The summary with the failures by cause goes to standard error. With
--summary it is all, on standard output.`,
		Example: `  alimedia ingest report > results.jsonl`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			fleet, err := a.fleet(a.ctx, f)
			if err != nil {
				return err
			}
			if summaryOnly {
				s, err := fleet.Report(a.ctx, nil)
				if err != nil {
					return err
				}
				if a.flags.json {
					return a.emit(s)
				}
				for line := range strings.Lines(s.String()) {
					a.printf("%s", strings.TrimSuffix(line, "\n"))
				}
				return nil
			}
			s, err := fleet.Report(a.ctx, a.out)
			if err != nil {
				return err
			}
			for line := range strings.Lines(s.String()) {
				a.notef("%s", strings.TrimSuffix(line, "\n"))
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&summaryOnly, "summary", false, "print the summary only")
	return cmd
}

func newIngestDeadCommand(a *app, f *ingestFlags) *cobra.Command {
	var codes []string
	cmd := &cobra.Command{
		Use:   "dead",
		Short: "List the jobs that cannot be done, with the reason",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			fleet, err := a.fleet(a.ctx, f)
			if err != nil {
				return err
			}
			t := &screen.Table{Headings: []string{"KEY", "CODE", "ATTEMPTS", "REASON"}, Flexible: []int{3, 0}}
			for letter, err := range fleet.Dead(a.ctx) {
				if err != nil {
					return err
				}
				if len(codes) > 0 && !slices.Contains(codes, letter.Error.Code) {
					continue
				}
				if a.flags.json {
					if err := a.emit(letter); err != nil {
						return err
					}
					continue
				}
				key := "(not a job)"
				if letter.Job != nil {
					key = letter.Job.Key
				}
				t.Row(key, letter.Error.Code, fmt.Sprint(letter.Failures), letter.Error.Message)
			}
			if a.flags.json {
				return nil
			}
			if len(t.Rows) == 0 {
				a.notef("no job is dead")
				return nil
			}
			return a.table(t)
		},
	}
	cmd.Flags().StringSliceVar(&codes, "code", nil, "only those with one of these codes")
	return cmd
}

// letterFlags choose dead letters.
type letterFlags struct {
	codes []string
	all   bool
	yes   bool
}

func (l *letterFlags) define(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&l.codes, "code", nil, "those with one of these codes")
	cmd.Flags().BoolVar(&l.all, "all", false, "all of them")
}

func (l *letterFlags) choose(keys []string) (func(ingest.DeadLetter) bool, error) {
	if len(keys) == 0 && len(l.codes) == 0 && !l.all {
		return nil, usagef("say which: keys, --code or --all")
	}
	return func(d ingest.DeadLetter) bool {
		return l.all || slices.Contains(l.codes, d.Error.Code) || d.Job != nil && slices.Contains(keys, d.Job.Key)
	}, nil
}

func newIngestRequeueCommand(a *app, f *ingestFlags) *cobra.Command {
	l := &letterFlags{}
	cmd := &cobra.Command{
		Use:     "requeue [KEY...]",
		Short:   "Put dead jobs back into the queue",
		Example: `  alimedia ingest requeue --code Forbidden.RAM`,
		RunE: func(_ *cobra.Command, keys []string) error {
			return a.letters(f, l, keys, "requeued", (*ingest.Fleet).Requeue)
		},
	}
	l.define(cmd)
	return cmd
}

func newIngestDiscardCommand(a *app, f *ingestFlags) *cobra.Command {
	l := &letterFlags{}
	cmd := &cobra.Command{
		Use:   "discard [KEY...]",
		Short: "Remove jobs from the dead-letter stream for good (asks)",
		RunE: func(_ *cobra.Command, keys []string) error {
			if _, err := l.choose(keys); err != nil {
				return err
			}
			if err := a.confirm("Remove these dead jobs for good? They cannot be requeued then.", l.yes); err != nil {
				return err
			}
			return a.letters(f, l, keys, "removed", (*ingest.Fleet).Discard)
		},
	}
	l.define(cmd)
	cmd.Flags().BoolVarP(&l.yes, "yes", "y", false, "do not ask")
	return cmd
}

// letters does something with the dead jobs that were chosen.
func (a *app) letters(f *ingestFlags, l *letterFlags, keys []string, what string, do func(*ingest.Fleet, context.Context, func(ingest.DeadLetter) bool) (int, error)) error {
	which, err := l.choose(keys)
	if err != nil {
		return err
	}
	fleet, err := a.fleet(a.ctx, f)
	if err != nil {
		return err
	}
	n, err := do(fleet, a.ctx, which)
	if a.flags.json {
		err = errors.Join(err, a.emit(map[string]any{what: n}))
	} else if n > 0 || err == nil {
		a.printf("%d %s", n, what)
	}
	if n == 0 && err == nil {
		return notFoundf("no dead job is one of those")
	}
	return err
}
