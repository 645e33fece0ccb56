package lint

import (
	"slices"
	"strings"

	"manito/internal/migrate"
)

// Rules are the codes of all findings that a comment can allow, with their severity.
var Rules = map[string]migrate.Severity{
	"syntax": migrate.High, // PostgreSQL's parser refuses it

	// A lock that stops readers or writers while the table is read or rewritten.
	"column-default":   migrate.High,   // add a column with a default that differs by row
	"column-not-null":  migrate.High,   // add a column that must have a value, without a default
	"not-null":         migrate.High,   // reads the whole table
	"constraint":       migrate.High,   // foreign key or check that is validated at once
	"unique":           migrate.High,   // unique or primary key that builds its index
	"exclusion":        migrate.High,   // can only be built under a lock
	"index":            migrate.High,   // create, drop or reindex not concurrently
	"type-change":      migrate.High,   // may rewrite the table and its indexes
	"generated":        migrate.High,   // stored generated column: rewrites the table
	"rewrite":          migrate.High,   // VACUUM FULL, CLUSTER, SET LOGGED, REFRESH not concurrently
	"lock":             migrate.High,   // LOCK TABLE
	"many-locks":       migrate.Medium, // several tables locked at once
	"partition":        migrate.High,   // attach that scans, detach not concurrently
	"trigger":          migrate.Medium, // on a table in use
	"rows-and-objects": migrate.Medium,

	// Rows that are lost, a program that breaks.
	"drop":       migrate.High,
	"truncate":   migrate.High,
	"cascade":    migrate.High,
	"rename":     migrate.High,
	"unlogged":   migrate.High, // emptied after a crash
	"durability": migrate.High, // synchronous_commit

	// Right here, wrong elsewhere or later.
	"schema-name":      migrate.High,   // a schema by its own name
	"privileged":       migrate.High,   // roles, owners, extensions
	"public":           migrate.High,   // rights for everybody
	"security-definer": migrate.High,   // without a pinned search path
	"setting":          migrate.High,   // outlives the file
	"enum-value":       migrate.High,   // used in the transaction that adds it
	"if-exists":        migrate.Medium, // hides what is there
	"repository-key":   migrate.High,   // a key that does not lead with repo_id
	"type":             migrate.Low,    // json, char(n), varchar(n), timestamp, money, serial
	"small-key":        migrate.Low,    // a counter that ends at two thousand million
	"domain":           migrate.Low,    // with a constraint
}

// always holds for both directions.
func (l *linter) always(kind string, n node) {
	walk(node{kind: n}, func(kind string, n node) {
		switch kind {
		case "RangeVar", "relation", "pktable", "view", "rel", "sequence":
			if s := text(n, "schemaname"); s != "" && s != schemaName && !slices.Contains([]string{"pg_catalog", "information_schema", "pg_temp"}, s) {
				l.found("schema-name", "%s.%s names a schema by its own name", s, text(n, "relname")).Fix = "leave the schema out, or write {{schema}}"
			}
		}
	})
	switch kind {
	case "DropStmt":
		if text(n, "behavior") == "DROP_CASCADE" {
			l.found("cascade", "CASCADE drops what nobody named").Fix = "drop the dependents by name first"
		}
	case "TruncateStmt":
		if text(n, "behavior") == "DROP_CASCADE" {
			l.found("cascade", "CASCADE empties what nobody named").Fix = "name the tables"
		}
	case "CreateRoleStmt", "AlterRoleStmt", "AlterRoleSetStmt", "DropRoleStmt", "GrantRoleStmt", "DropOwnedStmt", "ReassignOwnedStmt",
		"AlterOwnerStmt", "CreateExtensionStmt", "AlterDatabaseStmt", "AlterDatabaseSetStmt", "CreateSchemaStmt", "AlterSystemStmt", "AlterDefaultPrivilegesStmt":
		l.found("privileged", "roles, owners, schemas, extensions and default privileges are not a migration's").Fix = "let manito db init do it"
	case "VariableSetStmt":
		l.setting(n)
	case "GrantStmt":
		for _, g := range list(n, "grantees") {
			if flag(n, "is_grant") && text(g, "roletype") == "ROLESPEC_PUBLIC" {
				l.found("public", "everybody who can connect gets the right").Fix = "grant it to {{app}} or {{reader}}"
			}
		}
	}
}

// setting judges SET.
func (l *linter) setting(n node) {
	name := text(n, "name")
	if name == "synchronous_commit" || name == "fsync" || name == "full_page_writes" {
		l.found("durability", "%s decides whether an acknowledged row survives a crash", name).Fix = "remove the statement"
	}
	if !flag(n, "is_local") {
		l.found("setting", "SET %s outlives this file", name).Fix = "write SET LOCAL, or remove it"
	}
}

