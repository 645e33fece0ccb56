// Package source gives a repository's files: which there are, what they are and
// what is in them. It hides whether they come from a folder, from a revision in
// a git repository (local, bare or behind a URL) or from an archive.
//
// Its nouns:
//
//   - Tree: the files of one repository at one moment, sorted by path.
//   - File: what the listing alone tells of a file: path, size, kind, language by name.
//   - Content: what reading tells: bytes, hash, language, minified, generated, diagnostics.
//   - Skipped: a folder or special file that was left out on purpose, and why.
//
// A folder's files are exactly those that `git ls-files -co --exclude-standard`
// lists and that exist, with three deliberate differences:
//
//   - git names a nested repository as one entry "sub/". Here a submodule that is
//     checked out is descended into under its own rules, and any other repository
//     inside a work tree is Skipped; a folder that is no repository itself but
//     holds several is descended into, each under its own rules.
//   - A .manitoignore file, written like a .gitignore, is asked first: what it
//     excludes is left out even if git tracks it, what it re-includes with "!" is
//     listed even if git ignores it.
//   - A folder outside of any work tree follows its .gitignore files too, and
//     leaves out what is surely no source of its own (see defaults.go).
//
// Listing a folder reads git's files itself and runs no git: a repository's own
// configuration can name programs to run, and the folder may come from anywhere.
// The git command runs only for revisions and URLs, and for an index or refs in a
// form that is rare (split, sparse, reftable), without hooks, prompts and the
// programs that a repository names.
//
// A file that cannot be read, has vanished, is too large or is oddly encoded
// stays listed and carries a diagnostic; only a missing root, a broken archive
// or a git command that fails is an error.
//
// It imports code and problem; scan, codeintel and cli may import it.
package source
