package doctor

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// changesOwner reads the object and its new owner out of a fix of OWN-01, and, out of its
// undo, who owns it now.
var changesOwner = regexp.MustCompile(`(?s)^ALTER (?:TABLE|SEQUENCE|VIEW|MATERIALIZED VIEW|FOREIGN TABLE|FUNCTION|PROCEDURE|AGGREGATE) (.+) OWNER TO (.+?);?$`)

// move is a change of owner that a step of the plan makes.
type move struct{ name, from, to string }

// plan puts the fixes of findings into the order in which they are to be run. Steps of
// one check that the same role runs stand together. A fix of something that an earlier
// step gives to another owner is for that owner, who alone can run it by then.
func (s *session) plan(ctx context.Context, all []Finding) ([]Step, error) {
	out := []Step{}
	var moves []move
	order := map[string]int{}
	for _, f := range all {
		if len(f.Fix.SQL) == 0 {
			continue
		}
		if _, ok := order[f.ID]; !ok {
			order[f.ID] = len(order)
		}
		out = append(out, Step{f.ID, f.Object, f.Fix})
		to, from := changesOwner.FindStringSubmatch(f.Fix.SQL[0]), changesOwner.FindStringSubmatch(f.Fix.Undo)
		if to != nil && from != nil && f.Fix.Safety != Advice {
			name, _, _ := strings.Cut(to[1], "(")
			moves = append(moves, move{name, unquote(from[2]), unquote(to[2])})
		}
	}
	if len(moves) > 0 {
		parts, err := s.parts(ctx, moves)
		if err != nil {
			return nil, err
		}
		moves = append(moves, parts...)
	}
	for i := range out {
		text, first := strings.Join(out[i].SQL, "\n"), -1
		holder := out[i].Role
		for _, m := range moves {
			// What a statement is about stands in it first; what it refers to comes later.
			if at := mentions(text, m.name); m.from == holder && at >= 0 && (first < 0 || at < first) {
				first, out[i].Role = at, m.to
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Step) int {
		return cmp.Or(order[a.ID]-order[b.ID], strings.Compare(a.Role, b.Role))
	})
	return out, nil
}

// parts are the indexes and sequences that follow tables to another owner.
func (s *session) parts(ctx context.Context, moves []move) (out []move, err error) {
	tables := make([]string, len(moves))
	for i, m := range moves {
		tables[i] = m.name
	}
	err = s.begin(ctx, pgx.ReadOnly, func() error {
		// Not to_regclass: it fails without a right on the schema.
		rows, err := s.tx.Query(ctx, `select t.n::int4, d.objid::regclass::text from pg_class o join unnest($1::text[]) with ordinality t(name, n) on t.name = o.oid::regclass::text
			join pg_depend d on d.refobjid = o.oid and d.refclassid = 'pg_class'::regclass
			join pg_class c on c.oid = d.objid where o.relnamespace in (select oid from pg_namespace where nspname = any($2::text[])) and o.relkind in ('r', 'p', 'm')
			and d.classid = 'pg_class'::regclass and c.relkind in ('i', 'I', 'S') order by 1, 2`, tables, s.arguments()["schemas"])
		if err != nil {
			return problem.Wrap(err, problem.Internal, "asking what belongs to a table")
		}
		var n int
		var name string
		_, err = pgx.ForEachRow(rows, []any{&n, &name}, func() error {
			out = append(out, move{name, moves[n-1].from, moves[n-1].to})
			return nil
		})
		return problem.Wrap(err, problem.Internal, "asking what belongs to a table")
	})
	return out, err
}

// unquote makes an SQL identifier a name again.
func unquote(identifier string) string {
	if inner, ok := strings.CutPrefix(identifier, `"`); ok {
		return strings.ReplaceAll(strings.TrimSuffix(inner, `"`), `""`, `"`)
	}
	return identifier
}

// mentions is where SQL has a name as a whole word; -1 where it has not.
func mentions(sql, name string) int {
	for from := 0; ; {
		i := strings.Index(sql[from:], name)
		if i < 0 {
			return -1
		}
		i += from
		end := i + len(name)
		if (i == 0 || !wordy(sql[i-1])) && (end == len(sql) || !wordy(sql[end])) {
			return i
		}
		from = end
	}
}

func wordy(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '"' || c == '$' || c == '.'
}
