package cli

import (
	"github.com/spf13/cobra"

	"manito/internal/config"
	"manito/internal/problem"
)

// configDocument is the JSON of config show.
type configDocument struct {
	Schema   string         `json:"schema"`
	Settings []config.Entry `json:"settings"`
}

// findingsDocument is the JSON of config check.
type findingsDocument struct {
	Schema   string           `json:"schema"`
	Findings []config.Finding `json:"findings"`
}

func (a *app) configCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Show and check the configuration"}
	cmd.AddCommand(&cobra.Command{
		Use: "show", Short: "List every setting with its value and where it came from", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.configShow() },
	}, &cobra.Command{
		Use: "check", Short: "Name unknown, unused, missing and unsafe variables", Args: cobra.NoArgs,
		Long: "Check names variables that nothing reads, that have no effect, that are missing or unsafe.\n\nExit status: 0 nothing was found; 1 something was found.",
		RunE: func(*cobra.Command, []string) error { return a.configCheck() },
	})
	return cmd
}

func (a *app) configShow() error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	if a.json {
		return a.document(configDocument{"manito/config/v1", cfg.Show()})
	}
	p := a.printer()
	rows := [][]string{}
	for _, e := range cfg.Show() {
		from := string(e.Source)
		if e.Origin != "" {
			from = e.Origin
		}
		rows = append(rows, []string{e.Env, e.Value, p.faint(from)})
	}
	p.table("", rows)
	return p.flush()
}

func (a *app) configCheck() error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	found := cfg.Check()
	if a.json {
		if found == nil {
			found = []config.Finding{}
		}
		if err := a.document(findingsDocument{"manito/config-check/v1", found}); err != nil {
			return err
		}
	} else {
		p := a.printer()
		for _, f := range found {
			p.line("%s  %s", p.yellow(string(f.Kind)), f.Message)
			p.line("         -> %s", f.Fix)
		}
		if len(found) == 0 {
			p.line("%s", p.green("nothing is wrong with the configuration"))
		}
		if err := p.flush(); err != nil {
			return err
		}
	}
	if len(found) > 0 {
		return exit{1}
	}
	return nil
}

// exit is an exit code without a message: the output has said it all.
type exit struct{ code int }

func (e exit) Error() string { return problem.Incomplete.String() }
