// Package adopt takes over the database of a predecessor: a schema of projects, scans,
// files, dependencies, conflicts, graph nodes and edges, references, chunks,
// diagnostics, users and searches, as the program that Manito succeeds left it.
//
// A Source is the old schema, read in one read-only snapshot. Every row of every table
// is copied as it is and counted at both ends. Then the rows are put together into a
// plan: a project becomes a repository, a path a Document, a node a definition, an edge
// an edge whose reason says that nobody here established it. The plan is published like
// a scan. What has no place in a graph stays among the copied rows with the reason.
//
// The old schema is not touched until Drop, which compares once more.
//
// cli may import it.
package adopt
