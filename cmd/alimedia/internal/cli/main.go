// Package cli is the command alimedia: its root, what all commands share, and
// one file for each command.
package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/screen"
)

// commands makes the commands below the root. To add one, write
// func newLsCommand(a *app) *cobra.Command and name it here.
var commands = []func(*app) *cobra.Command{
	newUploadCommand,
	newDemoCommand,
	newCallCommand,
	newLsCommand,
	newSearchCommand,
	newInfoCommand,
	newRmCommand,
	newWaitCommand,
	newPlayCommand,
	newPolicyCommand,
	newIngestCommand,
	newCallbackCommand,
	newDecodeAuthCommand,
	newDoctorCommand,
	newRegisterCommand,
}

// Main runs the command line of this process and returns its exit code.
func Main(args []string) int {
	a := newApp(os.Stdin, os.Stdout, os.Stderr, os.Getenv)
	stop := a.interrupts.listen()
	defer stop()
	return a.run(args)
}

// newApp is a session with the given streams and environment.
func newApp(in io.Reader, out, err io.Writer, env func(string) string) *app {
	a := &app{in: in, out: out, err: err, env: env, term: screen.Detect(in, out, err, env), interrupts: newInterrupts()}
	a.interrupts.last = func() { a.close() }
	return a
}

// run runs one command line.
func (a *app) run(args []string) int {
	root := a.root()
	root.SetArgs(args)
	ctx, cancel := a.interrupts.context(context.Background())
	defer cancel()
	_, err := root.ExecuteContextC(ctx)
	if err != nil && !a.began {
		err = usageError{err, root}
	}
	return a.finish(ctx, err)
}

// finish closes what the command opened, reports err and returns the exit code.
func (a *app) finish(ctx context.Context, err error) int {
	if a.ctx != nil {
		ctx = a.ctx
	}
	ended := context.Cause(ctx) // before the timer is stopped
	if a.stopTimer != nil {
		a.stopTimer()
	}
	if ended != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		err = &failure{code: exitCode(ended), err: ended, silent: a.interrupts.told()}
	}
	switch closing := a.close(); {
	case closing != nil && err != nil:
		a.complain("", closing)
	case closing != nil:
		err = closing
	}
	a.report(err)
	return exitCode(err)
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "alimedia",
		Short: "Upload media to Alibaba Cloud and work with it",
		Long: "alimedia uploads files to ApsaraVideo VOD, Intelligent Media Services (ICE) and OSS,\n" +
			"and calls every operation of both services.\n\n" +
			"Try it without an account: alimedia --demo upload movie.mp4",
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			a.began = true
			return a.begin(cmd)
		},
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetVersionTemplate("alimedia {{.Version}}\n")
	flags := root.PersistentFlags()
	flags.SortFlags = false
	flags.StringVarP(&a.flags.profile, "profile", "p", "", "profile of ~/.aliyun/config.json (see help credentials)")
	flags.StringVar(&a.flags.region, "region", "", "region of the services, such as cn-shanghai")
	flags.StringVar(&a.flags.endpoint, "endpoint", "", "URL that replaces the endpoints of VOD, ICE and STS, for example of mediatestd")
	flags.DurationVar(&a.flags.timeout, "timeout", 0, "end the command after this time, for example 10m (0: no limit)")
	flags.BoolVar(&a.flags.json, "json", false, "print JSON, one object a line; errors on standard error too")
	flags.BoolVarP(&a.flags.quiet, "quiet", "q", false, "print results and errors only")
	flags.BoolVar(&a.flags.debug, "debug", false, "log every request to standard error, without secrets")
	flags.StringVar(&a.flags.record, "record", "", "note the operations that are called in this file, for policy --recorded")
	flags.BoolVar(&a.flags.demo, "demo", false, "use services simulated on this machine, no account needed (ALIMEDIA_DEMO=1)")
	_ = root.RegisterFlagCompletionFunc("profile", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return a.profileNames(), cobra.ShellCompDirectiveNoFileComp
	})
	for _, make := range commands {
		root.AddCommand(make(a))
	}
	root.AddCommand(topicCommands()...)
	root.SetHelpCommand(newHelpCommand(a, root))
	return root
}

// begin is called before every command.
func (a *app) begin(cmd *cobra.Command) error {
	a.ctx = cmd.Context()
	if v := a.env("ALIMEDIA_DEMO"); v != "" && v != "0" && v != "false" && !cmd.Flags().Changed("demo") {
		a.flags.demo = true
	}
	if a.flags.timeout < 0 {
		return usagef("--timeout %v is negative", a.flags.timeout)
	}
	if a.flags.timeout > 0 {
		ctx, cancel := context.WithTimeoutCause(a.ctx, a.flags.timeout, errTimeout)
		a.ctx, a.stopTimer = ctx, cancel
		cmd.SetContext(ctx)
	}
	return nil
}

var errTimeout = errors.New("the time of --timeout is over")

// closeWithin bounds what a command does after the second interrupt: ending by
// itself, and saving the demo.
const closeWithin = 3 * time.Second
