// Package query is the language of searches: text in, a small tree out.
//
// Its nouns:
//
//   - Query: a tree with the settings of the whole search.
//   - Q: a node of the tree: And, Or, Not, Text or Is.
//   - Value: what a Text or an Is looks for, as it was written: a word, a "phrase" or a /regex/.
//   - At: the place of a mistake, carried by every error about the text of a query.
//
// The package knows nothing of what is searched: whether a language, a kind or a
// repository exists is for the caller to say, with Fail and the node's At.
// docs/search-syntax.md describes the language for its users.
//
// It imports problem only; search, codeintel and the faces import it.
package query
