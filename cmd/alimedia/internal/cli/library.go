package cli

import (
	"bufio"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/library"
)

var services = []string{"vod", "ice"}

// libraryOf makes the clients that --service asks for. Without it both are
// asked; a service that the region does not have is left out then.
func (a *app) libraryOf(service string) (library.Library, error) {
	var l library.Library
	var noVOD, noICE error
	if service == "" || service == "vod" {
		l.VOD, noVOD = a.vod()
	}
	if service == "" || service == "ice" {
		l.ICE, noICE = a.ice()
	}
	if l.VOD == nil && l.ICE == nil {
		if service == "ice" {
			return l, noICE
		}
		return l, noVOD
	}
	return l, nil
}

func (a *app) serviceFlag(cmd *cobra.Command, service *string) {
	cmd.Flags().StringVar(service, "service", "", "only this service: vod or ice (default: both)")
	completeValues(cmd, "service", services)
}

func checkService(service string) error {
	if service != "" && !slices.Contains(services, service) {
		return usagef("--service %.40q is neither vod nor ice", service)
	}
	return nil
}

// completeValues proposes the values of a flag.
func completeValues(cmd *cobra.Command, flag string, values []string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

func noFiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveNoFileComp
}

const (
	maxItems = 100_000
	maxLine  = 64 << 10
)

// idsOf are the arguments, or the lines of standard input where an argument is
// "-" or there are none and standard input is no terminal. Blank lines and those
// that begin with # are left out. An item that occurs again is left out.
func (a *app) idsOf(args []string, what string) ([]string, error) {
	if len(args) == 0 {
		if a.term.In.TTY {
			return nil, usagef("no %s: name it, or - to read one a line from standard input", what)
		}
		args = []string{"-"}
	}
	var all []string
	seen := map[string]bool{}
	add := func(item string) {
		if item != "" && !seen[item] {
			seen[item] = true
			all = append(all, item)
		}
	}
	for _, arg := range args {
		if arg != "-" {
			add(strings.TrimSpace(arg))
			continue
		}
		lines := bufio.NewScanner(a.in)
		lines.Buffer(nil, maxLine)
		for lines.Scan() {
			if line := strings.TrimSpace(lines.Text()); !strings.HasPrefix(line, "#") {
				add(line)
			}
			if len(all) > maxItems {
				return nil, usagef("more than %d lines on standard input", maxItems)
			}
		}
		if err := lines.Err(); err != nil {
			return nil, fmt.Errorf("standard input: %w", err)
		}
	}
	if len(all) == 0 {
		return nil, usagef("no %s: standard input is empty", what)
	}
	return all, nil
}

// found reads assets, and reports those that could not be read. failed is the
// number of these, err the error of the last.
func (a *app) found(l library.Library, ids []string) (assets []library.Asset, failed int, err error) {
	for _, f := range l.Get(a.ctx, ids) {
		if f.Err == nil {
			assets = append(assets, f.Asset)
			continue
		}
		failed++
		if err = f.Err; errors.Is(err, library.ErrNotFound) {
			err = notFoundf("%w", f.Err)
		}
		if a.ctx.Err() != nil {
			return nil, failed, a.ctx.Err()
		}
		a.complain(f.Id, err)
	}
	return assets, failed, err
}

// when is a time of a service for people, in local time.
func when(text string) string {
	t, err := parseTime(text)
	if err != nil {
		return text
	}
	return t.Local().Format("2006-01-02 15:04")
}

// duration is a length of media for people.
func duration(seconds float64) string {
	if seconds <= 0 {
		return ""
	}
	d := time.Duration(seconds * float64(time.Second)).Round(time.Second)
	if d < time.Second {
		d = time.Second
	}
	h, m, s := int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60
	if h > 0 {
		return fmt.Sprintf("%d:%02d:%02d", h, m, s)
	}
	return fmt.Sprintf("%d:%02d", m, s)
}

// columns lists names in lines of 78 columns.
func columns(names []string) string {
	var b strings.Builder
	p := &page{w: &b, width: 78}
	p.text("  ", strings.Join(names, ", "))
	return strings.TrimSuffix(b.String(), "\n")
}
