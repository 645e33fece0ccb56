package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"manito/internal/codeintel"
	"manito/internal/codeintel/provider"
	"manito/internal/config"
	"manito/internal/embed/openai"
	"manito/internal/problem"
	"manito/internal/search"
)

type embedOptions struct {
	repoFlags
	dry bool
	yes bool
}

func (a *app) embedCommand() *cobra.Command {
	var o embedOptions
	cmd := &cobra.Command{
		Use: "embed [REPO]", Short: "Have a server make the vectors for search by meaning",
		Long: `Embed sends the chunks of a repository that have no vector yet to the server that the
configuration names (search.embeddings = "openai" and the settings below it: any server with
OpenAI's interface), and stores the vectors that come back.

Your code leaves this machine, and the server may charge for it. So a scan never does this by
itself; embed says first how much it is and what it may cost, and asks on a terminal; elsewhere
it needs --yes. Each batch is stored when it is finished: after an interrupt or a failure,
embed again goes on with the rest. After a rescan, only chunks that changed are sent.

Vectors of several models are kept beside each other; searches use those of the model that is
configured.

Exit status: 0 every chunk has a vector, or it was a dry run; 2 usage; 3 the server or the
database failed; 130 interrupted.`,
		Example: "  manito embed --dry-run\n  manito embed shop --yes",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				if o.repo != "" {
					return problem.New(problem.Usage, "the repository is named twice").Fix("leave out --repo")
				}
				o.repo = args[0]
			}
			return a.runEmbed(cmd.Context(), o)
		},
	}
	o.register(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.dry, "dry-run", false, "say what it takes and send nothing")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return cmd
}

// embedDocument is the JSON of embed.
type embedDocument struct {
	Schema     string   `json:"schema"`
	Repository string   `json:"repository"`
	Ref        string   `json:"ref"`
	URL        string   `json:"url"`
	Model      string   `json:"model"`
	Dimension  int      `json:"dimension,omitempty"` // of the stored vectors
	Chunks     int      `json:"chunks"`
	Missing    int      `json:"missing"`  // chunks without a vector, before
	Requests   int      `json:"requests"` // that it takes for them
	Tokens     int      `json:"tokens"`   // estimated
	Price      *float64 `json:"price"`    // estimated; null when it is unknown
	DryRun     bool     `json:"dry_run"`
	Embedded   int      `json:"embedded"` // chunks that got a vector now
}

func (a *app) runEmbed(ctx context.Context, o embedOptions) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	if cfg.Search.Embeddings != "openai" {
		return problem.New(problem.Usage, "no server is configured to make vectors: search.embeddings is %s", cfg.Search.Embeddings).
			Fix("set MANITO_SEARCH_EMBEDDINGS=openai, MANITO_EMBEDDINGS_MODEL and, for another server than OpenAI, MANITO_EMBEDDINGS_URL").Fix("docs/configuration.md lists the settings")
	}
	return a.ask(ctx, o.repoFlags, func(ctx context.Context, s *session) error {
		p := a.provider(s)
		snap := codeintel.Snapshot{Repo: s.chosen.repo.ID, ID: s.chosen.ref.Ref.Snapshot, Digest: s.chosen.ref.Manifest.Digest}
		corpus, err := s.db.store().Corpus(ctx, snap, s.index.Graph())
		if err != nil {
			return err
		}
		plan, err := p.Plan(ctx, &corpus)
		if err != nil {
			return err
		}
		d := embedDocument{Schema: "manito/embed/v1", Repository: s.chosen.repo.Name, Ref: s.chosen.ref.Ref.Name, URL: p.Options.Endpoint, Model: p.Options.Model, Dimension: plan.Dimension,
			Chunks: plan.Chunks, Missing: plan.Cost.Chunks, Requests: plan.Requests, Tokens: plan.Tokens, DryRun: o.dry}
		if plan.Known {
			d.Price = &plan.Price
		}
		if !a.json {
			out := a.printer()
			showEmbedPlan(out, &d, p.Options.Price)
			if err := out.flush(); err != nil {
				return err
			}
		}
		if !o.dry && d.Missing > 0 {
			if err := a.confirmEmbed(o, &d); err != nil {
				return err
			}
			if err := a.embed(ctx, p, &corpus, &d); err != nil {
				return err
			}
		}
		if a.json {
			return a.document(d)
		}
		return nil
	})
}

