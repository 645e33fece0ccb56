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
	// needs are the npm packages that the judge needs to know the types of what the package imports.
	needs []string
	// conditions are the package's own names of the export conditions under which its sources are found.
	conditions []string
}

// subjects are the packages, by language.
func subjects() []subject {
	goModule := func(name, version, sum string) corpus.Pin {
		return corpus.Pin{Registry: corpus.Go, Name: name, Version: version, Sum: sum}
	}
	npm := func(name, version, sum string, keep ...string) corpus.Pin {
		return corpus.Pin{Registry: corpus.Npm, Name: name, Version: version, Sum: sum, Keep: append(keep, "package.json", "tsconfig.json")}
	}
	debian := func(name, version, sum, keep string) corpus.Pin {
		return corpus.Pin{Registry: corpus.Debian, Name: name, Version: version, Sum: sum, Keep: []string{keep}}
	}
	return []subject{
		{pin: goModule("github.com/spf13/cobra", "v1.9.1", "h1:CXSaggrXdbHK9CF+8ywj8Amf7PBRmPCOJugH954Nnlo="), language: "go"},
		{pin: goModule("go.uber.org/zap", "v1.27.0", "h1:aJMhYGrd5QSmlpLMr2MftRKl7t8J8PTZPA732ud/XR8="), language: "go", dispatch: true},
		{pin: goModule("github.com/hashicorp/hcl/v2", "v2.24.0", "h1:2QJdZ454DSsYGoaE6QheQZjtKZSUs9Nh2izTWiwQxvE="), language: "go", dispatch: true},
		{pin: goModule("github.com/jackc/pgx/v5", "v5.12.0", "h1:hWwax8YiGT0YiN50U1oIDn5kgR7KC2tG3rmavwpPkxY="), language: "go"},

		{pin: npm("rxjs", "7.8.2", "sha512-dhKf903U/PQZY6boNNtAGdWbG85WAbjT/1xYoZIC7FAY0yWapOBQVsVrDl58W86//e1VpMNBtRV4MaXfdMySFA==", "src"), language: "typescript"},
		{pin: npm("apache-arrow", "21.2.0", "sha512-Hxe6Agq26gQOM954qpzYSllJBPJl+e16U5CkfuMUhLrNba+5nKkttIVlflaovN6oaTratqMGAO8H5u/aNhmHWQ==", "src"), language: "typescript", dispatch: true, needs: []string{"@types/node@25.2.0", "flatbuffers@25.9.23", "json-with-bigint@3.5.3", "tslib@2.8.1"}},
		{pin: npm("zod", "4.6.7", "sha512-g8W2D2kU6a8untc053fX1uVBKzM7yqAxW/3zwk83+6RyF2+SKOuV+c0wBDhUwzV1PaGapmZH+rmcUzPf+3CGwg==", "src/v3"), language: "typescript", conditions: []string{"@zod/source"}},
		{pin: npm("@tanstack/query-core", "5.108.0", "sha512-X9zJUtEV/0D2q9pmGS/Bza8S4bNovSBhZOtdhtu0fzsHwizC6C+Eh/q5CX3MQBchsRMrirWVQmv7Fp4OStzV9g==", "src"), language: "typescript"},
		{pin: npm("mobx", "7.1.3", "sha512-H2NcS5ylMsqYn7v4WpSdzv5YWPmw5XTV6pG2NvY0qYbh95FXbswZJ7pn7wU0rOtUvRzk+3t4AOX2eircoN+vBg==", "src"), language: "typescript", dispatch: true},

		{pin: debian("python3-click", "8.1.3-2", "c3af7e231d711f7fdb9a2fac4954061fe423ea517279bc30bf95a0920738279b", "click"), language: "python"},
		{pin: debian("python3-jinja2", "3.1.2-1+deb12u3", "914e3a26742b488bca661dd12dc06198262c3a99b68f2f20ef7310aecdf82cae", "jinja2"), language: "python"},
		{pin: debian("python3-rich", "13.3.1-1", "4922761342dd42eb989dcc148e7a251401caf0266796f9fb0907be262d4a4083", "rich"), language: "python"},
		{pin: debian("python3-jedi", "0.18.2-1", "234681a0d9eed78ca14793631f6fb301e86030a7c5942e09870126f18852fad6", "jedi"), language: "python", dispatch: true},
		{pin: debian("python3-bs4", "4.11.2-2", "dbd4ad1d406c0cbb5c13529b4922601df98bbc0eb79e6c032be543c43351e5f6", "bs4"), language: "python"},
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
