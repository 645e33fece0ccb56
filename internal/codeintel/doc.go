// Package codeintel is the hall of the house: every question that can be asked
// of a scanned repository is one use case here, one file each, and every face
// (command line, REST, MCP, browser) only asks and prints.
//
// Its nouns:
//
//   - Index: one snapshot of a repository, open for questions.
//   - Shelf: the Indexes that are open in this process; it finds a snapshot's
//     graph file or has it made again.
//   - Subject: what a question is about, found from what a person typed.
//   - Answer types: one per use case, with a versioned schema word; their JSON is
//     documented by their fields. Lines and columns in answers begin at 1, columns
//     count bytes.
//   - Completeness: whether an answer is everything there is, and if not, why.
//
// It may be imported by server, api, mcp, web and cli.
package codeintel
