package cli

import (
	"github.com/spf13/cobra"

	"manito/internal/pgembed"
)

func (a *app) dbCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "db", Short: "Look after the database"}
	cmd.AddCommand(a.dbInitCommand(), a.dbStatusCommand(), a.dbPlanCommand(), a.dbUpCommand(), a.dbDownCommand(),
		a.dbValidateCommand(), a.dbLintCommand(), a.dbDriftCommand(), a.dbRepairCommand(), a.dbDoctorCommand(), a.dbAdoptCommand(), a.dbUpgradeCommand(),
		a.dbShellCommand(), a.dbStopCommand(), a.dbKeepCommand())
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

// dbStopCommand stops the embedded server at once, instead of some minutes after the last command.
func (a *app) dbStopCommand() *cobra.Command {
	return &cobra.Command{
		Use: "stop", Short: "Stop the embedded database now", Args: cobra.NoArgs,
		Long: "Stop ends the embedded PostgreSQL server that stays for some minutes after the last command.\nThe next command starts it again.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.load()
			if err != nil {
				return err
			}
			opt, err := a.clusterOptions(cfg)
			if err != nil {
				return err
			}
			stopped, err := pgembed.Stop(cmd.Context(), opt)
			if err != nil {
				return err
			}
			if !stopped {
				a.note("the database was not running")
			}
			return nil
		},
	}
}
