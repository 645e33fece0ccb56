package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"manito/bench/corpus"
	"manito/internal/lang"
	"manito/internal/lang/golang"
	"manito/internal/lang/python"
	"manito/internal/lang/typescript"
)

// subject is one package that is judged.
type subject struct {
	pin      corpus.Pin
	language string
	dispatch bool // chosen because it is heavy in interfaces or overridden methods
}

// subjects are the packages, by language.
func subjects() []subject {
	sources := []string{"src", "package.json", "tsconfig.json"}
	return []subject{
		{pin: corpus.Pin{Registry: corpus.Go, Name: "github.com/spf13/cobra", Version: "v1.9.1", Sum: "h1:CXSaggrXdbHK9CF+8ywj8Amf7PBRmPCOJugH954Nnlo="}, language: "go"},
		{pin: corpus.Pin{Registry: corpus.Go, Name: "go.uber.org/zap", Version: "v1.27.0", Sum: "h1:aJMhYGrd5QSmlpLMr2MftRKl7t8J8PTZPA732ud/XR8="}, language: "go", dispatch: true},
		{pin: corpus.Pin{Registry: corpus.Go, Name: "github.com/hashicorp/hcl/v2", Version: "v2.24.0", Sum: "h1:2QJdZ454DSsYGoaE6QheQZjtKZSUs9Nh2izTWiwQxvE="}, language: "go", dispatch: true},
		{pin: corpus.Pin{Registry: corpus.Go, Name: "github.com/jackc/pgx/v5", Version: "v5.12.0", Sum: "h1:hWwax8YiGT0YiN50U1oIDn5kgR7KC2tG3rmavwpPkxY="}, language: "go"},

		{pin: corpus.Pin{Registry: corpus.Npm, Name: "rxjs", Version: "7.8.2", Sum: "sha512-dhKf903U/PQZY6boNNtAGdWbG85WAbjT/1xYoZIC7FAY0yWapOBQVsVrDl58W86//e1VpMNBtRV4MaXfdMySFA==", Keep: sources}, language: "typescript"},
	}
}

// name is how the package's key and table row are called.
func (s subject) name() string { return s.pin.Name }

// keyFile is the file of the package's answer key below the folder of keys.
func (s subject) keyFile(dir string) string {
	name := strings.NewReplacer("/", "+", "@", "").Replace(s.pin.Name)
	return filepath.Join(dir, fmt.Sprintf("%s@%s.tsv.gz", name, strings.ReplaceAll(s.pin.Version, ":", "%3a")))
}

// languageOf is the reader of a language.
func languageOf(name string) (lang.Language, error) {
	for _, l := range []lang.Language{golang.Language(), typescript.Language(), python.Language()} {
		if l.Name == name {
			return l, nil
		}
	}
	return lang.Language{}, fmt.Errorf("no language %q", name)
}
