package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"manito/internal/codeintel"
	"manito/internal/config"
	"manito/internal/postgres"
	"manito/internal/problem"
)

// repoFlags choose the repository that a question is about.
type repoFlags struct {
	repo string
	ref  string
}

func (r *repoFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&r.repo, "repo", "r", "", "repository, by name or path (default: the one that the current folder is in)")
	cmd.Flags().StringVar(&r.ref, "ref", "head", "name of the snapshot")
}

// chosen is the repository and ref that a question is about.
type chosen struct {
	repo postgres.Repo
	ref  postgres.RefStatus
}

// choose finds the repository: the one that was named, or the one around the current folder, or the only one.
func choose(ctx context.Context, db *database, o repoFlags) (chosen, error) {
	all, err := db.Status(ctx, 0)
	if err != nil {
		return chosen{}, err
	}
	if len(all) == 0 {
		return chosen{}, problem.New(problem.NotFound, "no repository has been scanned yet").Fix("manito scan .")
	}
	name := o.repo
	if name == "" {
		here, err := os.Getwd()
		if err != nil {
			return chosen{}, fmt.Errorf("current folder: %w", err)
		}
		if real, err := filepath.EvalSymlinks(here); err == nil {
			here = real
		}
		name = around(all, here)
	} else if abs, err := filepath.Abs(name); err == nil {
		if real, err := filepath.EvalSymlinks(abs); err == nil && hasRoot(all, real) {
			name = real
		}
	}
	matches := matching(all, name)
	switch {
	case len(matches) == 0 && o.repo != "":
		return chosen{}, unknownRepository(all, o.repo)
	case len(matches) == 0:
		return chosen{}, problem.New(problem.Usage, "the current folder is in no scanned repository").Fix("name one of %s with --repo", listRepos(all)).Fix("manito scan .")
	}
	for _, m := range matches {
		if m.Repo.ID != matches[0].Repo.ID {
			return chosen{}, problem.New(problem.Ambiguous, "several repositories are called %s", name).Fix("name one by its path: %s", listRepos(matches))
		}
	}
	for _, m := range matches {
		if m.Ref.Name == o.ref {
			if m.Ref.Snapshot == 0 {
				return chosen{}, problem.New(problem.NotFound, "%s has no published snapshot yet", m.Repo.Name).Fix("manito scan %s", m.Repo.Root)
			}
			return chosen{m.Repo, m}, nil
		}
	}
	return chosen{}, problem.New(problem.NotFound, "%s has no snapshot called %s", matches[0].Repo.Name, o.ref).Fix("manito status lists what there is")
}

func hasRoot(all []postgres.RefStatus, root string) bool {
	for _, s := range all {
		if s.Repo.Root == root {
			return true
		}
	}
	return false
}

// around is the root of the innermost repository around a folder; the only repository's when there is no other.
func around(all []postgres.RefStatus, here string) string {
	best := ""
	for _, s := range all {
		if (here == s.Repo.Root || strings.HasPrefix(here, strings.TrimSuffix(s.Repo.Root, "/")+"/")) && len(s.Repo.Root) > len(best) {
			best = s.Repo.Root
		}
	}
	if best == "" && all[0].Repo.ID == all[len(all)-1].Repo.ID {
		return all[0].Repo.Root
	}
	return best
}

func matching(all []postgres.RefStatus, name string) []postgres.RefStatus {
	var byRoot, byName []postgres.RefStatus
	for _, s := range all {
		if s.Repo.Root == name {
			byRoot = append(byRoot, s)
		} else if s.Repo.Name == name {
			byName = append(byName, s)
		}
	}
	if len(byRoot) > 0 {
		return byRoot
	}
	return byName
}

func unknownRepository(all []postgres.RefStatus, name string) error {
	e := problem.New(problem.NotFound, "no repository called %s has been scanned", name).Fix("scanned are %s", listRepos(all))
	if _, err := os.Stat(name); err == nil {
		e.Fix("manito scan %s", name)
	}
	return e
}

func listRepos(all []postgres.RefStatus) string {
	var names []string
	for i, s := range all {
		if i == 0 || all[i-1].Repo.ID != s.Repo.ID {
			names = append(names, s.Repo.Name+" ("+s.Repo.Root+")")
		}
	}
	return strings.Join(names, ", ")
}

// session is a command with its database open and an index to ask.
type session struct {
	cfg    *config.Config
	db     *database
	chosen chosen
	index  *codeintel.Index
}

// ask opens the database and the index of the chosen repository, and closes them after the question.
func (a *app) ask(ctx context.Context, o repoFlags, question func(ctx context.Context, s *session) error) (err error) {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	db, err := a.openDatabase(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	s := &session{cfg: cfg, db: db}
	if s.chosen, err = choose(ctx, db, o); err != nil {
		return err
	}
	return a.withIndex(ctx, s, question)
}

// answer asks one question and shows its answer as JSON or for people.
func answer[T any](a *app, ctx context.Context, o repoFlags, question func(context.Context, *codeintel.Index) (T, error), show func(p *printer, v T)) error {
	return a.ask(ctx, o, func(ctx context.Context, s *session) error {
		v, err := question(ctx, s.index)
		if err != nil {
			return err
		}
		if a.json {
			return a.document(v)
		}
		p := a.printer()
		show(p, v)
		return p.flush()
	})
}
