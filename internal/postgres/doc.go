// Package postgres is the only package of the product that speaks SQL to the
// store. Its nouns:
//
//   - A [DB] is a pool of connections to one schema of one database.
//   - A [Repo] is a repository with all its branches, worktrees and overlays; its
//     id leads every key.
//   - A blob is the content of a file under its SHA-256, a fact what one extractor
//     said about it, a block the edges of one file, a path a file's name. They are
//     immutable and invisible until a snapshot names them; their ids are surrogate
//     keys of one repository, handed out by counters, and are never identity.
//   - A [Manifest] is a snapshot: which blob, fact and block each path has. It is
//     stored as the difference to its parent, in full every 64.
//   - A [Ref] names a snapshot and is the only row that moves.
//   - A [Lease] is the right to scan one repository, with a heartbeat and a fencing
//     token that is checked when the snapshot is published.
//   - A projection is what SQL users see of a ref: definitions, files, names,
//     dependencies, diagnostics and the index from symbols to files. It is derived
//     from a published snapshot and switched in one transaction.
//
// Everything a scan writes before it publishes goes out in short transactions on
// several connections; publishing is one small durable transaction.
//
// Rooms from scan upwards may import it, and so may doctor and backup.
package postgres
