// Package all is the list of languages that Manito reads. A new language is its
// folder and one line here.
package all

import (
	"manito/internal/lang"
	"manito/internal/lang/golang"
	"manito/internal/lang/python"
	"manito/internal/lang/typescript"
)

// Languages lists the languages in the order in which they are shown.
func Languages() []lang.Language {
	return []lang.Language{
		golang.Language(),
		typescript.Language(),
		python.Language(),
	}
}
