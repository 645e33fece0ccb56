// Package graph holds one snapshot of a repository's code graph in memory, as
// flat arrays that are also a file: a compressed adjacency in both directions,
// the definitions, the names with an index, and the unresolved sites. On top of
// it stand the pure algorithms: cycles, reach, paths, rank, hubs and layers.
//
// Its nouns:
//
//   - Node: something an edge can go to: a symbol, a file, a package of the
//     repository (a scope), or an external package.
//   - Def: one place where a symbol is defined, or a file as a whole. A symbol
//     has several Defs when build constraints give it several.
//   - FileNo: a file, numbered in path order.
//   - Link: one edge, seen from either end.
//   - Site: a use that is no edge, with the reason why.
//
// Node, Def and FileNo are handles into one Graph. They are dense numbers given
// in (path, order) sequence, so they change from snapshot to snapshot: they must
// never be stored, shown or compared across graphs. What lasts is the symbol
// string and its key.
//
// A Graph is made by a Builder, which is fed file by file in path order, or
// opened from a file that Write made. It does not change afterwards and is safe
// for concurrent use. Lines and columns are 0-based here; columns count bytes.
//
// It imports code and problem only; codeintel, scan and benchmarks import it.
package graph
