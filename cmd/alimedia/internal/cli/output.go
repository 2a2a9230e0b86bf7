package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/answer"
	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/screen"
	"github.com/alimedia/alimedia-go/upload"
)

// printf prints a line of a result for people. Strings among args may come from
// anywhere: they are cleaned.
func (a *app) printf(format string, args ...any) {
	fmt.Fprintf(a.out, format+"\n", clean(args)...)
}

// notef prints a line about the run to standard error, unless --quiet is set.
// With --json it is an object {"note": …}.
func (a *app) notef(format string, args ...any) {
	if a.flags.quiet {
		return
	}
	text := fmt.Sprintf(format, clean(args)...)
	if a.flags.json {
		writeJSON(a.err, map[string]any{"note": text})
		return
	}
	for _, line := range screen.Wrap("alimedia: "+text, a.term.Err.Width()) {
		fmt.Fprintln(a.err, line)
	}
}

func clean(args []any) []any {
	safe := make([]any, len(args))
	for i, arg := range args {
		switch v := arg.(type) {
		case string:
			safe[i] = screen.Clean(v)
		case error:
			safe[i] = screen.CleanLines(v.Error())
		default:
			safe[i] = arg
		}
	}
	return safe
}

// emit prints v as one line of JSON. Use it where a.flags.json is set.
func (a *app) emit(v any) error { return writeJSON(a.out, v) }

// writeJSON escapes what a terminal might obey, which JSON alone does not.
func writeJSON(w io.Writer, v any) error {
	text, err := answer.JSON(v, false)
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

// table prints t for people, as wide as the terminal.
func (a *app) table(t *screen.Table) error {
	bold := func(s string) string { return a.term.Paint(a.term.Out, screen.Bold, s) }
	return t.Write(a.out, a.term.Width(), bold)
}

// errNotConfirmed means that the user said no.
var errNotConfirmed = &failure{code: exitFailure, err: errors.New("not confirmed, nothing was done")}

// confirm asks a question on the terminal. yes answers it beforehand; without
// it and without a terminal the command is refused.
func (a *app) confirm(question string, yes bool) error {
	switch {
	case yes:
		return nil
	case !a.term.In.TTY || !a.term.Err.TTY:
		return usagef("%s There is no terminal to answer at: add --yes", question)
	}
	fmt.Fprintf(a.err, "%s [y/N] ", screen.Clean(question))
	answers := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(a.in).ReadString('\n')
		answers <- line
	}()
	select {
	case line := <-answers:
		switch strings.ToLower(strings.TrimSpace(line)) {
		case "y", "yes":
			return nil
		}
		return errNotConfirmed
	case <-a.ctx.Done():
		fmt.Fprintln(a.err)
		return a.ctx.Err()
	}
}

// report tells the user of the error that ends the command.
func (a *app) report(err error) {
	var f *failure
	if err == nil || errors.As(err, &f) && f.silent {
		return
	}
	a.complain("", err)
}

// complain tells of an error, of a file or of the command as a whole.
func (a *app) complain(name string, err error) {
	if a.flags.json {
		_ = writeJSON(a.err, map[string]any{"error": a.errorJSON(name, err)})
		return
	}
	writeComplaint(a.err, a, name, err)
}

// writeComplaint writes an error for people.
func writeComplaint(w io.Writer, a *app, name string, err error) {
	text := screen.CleanLines(strings.TrimPrefix(err.Error(), "alimedia: "))
	if name != "" {
		text = screen.Clean(name) + ": " + text
	}
	fmt.Fprintln(w, a.term.Paint(a.term.Err, screen.Red, "alimedia: ")+text)
	if hint := hint(err); hint != "" {
		fmt.Fprintln(w, "  "+screen.CleanLines(hint))
	}
}

// failureJSON is an error as --json prints it.
type failureJSON struct {
	Name      string `json:"name,omitempty"`
	Message   string `json:"message"`
	Code      string `json:"code,omitempty"`
	Operation string `json:"operation,omitempty"`
	Status    int    `json:"httpStatus,omitempty"`
	RequestId string `json:"requestId,omitempty"`
	MediaId   string `json:"mediaId,omitempty"`
	Hint      string `json:"hint,omitempty"`
	ExitCode  int    `json:"exitCode"`
}

func (a *app) errorJSON(name string, err error) failureJSON {
	out := failureJSON{Name: name, Message: err.Error(), ExitCode: exitCode(err), Hint: hint(err)}
	var api *alimedia.Error
	if errors.As(err, &api) {
		out.Code, out.Operation, out.Status, out.RequestId = api.Code, api.Action, api.StatusCode, api.RequestId
	}
	var up *upload.Error
	if errors.As(err, &up) {
		out.MediaId = up.MediaId
	}
	return out
}

// hint is what to do about err, as far as it is known.
func hint(err error) string {
	var api *alimedia.Error
	var usage usageError
	switch {
	case errors.As(err, &usage):
		return "Run '" + usage.cmd.CommandPath() + " --help' for how it is called."
	case errors.As(err, &api):
		return api.Advice()
	case errors.Is(err, upload.ErrCheckpointLocked):
		return "Another command is uploading this file."
	}
	return ""
}
