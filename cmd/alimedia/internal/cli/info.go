package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/library"
	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/screen"
)

func newInfoCommand(a *app) *cobra.Command {
	var service string
	cmd := &cobra.Command{
		Use:   "info MEDIAID...",
		Short: "Show a media asset",
		Long: `info shows assets of VOD and ICE with their streams. An oss:// or https:// URL
names the asset of ICE that was registered with it. With - it reads IDs from
standard input, one a line.

URLs are shown without their signature. Use play for a URL that plays.`,
		Example: `  alimedia info 93ab850b4f6f46e91d24d81d4a5b5c5d
  alimedia ls --json | jq -r .mediaId | alimedia info --json -`,
		ValidArgsFunction: noFiles,
		RunE: func(_ *cobra.Command, args []string) error {
			if err := checkService(service); err != nil {
				return err
			}
			return a.info(service, args)
		},
	}
	a.serviceFlag(cmd, &service)
	return cmd
}

func (a *app) info(service string, args []string) error {
	ids, err := a.idsOf(args, "MediaId")
	if err != nil {
		return err
	}
	l, err := a.libraryOf(service)
	if err != nil {
		return err
	}
	assets, failed, err := a.found(l, ids)
	if err != nil && a.ctx.Err() != nil {
		return err
	}
	for i, asset := range assets {
		if asset.Ready() && (asset.Service == "vod" || len(asset.Streams) == 0) {
			if streams, err := l.Streams(a.ctx, &asset); err == nil { // it is shown without them otherwise
				asset.Streams = streams
			}
		}
		for j := range asset.Streams {
			asset.Streams[j].URL = unsigned(asset.Streams[j].URL)
		}
		asset.Cover = unsigned(asset.Cover)
		if err := a.showAsset(asset, i > 0); err != nil {
			return err
		}
	}
	if failed > 0 {
		return partly(failed, len(ids), err)
	}
	return nil
}

// unsigned is a URL without its query, which may be a signature.
func unsigned(url string) string {
	url, _, _ = strings.Cut(url, "?")
	return url
}

func (a *app) showAsset(asset library.Asset, gap bool) error {
	if a.flags.json {
		return a.emit(asset)
	}
	var b strings.Builder
	if gap {
		b.WriteString("\n")
	}
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-13s %s\n", name, screen.Clean(value))
		}
	}
	row("MediaId", asset.MediaId)
	row("Title", asset.Title)
	row("Service", asset.Service)
	row("Type", asset.Type)
	row("Status", asset.Status)
	if asset.Size > 0 {
		row("Size", fmt.Sprintf("%s (%d bytes)", screen.Bytes(asset.Size), asset.Size))
	}
	row("Length", duration(asset.Duration))
	row("Created", when(asset.Created))
	row("Modified", when(asset.Modified))
	row("Description", asset.Description)
	row("Tags", asset.Tags)
	row("Category", asset.Category)
	row("ReferenceId", asset.ReferenceId)
	row("InputURL", unsigned(asset.InputURL))
	row("Storage", asset.Storage)
	row("Source", asset.Source)
	row("Cover", asset.Cover)
	row("UserData", asset.UserData)
	if _, err := a.out.Write([]byte(b.String())); err != nil || len(asset.Streams) == 0 {
		return err
	}
	a.printf("Streams")
	t := &screen.Table{Headings: []string{"  QUALITY", "FORMAT", "SIZE", "PICTURE", "LENGTH", "URL"}, Flexible: []int{5}, Optional: []int{4}}
	for _, s := range asset.Streams {
		size, picture := "", ""
		if s.Size > 0 {
			size = screen.Bytes(s.Size)
		}
		if s.Width > 0 && s.Height > 0 {
			picture = fmt.Sprintf("%d×%d", s.Width, s.Height)
		}
		format := s.Format
		if s.Encrypted {
			format += " encrypted"
		}
		t.Row("  "+s.Definition, format, size, picture, duration(s.Duration), s.URL)
	}
	return a.table(t)
}