// up holds on the way up.
func (l *linter) up(kind string, n node) {
	switch kind {
	case "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt":
		if l.dml == 0 && !l.created[relation(child(n, "relation"))] {
			l.dml = l.line
		}
	case "CreateStmt":
		l.ddl = true
		l.create(n)
	case "CreateTableAsStmt":
		l.ddl = true
		l.created[relation(child(n, "into", "rel"))] = true
	case "ViewStmt":
		l.created[relation(child(n, "view"))] = true
	case "AlterTableStmt":
		l.ddl = true
		l.alter(n)
	case "IndexStmt":
		l.ddl = true
		l.index(n)
	case "DropStmt":
		l.ddl = true
		l.drop(n)
	case "RenameStmt", "AlterObjectSchemaStmt":
		if !l.created[relation(child(n, "relation"))] {
			l.found("rename", "what runs at this moment still uses the old name").Fix = "add the new name beside the old one, and remove that in a later release"
		}
	case "TruncateStmt":
		l.found("truncate", "TRUNCATE loses rows and stops every reader").Fix = "delete the rows that must go, in small steps"
	case "VacuumStmt":
		for _, o := range list(n, "options") {
			if text(o, "defname") == "full" {
				l.found("rewrite", "VACUUM FULL stops every reader while it rewrites the table").Fix = "use plain VACUUM"
			}
		}
	case "ClusterStmt":
		l.found("rewrite", "CLUSTER stops every reader while it rewrites the table").Fix = "remove the statement"
	case "RefreshMatViewStmt":
		if !flag(n, "concurrent") && !l.created[relation(child(n, "relation"))] {
			l.found("rewrite", "REFRESH stops every reader of the view").Fix = "refresh it CONCURRENTLY"
		}
	case "LockStmt":
		l.found("lock", "LOCK TABLE waits for every transaction before, and stops those behind").Fix = "remove the statement"
	case "ReindexStmt":
		if !slices.ContainsFunc(list(n, "params"), func(p node) bool { return text(p, "defname") == "concurrently" }) {
			l.found("index", "REINDEX stops writers").Fix = "use REINDEX CONCURRENTLY in a file with NO TRANSACTION"
		}
	case "CreateDomainStmt":
		l.ddl = true
		if len(list(n, "constraints")) > 0 {
			l.found("domain", "a domain's constraint cannot be changed without reading every table that uses it").Fix = "put the constraint on the table"
		}
	case "AlterEnumStmt":
		l.ddl = true
		if text(n, "oldVal") != "" {
			l.found("rename", "what runs at this moment still uses the old value").Fix = "add a new value"
		} else if l.file.Transaction {
			l.values = append(l.values, text(n, "newVal"))
		}
	case "CreateFunctionStmt":
		l.ddl = true
		l.function(n)
	case "CreateTrigStmt":
		l.ddl = true
		if t := relation(child(n, "relation")); !l.created[t] {
			l.lock(t)
			l.found("trigger", "from now on every write to %s runs the trigger, also those of the program that runs at this moment", t).Fix =
				"make sure that it may, and allow it with the reason"
		}
	}
	l.enumValues(kind, n)
}

// enumValues finds the use of a value in the transaction that adds it.
func (l *linter) enumValues(kind string, n node) {
	if len(l.values) == 0 || kind == "AlterEnumStmt" {
		return
	}
	walk(n, func(kind string, n node) {
		if v := text(n, "sval"); kind == "sval" && slices.Contains(l.values, v) {
			l.found("enum-value", "the value %q was added in this transaction and cannot be used in it", v).Fix = "use it in the next file"
		}
	})
}

// function judges CREATE FUNCTION.
func (l *linter) function(n node) {
	definer, pinned := false, false
	for _, o := range list(n, "options") {
		switch text(o, "defname") {
		case "security":
			definer = flag(child(o, "arg", "Boolean"), "boolval")
		case "set":
			pinned = pinned || text(child(o, "arg", "VariableSetStmt"), "name") == "search_path"
		}
	}
	if definer && !pinned {
		l.found("security-definer", "the function %s runs with its owner's rights and its caller's search path", strings.Join(strs(n, "funcname"), ".")).Fix =
			"add SET search_path = {{schema}}, pg_temp"
	}
}

// lock remembers that a table of before is locked against readers.
func (l *linter) lock(table string) {
	if table == "" || l.created[table] || l.locked[table] {
		return
	}
	l.locked[table] = true
	if len(l.locked) == 2 {
		l.found("many-locks", "the file holds locks on several tables until it ends").Fix = "use one file for each table"
	}
}
