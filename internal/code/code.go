// Package code is the vocabulary of Manito: the words in which one file is
// described (Document, Def, Use, Import, Export, Expr), the words in which files
// are tied together (Edge, Certainty, Evidence, Site) and the identity of a
// symbol (descriptor, symbol string, key). The words are those of SCIP, LSP and
// Kythe wherever these have one.
//
// A Document holds what ONE file says and nothing else: no path, no other file,
// no guess. It is a pure function of the file's bytes, its dialect and the
// extractor's version, which is why it can be stored under the hash of the
// bytes and never be wrong later. Edges are derived from Documents by package
// link and carry how they were established.
//
// Every package of Manito may import code; code imports nothing of Manito.
package code