// embed does it, and says how far it came when it fails.
func (a *app) embed(ctx context.Context, p *provider.Provider, c *search.Corpus, d *embedDocument) (err error) {
	bar := a.progress()
	before := d.Chunks - d.Missing
	d.Embedded, err = p.Embed(ctx, c, func(stored int) { bar.chunks(stored, d.Missing) })
	bar.clear()
	if err != nil {
		return fmt.Errorf("%s of %s chunks have vectors; embed again goes on with the rest: %w", thousands(int64(before+d.Embedded)), thousands(int64(d.Chunks)), err)
	}
	if a.json {
		return nil
	}
	out := a.printer()
	out.line("embedded  %s; searches use them from now on", plural(d.Embedded, "chunk"))
	return out.flush()
}

func showEmbedPlan(p *printer, d *embedDocument, price float64) {
	p.line("%s  %s at %s", p.bold(d.Repository), d.Model, p.cyan(d.URL))
	p.line("chunks    %s, %s with vectors", thousands(int64(d.Chunks)), thousands(int64(d.Chunks-d.Missing)))
	if d.Missing == 0 {
		p.line("          %s", p.green("nothing is to be sent"))
		return
	}
	p.line("to send   %s in %s, about %s", plural(d.Missing, "chunk"), plural(d.Requests, "request"), plural(d.Tokens, "token"))
	if d.Price == nil {
		p.line("price     %s", "price unknown; with MANITO_EMBEDDINGS_PRICE, that of a million tokens, it can be estimated")
		return
	}
	p.line("price     about %.4f, at %g for a million tokens", *d.Price, price)
}

// confirmEmbed asks on a terminal, and refuses where nobody can answer.
func (a *app) confirmEmbed(o embedOptions, d *embedDocument) error {
	if o.yes {
		return nil
	}
	refused := problem.New(problem.Usage, "sending code to %s needs a confirmation", d.URL).Fix("see what it takes: manito embed --dry-run").Fix("then: manito embed --yes")
	in, ok := a.stdin.(io.Writer)
	if !ok || !terminal(in) || a.json {
		return refused
	}
	fmt.Fprintf(a.stderr, "Send the text of %s to %s? Type yes: ", plural(d.Missing, "chunk"), d.URL)
	answer, err := bufio.NewReader(a.stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the answer: %w", err)
	}
	switch strings.TrimSpace(answer) {
	case "yes":
		return nil
	case "":
		return refused
	}
	return problem.New(problem.Interrupted, "nothing was sent")
}

// chunks shows how many chunks are done.
func (b *progressBar) chunks(done, total int) {
	if !b.on || total == 0 {
		return
	}
	b.shown = true
	full := min(done*barWidth/total, barWidth)
	fmt.Fprintf(b.w, "\r\x1b[2Kembed    %s%s %s of %s chunks", strings.Repeat("█", full), strings.Repeat("░", barWidth-full), thousands(int64(done)), thousands(int64(total)))
}

// provider is the configured one for the repository that was chosen.
func (a *app) provider(s *session) *provider.Provider {
	return &provider.Provider{DB: s.db.DB, Repo: s.chosen.repo.ID, Options: providerOptions(s.cfg)}
}

// providerOptions say how the configured server is asked. OpenAI needs a key; other
// servers are asked without one when none is set.
func providerOptions(cfg *config.Config) openai.Options {
	p := &cfg.Search.Provider
	key, variable := cfg.ProviderKey()
	if variable == "" && cfg.ProviderNeedsKey() {
		variable = "MANITO_EMBEDDINGS_KEY"
	}
	return openai.Options{
		Endpoint: p.URL, Model: p.Model, Dimension: p.Dimension, KeyVariable: variable,
		Environment:    func(string) (string, bool) { return key, key != "" },
		DocumentPrefix: p.DocumentPrefix, QueryPrefix: p.QueryPrefix,
		PerMinute: p.RequestsMinute, TokensMinute: p.TokensMinute, Price: p.Price,
	}
}
