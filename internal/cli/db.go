package cli

import (
	"github.com/spf13/cobra"

	"manito/internal/pgembed"
)

func (a *app) dbCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "db", Short: "Look after the database"}
	cmd.AddCommand(a.dbShellCommand(), a.dbKeepCommand())
	return cmd
}

// dbKeepCommand stays behind when the last command has left, and stops the
// embedded server when nobody comes back for a while. pgembed starts it.
func (a *app) dbKeepCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "keep",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.load()
			if err != nil {
				return err
			}
			opt, err := a.clusterOptions(cfg)
			if err != nil {
				return err
			}
			return pgembed.Keep(cmd.Context(), opt)
		},
	}
}
