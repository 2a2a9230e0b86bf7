package cli

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/library"
	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/screen"
)

// listing is one run of ls or search.
type listing struct {
	*app
	service, sort, since string
	limit, page          int
	filter               library.Filter
}

const defaultLimit = 50

var sorts = []string{"newest", "oldest", "title", "size", "duration", "status"}

func newLsCommand(a *app) *cobra.Command {
	l := &listing{app: a}
	cmd := &cobra.Command{
		Use:   "ls",
		Short: "List the media assets of VOD and ICE",
		Long: `ls lists the assets of both libraries, the newest first. An asset that both
services return is listed once.

newest and oldest are orders of the services. Other orders sort the assets of
the page that is shown.`,
		Example: `  alimedia ls --type video --status Normal --limit 20
  alimedia ls --since 24h --json`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: noFiles,
		RunE:              func(*cobra.Command, []string) error { return l.run() },
	}
	l.addFlags(cmd)
	return cmd
}

func newSearchCommand(a *app) *cobra.Command {
	l := &listing{app: a}
	cmd := &cobra.Command{
		Use:   "search WORD...",
		Short: "Find media assets by their title, description or tags",
		Long: `search lists the assets that have every WORD in the title, in the description
or as a tag. Quote words that belong together.

--match takes an expression of SearchMedia. Its fields and operators differ
between the services, so it needs --service. Package search of the SDK
describes both.`,
		Example: `  alimedia search launch 2026 --type video
  alimedia search --service vod --match "Title = 'launch' and Status = 'Normal'"`,
		ValidArgsFunction: noFiles,
		RunE: func(_ *cobra.Command, args []string) error {
			l.filter.Words = args
			if (len(args) == 0) == (l.filter.Match == "") {
				return usagef("search needs either words or --match")
			}
			if l.filter.Match != "" && (l.service == "" || l.filter.Status != "" || l.since != "" || l.service == "ice" && l.filter.Type != "") {
				return usagef("--match needs --service vod or ice, and has the conditions of --status and --since (and with ice of --type) in it")
			}
			return l.run()
		},
	}
	cmd.Flags().StringVar(&l.filter.Match, "match", "", "expression of SearchMedia in place of words")
	l.addFlags(cmd)
	return cmd
}

func (l *listing) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	l.serviceFlag(cmd, &l.service)
	flags.StringVar(&l.filter.Type, "type", "", "only this type: "+strings.Join(library.Types, ", "))
	flags.StringVar(&l.filter.Status, "status", "", "only this status, such as Normal or Uploading")
	flags.StringVar(&l.since, "since", "", "only assets created after this time: 2026-11-25, 2026-11-25T08:00:00Z, or 24h for a day ago")
	flags.StringVar(&l.sort, "sort", "newest", "order: "+strings.Join(sorts, ", "))
	flags.IntVarP(&l.limit, "limit", "n", defaultLimit, "assets on a page (0: all)")
	flags.IntVar(&l.page, "page", 1, "number of the page")
	completeValues(cmd, "type", library.Types)
	completeValues(cmd, "status", library.Statuses())
	completeValues(cmd, "sort", sorts)
}

// check reads the flags.
func (l *listing) check() error {
	if err := checkService(l.service); err != nil {
		return err
	}
	if err := l.filter.Check(); err != nil {
		return usagef("--%w", err)
	}
	switch {
	case !slices.Contains(sorts, l.sort):
		return usagef("--sort %.40q is not one of %s", l.sort, strings.Join(sorts, ", "))
	case l.limit < 0 || l.page < 1:
		return usagef("--limit is at least 0 and --page at least 1")
	case l.limit == 0 && l.page > 1:
		return usagef("--page needs --limit")
	}
	l.filter.Oldest = l.sort == "oldest"
	if l.since != "" {
		var err error
		if l.filter.Since, err = parseSince(l.since, time.Now()); err != nil {
			return err
		}
	}
	return nil
}

// parseSince reads a time, or how long ago.
func parseSince(text string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.DateOnly, time.DateTime} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	return time.Time{}, usagef("--since %.40q is neither a time such as 2026-11-25 or 2026-11-25T08:00:00Z nor a duration such as 24h", text)
}

func parseTime(text string) (time.Time, error) {
	if t, err := time.Parse("2006-01-02T15:04Z", text); err == nil {
		return t, nil
	}
	return alimedia.ParseTime(text)
}

func (l *listing) run() error {
	if err := l.check(); err != nil {
		return err
	}
	lib, err := l.libraryOf(l.service)
	if err != nil {
		return err
	}
	sources, err := lib.Sources(l.ctx, l.filter)
	if err != nil {
		return asUsage(err)
	}
	failed, skip := 0, (l.page-1)*l.limit
	var assets []library.Asset
	more := false
	var last error
	for asset, err := range library.Merge(sources, l.filter.Oldest) {
		if err != nil {
			if l.ctx.Err() != nil {
				return err
			}
			failed, last = failed+1, err
			continue
		}
		if skip > 0 {
			skip--
			continue
		}
		if more = l.limit > 0 && len(assets) == l.limit; more {
			break
		}
		assets = append(assets, asset)
		if l.flags.json && l.streams() { // all of a library need not be kept
			if err := l.emit(asset); err != nil {
				return err
			}
			assets = assets[:0]
		}
	}
	if failed > 0 && failed == len(sources) {
		return last
	}
	if err := l.print(assets, more); err != nil {
		return err
	}
	if failed > 0 {
		l.complain("not all lists could be read", last)
		return partly(failed, len(sources), last)
	}
	return nil
}

// streams reports whether assets are printed as they come.
func (l *listing) streams() bool {
	return l.limit == 0 && (l.sort == "newest" || l.sort == "oldest")
}

func (l *listing) print(assets []library.Asset, more bool) error {
	slices.SortStableFunc(assets, l.order)
	if l.flags.json {
		for _, asset := range assets {
			if err := l.emit(asset); err != nil {
				return err
			}
		}
		return nil
	}
	if len(assets) == 0 {
		l.notef("no assets")
		return nil
	}
	if err := l.table(assetTable(assets)); err != nil {
		return err
	}
	if more {
		l.notef("there are more: --page %d, or --limit 0 for all", l.page+1)
	}
	return nil
}

func (l *listing) order(x, y library.Asset) int {
	switch l.sort {
	case "title":
		return cmp.Compare(strings.ToLower(x.Title), strings.ToLower(y.Title))
	case "size":
		return cmp.Compare(y.Size, x.Size)
	case "duration":
		return cmp.Compare(y.Duration, x.Duration)
	case "status":
		return cmp.Compare(x.Status, y.Status)
	}
	return 0
}

// assetTable is a table of assets.
func assetTable(assets []library.Asset) *screen.Table {
	t := &screen.Table{Headings: []string{"MEDIAID", "TITLE", "TYPE", "STATUS", "SIZE", "LENGTH", "CREATED"}, Flexible: []int{1}, Optional: []int{5, 6, 4}}
	for _, asset := range assets {
		size := ""
		if asset.Size > 0 {
			size = screen.Bytes(asset.Size)
		}
		t.Row(asset.MediaId, asset.Title, asset.Service+" "+asset.Type, asset.Status, size, duration(asset.Duration), when(asset.Created))
	}
	return t
}
