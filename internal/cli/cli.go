// Package cli is the command line: one file per command, each an options
// struct, a constructor and a run function. It wires the rooms below into a
// program and is the only package that imports cobra.
//
// Every command writes data to standard output and everything else to standard
// error. With --json a command writes one document whose "schema" names its
// shape and version. Exit codes: 0 done, 2 usage, 3 failure, 4 not found,
// 5 incomplete, 130 interrupted.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"manito/internal/config"
	"manito/internal/problem"
)

// Main runs the command line and returns the exit code.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second interrupt ends the process at once
	app := &app{stdin: stdin, stdout: stdout, stderr: stderr, environ: os.Environ(), flags: map[string]string{}}
	root := app.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	return app.fail(err)
}

// app is what commands share.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	environ        []string
	flags          map[string]string // settings given as flags
	configFile     string
	json           bool
	quiet          bool
	color          string
}

func (a *app) root() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "manito",
		Short:         "A code knowledge graph of your repositories",
		Long:          "Manito reads repositories, builds a graph of their code in PostgreSQL, and answers\nwhat is defined where, who uses it and what breaks when it changes.",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.SetIn(a.stdin)
	cmd.SetOut(a.stdout)
	cmd.SetErr(a.stderr)
	f := cmd.PersistentFlags()
	f.BoolVar(&a.json, "json", false, "write one JSON document to standard output")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "say nothing on standard error but errors")
	f.StringVar(&a.color, "color", "auto", "colours: auto, always or never")
	f.StringVar(&a.configFile, "config", "", "configuration file (default MANITO_HOME/manito.toml)")
	for _, name := range []string{"home", "database-url", "schema"} {
		f.Func(name, flagDoc(name), func(v string) error { a.flags[name] = v; return nil })
	}
	cmd.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return problem.New(problem.Usage, "%s", err.Error()).Fix("see %s --help", c.CommandPath())
	})
	cmd.AddCommand(a.scanCommand(), a.statusCommand(),
		a.symbolCommand(), a.definitionCommand(), a.referencesCommand(), a.callersCommand(), a.calleesCommand(), a.impactCommand(),
		a.searchCommand(), a.embedCommand(), a.suggestCommand(), a.outlineCommand(), a.pathCommand(), a.cyclesCommand(), a.mapCommand(), a.languagesCommand(), a.exportCommand(),
		a.dbCommand(), a.serveCommand(), a.configCommand(), a.versionCommand(), a.docsCommand())
	return cmd
}

func flagDoc(name string) string {
	for _, s := range config.Settings {
		if s.Name == name {
			return s.Doc + " (" + s.Env + ")"
		}
	}
	return ""
}

// load reads the configuration for a command.
func (a *app) load() (*config.Config, error) {
	return config.Load(config.Input{Environ: a.environ, Flags: a.flags, File: a.configFile})
}

// document writes a JSON document.
func (a *app) document(v any) error {
	enc := json.NewEncoder(a.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// note tells the user something that is no data.
func (a *app) note(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintf(a.stderr, format+"\n", args...)
	}
}

// failure is an error as --json shows it on standard error.
type failure struct {
	Schema  string   `json:"schema"`
	Kind    string   `json:"kind"`
	Message string   `json:"message"`
	Fixes   []string `json:"fixes,omitempty"`
}

// fail prints an error once and returns its exit code.
func (a *app) fail(err error) int {
	var code exit
	if errors.As(err, &code) {
		return code.code
	}
	kind := problem.KindOf(err)
	var p *problem.Error
	if !errors.As(err, &p) && (strings.HasPrefix(err.Error(), "unknown command") || strings.Contains(err.Error(), "arg(s)")) {
		kind = problem.Usage
	}
	fixes := problem.Fixes(err)
	if a.json {
		enc := json.NewEncoder(a.stderr)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(failure{"manito/error/v1", kind.String(), err.Error(), fixes}) // nobody is left to tell
		return kind.ExitCode()
	}
	fmt.Fprintf(a.stderr, "manito: %s\n", err)
	for _, f := range fixes {
		fmt.Fprintf(a.stderr, "  -> %s\n", f)
	}
	return kind.ExitCode()
}
