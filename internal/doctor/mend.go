package doctor

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// ofExtension are functions and operators that are often missing, by the extension that brings them.
var ofExtension = map[string]string{
	"similarity": "pg_trgm", "word_similarity": "pg_trgm", "show_trgm": "pg_trgm", "uuid_generate_v4": "uuid-ossp", "uuid_generate_v1": "uuid-ossp", "unaccent": "unaccent",
	"crypt": "pgcrypto", "gen_salt": "pgcrypto", "digest": "pgcrypto", "hmac": "pgcrypto", "gen_random_bytes": "pgcrypto", "levenshtein": "fuzzystrmatch", "soundex": "fuzzystrmatch", "metaphone": "fuzzystrmatch", "dmetaphone": "fuzzystrmatch",
	"crosstab": "tablefunc", "hstore": "hstore", "%": "pg_trgm", "<->": "pg_trgm",
}

var (
	missingName = regexp.MustCompile(`^(?:function|operator does not exist: \S+) (\S+?)(?:\(| )`)
	missingOper = regexp.MustCompile(`^operator does not exist: .*? ([-+*/<>=~!@#%^&|?]+) `)
	twoArrows   = regexp.MustCompile(`->>(\s*'[^']*'\s*)(->>?)`)
	bodyStart   = regexp.MustCompile(`(?s)AS (\$[A-Za-z_]*\$)`)
	returnQuery = regexp.MustCompile(`(?i)\breturn\s+query\s+`)
)

// mend proposes a change for one error: another definition of the function, or a
// statement to run before it. It proposes nothing that it does not know.
func mend(f function, err *pgconn.PgError) (definition, before string) {
	d := f.definition
	switch err.Code {
	case "42702":
		if strings.Contains(d, "LANGUAGE plpgsql") && !strings.Contains(d, "#variable_conflict") {
			if m := bodyStart.FindStringIndex(d); m != nil {
				return d[:m[1]] + "\n#variable_conflict use_column" + d[m[1]:], ""
			}
		}
	case "42804":
		if strings.HasPrefix(err.Message, "structure of query does not match function result type") {
			return castQueries(d), ""
		}
	case "42883":
		if m := missingOper.FindStringSubmatch(err.Message); m != nil {
			if m[1] == "->>" || m[1] == "->" {
				// x ->> 'a' ->> 'b' asks a text for a member: only the last arrow may give text.
				if next := twoArrows.ReplaceAllString(d, "->$1$2"); next != d {
					return next, ""
				}
			}
			if e := ofExtension[m[1]]; e != "" {
				return "", extension(e)
			}
			return "", ""
		}
		if m := missingName.FindStringSubmatch(err.Message); m != nil {
			if e := ofExtension[m[1][strings.LastIndexByte(m[1], '.')+1:]]; e != "" {
				return "", extension(e)
			}
		}
	}
	return "", ""
}

func extension(name string) string {
	return "CREATE EXTENSION IF NOT EXISTS " + quote(name) + " SCHEMA public"
}

// castQueries wraps each RETURN QUERY of a function with RETURNS TABLE in one that casts
// every column to the type that is promised.
func castQueries(d string) string {
	types := tableTypes(d)
	if types == nil {
		return ""
	}
	at := returnQuery.FindAllStringIndex(d, -1)
	out := d
	for i := len(at) - 1; i >= 0; i-- {
		start := at[i][1]
		end := statementEnd(out, start)
		if end < 0 || strings.HasPrefix(strings.ToLower(out[start:]), "execute") {
			return ""
		}
		var columns, casts []string
		for n, t := range types {
			columns = append(columns, fmt.Sprintf("_%d", n+1))
			casts = append(casts, fmt.Sprintf("_._%d::%s", n+1, t))
		}
		out = out[:start] + "SELECT " + strings.Join(casts, ", ") + " FROM (" + out[start:end] + ") AS _(" + strings.Join(columns, ", ") + ")" + out[end:]
	}
	if out == d {
		return ""
	}
	return out
}

// tableTypes are the types of RETURNS TABLE(…) in a definition that PostgreSQL printed.
func tableTypes(d string) []string {
	const head = "RETURNS TABLE("
	i := strings.Index(d, head)
	if i < 0 {
		return nil
	}
	var out []string
	depth, start := 0, i+len(head)
	column := func(text string) {
		text = strings.TrimSpace(text)
		if strings.HasPrefix(text, `"`) {
			if j := strings.Index(text[1:], `" `); j >= 0 {
				out = append(out, text[j+3:])
			}
			return
		}
		_, t, _ := strings.Cut(text, " ")
		out = append(out, t)
	}
	for j := start; j < len(d); j++ {
		switch d[j] {
		case '(':
			depth++
		case ')':
			if depth == 0 {
				column(d[start:j])
				return out
			}
			depth--
		case ',':
			if depth == 0 {
				column(d[start:j])
				start = j + 1
			}
		}
	}
	return nil
}

// statementEnd is where the statement at start ends, at its semicolon; -1 when it does not.
// Strings, quoted names and comments are passed over.
func statementEnd(text string, start int) int {
	for i := start; i < len(text); i++ {
		switch c := text[i]; {
		case c == ';':
			return i
		case c == '\'' || c == '"':
			j := strings.IndexByte(text[i+1:], c)
			if j < 0 {
				return -1
			}
			i += j + 1
		case c == '-' && strings.HasPrefix(text[i:], "--"):
			j := strings.IndexByte(text[i:], '\n')
			if j < 0 {
				return -1
			}
			i += j
		case c == '/' && strings.HasPrefix(text[i:], "/*"):
			j := strings.Index(text[i:], "*/")
			if j < 0 {
				return -1
			}
			i += j + 1
		case c == '$' && strings.HasPrefix(text[i:], "$$"):
			return -1
		}
	}
	return -1
}
