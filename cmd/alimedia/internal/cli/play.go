package cli

import (
	"cmp"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/library"
	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/screen"
	"github.com/alimedia/alimedia-go/playurl"
)

// playing is one run of play.
type playing struct {
	*app
	service, definition, format string
	sign                        string
	ttl, valid                  time.Duration
	all, open                   bool
}

// playKey is the environment variable with the key of URL signing.
const playKey = "ALIMEDIA_PLAY_KEY"

var signTypes = []string{string(playurl.A), string(playurl.B), string(playurl.C), string(playurl.CQuery)}

func newPlayCommand(a *app) *cobra.Command {
	p := &playing{app: a}
	cmd := &cobra.Command{
		Use:   "play MEDIAID|URL",
		Short: "Print a URL that plays an asset",
		Long: `play prints the URL of a stream: the one with the most bytes per second, unless
--definition or --format choose another. --all lists all streams.

If URL signing is enabled for the domain name, the service signs the URL. With
--sign, play signs it itself, or signs a URL that is given in place of the
MediaId. The type is that of the console: A, B, C, or CQuery for type C with
the signature in the query. The key is in the environment variable
` + playKey + `, and --validity is the period set in the console.

Anyone who has a signed URL can play it until it expires.`,
		Example: `  alimedia play 93ab850b4f6f46e91d24d81d4a5b5c5d --definition HD
  alimedia play --sign A --valid 2h https://cdn.example.com/video/a.mp4`,
		ValidArgsFunction: noFiles,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("play takes one MediaId or URL, and got %d", len(args))
			}
			return p.run(args[0])
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&p.definition, "definition", "", "only streams of this quality: "+strings.Join(definitions, ", "))
	flags.StringVar(&p.format, "format", "", "only streams of this format: "+strings.Join(formats, ", "))
	flags.BoolVar(&p.all, "all", false, "list all streams with their URLs")
	flags.StringVar(&p.sign, "sign", "", "sign the URL with the key in "+playKey+": type "+strings.Join(signTypes, ", "))
	flags.DurationVar(&p.ttl, "validity", playurl.DefaultTTL, "validity period of URL signing in the console, for --sign")
	flags.DurationVar(&p.valid, "valid", 0, "how long the signed URL is valid (0: as long as --validity)")
	flags.BoolVar(&p.open, "open", false, "open the URL in the browser or player of this machine")
	a.serviceFlag(cmd, &p.service)
	completeValues(cmd, "definition", definitions)
	completeValues(cmd, "format", formats)
	completeValues(cmd, "sign", signTypes)
	return cmd
}

var (
	definitions = []string{"FD", "LD", "SD", "HD", "OD", "2K", "4K", "SQ", "HQ", "AUTO"}
	formats     = []string{"mp4", "m3u8", "mp3", "flv", "mpd"}
)

func (p *playing) run(target string) error {
	if err := checkService(p.service); err != nil {
		return err
	}
	sign, err := p.signer()
	if err != nil {
		return err
	}
	if strings.HasPrefix(target, "http://") || strings.HasPrefix(target, "https://") {
		if p.sign == "" && !p.open {
			return usagef("a URL needs --sign or --open: what plays it is the URL itself")
		}
		return p.finish(library.Asset{}, []library.Stream{{URL: target}}, sign)
	}
	l, err := p.libraryOf(p.service)
	if err != nil {
		return err
	}
	found := l.Get(p.ctx, []string{target})[0]
	switch {
	case errors.Is(found.Err, library.ErrNotFound):
		return notFoundf("%s: %w", target, found.Err)
	case found.Err != nil:
		return found.Err
	case !found.Asset.Ready() && (found.Asset.Type == "video" || found.Asset.Type == "audio"):
		return fmt.Errorf("%s has the status %s and cannot be played: 'alimedia wait %s' waits until it can", target, found.Asset.Status, target)
	}
	streams, err := l.Streams(p.ctx, &found.Asset)
	if err != nil {
		return err
	}
	return p.finish(found.Asset, streams, sign)
}

