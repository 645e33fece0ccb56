// Package all is the list of languages that Manito reads. A new language is its
// folder and one line here.
package all

import (
	"manito/internal/lang"
	"manito/internal/lang/golang"
	"manito/internal/lang/python"
	"manito/internal/lang/typescript"
)

// Languages lists the languages in the order in which they are shown. A program
// that was built without cgo has no tree-sitter and lists none of its languages.
func Languages() []lang.Language {
	list := []lang.Language{
		golang.Language(),
		typescript.Language(),
	}
	if python.Available {
		list = append(list, python.Language())
	}
	return list
}
