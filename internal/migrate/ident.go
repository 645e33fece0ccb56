package migrate

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"

	"manito/internal/problem"
)

// DefaultSchema is the schema that Manito lives in unless configured otherwise.
const DefaultSchema = "manito"

// maxIdentifier is the length in bytes beyond which PostgreSQL cuts a name short.
const maxIdentifier = 63

// Roles are the names of the four roles of one installation, unquoted.
type Roles struct {
	Owner    string `json:"owner"`    // NOLOGIN; owns the schema and everything in it
	Migrator string `json:"migrator"` // LOGIN; member of Owner, without inheriting its rights
	App      string `json:"app"`      // LOGIN; SELECT, INSERT, UPDATE, DELETE; no CREATE
	Reader   string `json:"reader"`   // LOGIN; SELECT on the views
}

// RolesFor are the role names that start with a prefix.
func RolesFor(prefix string) Roles {
	return Roles{
		Owner:    prefix + "_owner",
		Migrator: prefix + "_migrator",
		App:      prefix + "_app",
		Reader:   prefix + "_reader",
	}
}

// DefaultRolePrefix derives the prefix of the role names from where an installation
// lives. Roles belong to the server, schemas to a database, so two installations on
// one server need both names, unless both are the same word. A prefix that would
// make a role name too long is cut and ends with a digest of the whole, and so does one
// whose database has characters in its name that a role's cannot have here.
func DefaultRolePrefix(database, schema string) string {
	prefix := schema
	if database != schema {
		prefix = database + "_" + schema
	}
	fit := strings.Map(func(r rune) rune {
		if allowed(r) {
			return r
		}
		return '_'
	}, prefix)
	const longest = maxIdentifier - len("_migrator")
	if len(fit) <= longest && fit == prefix {
		return prefix
	}
	sum := sha256.Sum256([]byte(prefix))
	tail := "_" + hex.EncodeToString(sum[:4])
	cut := fit[:min(len(fit), longest-len(tail))]
	for !utf8.ValidString(cut) {
		cut = cut[:len(cut)-1]
	}
	return cut + tail
}

// allowed says whether a character may stand in a name.
func allowed(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("_- .@+", r))
}

// quoted are the quoted forms of names, for the placeholders of migrations.
type quoted struct {
	schema string
	roles  Roles
}

// replacer expands the placeholders. The names hold no quote, backslash or dollar
// (see checkName), so that the expansion is right in a statement, in a string
// literal such as '{{schema}}.blob'::regclass, and in a dollar-quoted body.
func (q quoted) replacer() *strings.Replacer {
	return strings.NewReplacer(
		"{{schema}}", quote(q.schema),
		"{{owner}}", quote(q.roles.Owner),
		"{{migrator}}", quote(q.roles.Migrator),
		"{{app}}", quote(q.roles.App),
		"{{reader}}", quote(q.roles.Reader),
	)
}

// placeholders are the words that may stand between {{ and }} in a migration.
var placeholders = map[string]bool{"schema": true, "owner": true, "migrator": true, "app": true, "reader": true}

// quote makes a name an SQL identifier.
func quote(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// literal makes a text an SQL string literal. It serves statements that take no
// parameters, such as COMMENT ON ROLE; everything else binds its values.
func literal(text string) string {
	s := "'" + strings.ReplaceAll(text, "'", "''") + "'"
	if strings.Contains(text, `\`) {
		return " E" + strings.ReplaceAll(s, `\`, `\\`)
	}
	return s
}

// checkSchema refuses a schema that Manito cannot have to itself.
func checkSchema(name string) error {
	if err := checkName("the schema", name); err != nil {
		return err
	}
	switch {
	case name == "public", name == "information_schema", strings.HasPrefix(name, "pg_"):
		return problem.New(problem.Usage, "the schema %q belongs to PostgreSQL or to everybody", name).
			Fix("set POSTGRES_SCHEMA to a name of Manito's own, such as %q", DefaultSchema)
	}
	return nil
}

// checkName refuses a name that could not be put safely into every place where a
// placeholder may stand.
func checkName(what, name string) error {
	switch {
	case name == "":
		return problem.New(problem.Usage, "%s has an empty name", what)
	case len(name) > maxIdentifier:
		return problem.New(problem.Usage, "%s %q has %d bytes; PostgreSQL cuts names after %d", what, name, len(name), maxIdentifier).
			Fix("choose a shorter name")
	case !utf8.ValidString(name):
		return problem.New(problem.Usage, "%s %q is not valid UTF-8", what, name)
	}
	for _, r := range name {
		if !allowed(r) {
			return problem.New(problem.Usage, "%s %q holds the character %q", what, name, r).
				Fix("use letters, digits, spaces and _ - . @ +")
		}
	}
	return nil
}

// Expand replaces the placeholders of a statement.
func (s Statement) Expand(schema string, roles Roles) string {
	return quoted{schema, roles}.replacer().Replace(s.SQL)
}
