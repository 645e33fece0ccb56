// Package migrate brings Manito's schema to the version that this program needs,
// and says what is wrong when it cannot.
//
// Its nouns:
//
//   - A [File] is one numbered SQL file with an Up and a Down part. Files are
//     written unqualified; the placeholders {{schema}}, {{owner}}, {{migrator}},
//     {{app}} and {{reader}} stand for quoted identifiers. A checksum is taken over
//     the file as it stands, never over its expansion.
//   - The ledger is the table "migration": one row per applied file, written in the
//     file's own transaction. A row exists only for success.
//   - An attempt is one try at one file, kept for ever in "migration_attempt" and
//     written on a second connection, so that a failure is history and never a row
//     that blocks the next try.
//   - The four [Roles]: owner (cannot log in, owns every object), migrator (may
//     become the owner), app (reads and writes rows), reader (reads the views).
//
// One migrator runs at a time. The lock is an advisory lock that is polled, never
// waited for: a session that waits inside a statement holds a snapshot, and CREATE
// INDEX CONCURRENTLY in the session that has the lock waits for that snapshot.
//
// The packages postgres, doctor, backup, cli and tests may import it.
package migrate
