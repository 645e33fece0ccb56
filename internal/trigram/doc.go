// Package trigram finds literals and regexes in the texts of a repository.
//
// Its nouns:
//
//   - Hash: the name of a text, the SHA-256 of its bytes.
//   - segment: an immutable file of texts in compressed blocks, with for each trigram
//     (three bytes of case-folded text, each put into one of 64 classes) the blocks
//     that have it. Its name follows from the hashes of its texts.
//   - manifest: an immutable file that says for each file number of a snapshot in
//     which segment its text is. A rescan adds a segment with the new texts only.
//   - Index: an opened manifest with its segments; Search looks into it.
//   - Matcher: a compiled literal or regex; Expr: Matchers and conditions on file
//     numbers under and, or and not, which hold of files as a whole.
//   - File, Line: what is found, with the places to highlight.
//
// Trigrams only say where to look; what is yielded was seen in the text. The truth is
// elsewhere: every file here can be deleted and is made again by Update.
//
// File numbers and lines are 0-based; columns and places count bytes from 0.
//
// It imports problem only; search, codeintel and benchmarks import it.
package trigram
