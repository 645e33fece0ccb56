// Package search finds things in one snapshot of a repository: symbols by name,
// places by text and regex, chunks by their words and their meaning, and all of
// them together.
//
// Its nouns:
//
//   - Symbols: the names of a graph, made ready for exact, prefix, camel-hump,
//     substring and fuzzy search.
//   - Match: how a symbol's name fits what was asked.
//
// Same snapshot, same query, same answer: every order ends in path and line.
//
// It imports graph, query, trigram, chunk, term, vector and embed; scan,
// codeintel and benchmarks import it.
package search