// signer signs with the key of the environment; nil without --sign.
func (p *playing) signer() (func(string) (string, error), error) {
	if p.sign == "" {
		if p.valid != 0 {
			return nil, usagef("--valid needs --sign: how long a URL of the service is valid is set in the console")
		}
		return nil, nil
	}
	i := slices.IndexFunc(signTypes, func(t string) bool { return strings.EqualFold(t, p.sign) })
	if i < 0 {
		return nil, usagef("--sign %.20q is not one of %s", p.sign, strings.Join(signTypes, ", "))
	}
	key := p.env(playKey)
	if key == "" {
		return nil, usagef("--sign needs the key of URL signing in the environment variable %s", playKey)
	}
	if p.valid < 0 || p.ttl <= 0 {
		return nil, usagef("--valid and --validity are no negative times")
	}
	s, err := playurl.New(playurl.Config{Type: playurl.Type(signTypes[i]), Keys: []alimedia.Secret{alimedia.Secret(key)}, TTL: p.ttl})
	if err != nil {
		return nil, asUsage(err)
	}
	if p.valid == 0 {
		return s.Sign, nil
	}
	return func(url string) (string, error) { return s.SignUntil(url, time.Now().Add(p.valid)) }, nil
}

// finish chooses, signs, prints and opens.
func (p *playing) finish(asset library.Asset, streams []library.Stream, sign func(string) (string, error)) error {
	streams = slices.DeleteFunc(streams, func(s library.Stream) bool {
		return s.URL == "" || p.definition != "" && !strings.EqualFold(s.Definition, p.definition) || p.format != "" && !strings.EqualFold(s.Format, p.format)
	})
	if len(streams) == 0 {
		return notFoundf("there is no such stream with a URL")
	}
	slices.SortStableFunc(streams, func(a, b library.Stream) int { return cmp.Compare(rate(b), rate(a)) })
	if !p.all {
		streams = streams[:1]
	}
	for i := range streams {
		if sign == nil {
			continue
		}
		signed, err := sign(unsigned(streams[i].URL))
		if err != nil {
			return asUsage(err)
		}
		streams[i].URL = signed
	}
	if err := p.print(asset, streams); err != nil {
		return err
	}
	if p.open {
		return openURL(streams[0].URL)
	}
	return nil
}

// rate is how much a stream has in a second, to find the best one.
func rate(s library.Stream) float64 {
	if s.Duration > 0 && s.Size > 0 {
		return float64(s.Size) / s.Duration
	}
	return float64(s.Width*s.Height) + float64(s.Size)/1e9
}

func (p *playing) print(asset library.Asset, streams []library.Stream) error {
	if p.flags.json {
		for _, s := range streams {
			err := p.emit(struct {
				MediaId string `json:"mediaId,omitempty"`
				library.Stream
			}{asset.MediaId, s})
			if err != nil {
				return err
			}
		}
		return nil
	}
	if !p.all {
		_, err := fmt.Fprintln(p.out, screen.Clean(streams[0].URL))
		return err
	}
	t := &screen.Table{Headings: []string{"QUALITY", "FORMAT", "SIZE", "URL"}}
	for _, s := range streams {
		t.Row(s.Definition, s.Format, screen.Bytes(s.Size), s.URL)
	}
	return p.table(t)
}

// openURL starts what this machine opens URLs with.
func openURL(url string) error {
	if !strings.HasPrefix(url, "http://") && !strings.HasPrefix(url, "https://") {
		return errors.New("--open: the URL is neither http nor https")
	}
	var cmd *exec.Cmd
	switch runtime.GOOS {
	case "darwin":
		cmd = exec.Command("open", url)
	case "windows":
		cmd = exec.Command("rundll32", "url.dll,FileProtocolHandler", url)
	default:
		cmd = exec.Command("xdg-open", url)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("--open: %w", err) // names the program, not the URL
	}
	return cmd.Process.Release()
}
