package cli

import (
	"github.com/spf13/cobra"

	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/demo"
)

func newDemoCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "About the services that --demo simulates",
		Long: "With --demo, or with ALIMEDIA_DEMO=1 in the environment, every command works on services\n" +
			"that are simulated on this machine. They keep what they hold from one command to the next.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "reset",
		Short: "Forget what the simulated services hold, and the checkpoints of their uploads",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			dir, err := a.stateDir()
			if err != nil {
				return err
			}
			if err := demo.Reset(a.ctx, dir, a.notef); err != nil {
				return err
			}
			a.notef("the demo begins anew")
			return nil
		},
	})
	return cmd
}
