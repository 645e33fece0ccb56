package main

import (
	"fmt"
	"runtime"

	"manito/bench/corpus"
	"manito/internal/lang"
	"manito/internal/lang/golang"
	"manito/internal/lang/python"
	"manito/internal/lang/typescript"
)

// corpusSpec is one package of other people's code in which is searched.
type corpusSpec struct {
	name    string // in questions, results and tables
	title   string
	licence string
	pin     corpus.Pin
	// reader names the language whose extractor reads it; sources narrows the files
	// to some of that language's source languages, all when empty.
	reader  string
	sources []string
	// natural corpora have hand-labelled questions.
	natural bool
	// docstrings is how many functions are looked for by their documentation, at most.
	docstrings int
	// big corpora are not asked for names: all that costs more than it tells.
	big bool
	// quick corpora are scored by the test; the others only by the command.
	quick bool
}

// corpora are the packages, by language.
func corpora() []corpusSpec {
	goModule := func(name, version, sum string) corpus.Pin {
		return corpus.Pin{Registry: corpus.Go, Name: name, Version: version, Sum: sum}
	}
	npm := func(name, version, sum string, keep ...string) corpus.Pin {
		return corpus.Pin{Registry: corpus.Npm, Name: name, Version: version, Sum: sum, Keep: append(keep, "package.json", "tsconfig.json")}
	}
	debian := func(name, version, sum, keep string) corpus.Pin {
		return corpus.Pin{Registry: corpus.Debian, Name: name, Version: version, Sum: sum, Keep: []string{keep}}
	}
	javascript := []string{"javascript", "jsx"}
	return []corpusSpec{
		{
			name: "raft", title: "hashicorp/raft, a replicated log in Go", licence: "MPL-2.0", reader: "go", natural: true, quick: true,
			pin: goModule("github.com/hashicorp/raft", "v1.7.3", "h1:DxpEqZJysHN0wK+fviai5mFcSYsCkNpFUl1xpAW8Rbo="),
		},
		{
			name: "query-core", title: "@tanstack/query-core, a cache of server state in TypeScript", licence: "MIT", reader: "typescript", natural: true, quick: true,
			pin: npm("@tanstack/query-core", "5.108.0", "sha512-X9zJUtEV/0D2q9pmGS/Bza8S4bNovSBhZOtdhtu0fzsHwizC6C+Eh/q5CX3MQBchsRMrirWVQmv7Fp4OStzV9g==", "src"),
		},
		{
			name: "jinja2", title: "Jinja2, a template engine in Python", licence: "BSD-3-Clause", reader: "python", natural: true, quick: true,
			pin: debian("python3-jinja2", "3.1.2-1+deb12u3", "914e3a26742b488bca661dd12dc06198262c3a99b68f2f20ef7310aecdf82cae", "jinja2"),
		},
		{
			name: "pgx", title: "pgx, a PostgreSQL driver in Go", licence: "MIT", reader: "go", docstrings: 400, quick: true,
			pin: goModule("github.com/jackc/pgx/v5", "v5.12.0", "h1:hWwax8YiGT0YiN50U1oIDn5kgR7KC2tG3rmavwpPkxY="),
		},
		{
			name: "rxjs", title: "RxJS, streams of events in TypeScript", licence: "Apache-2.0", reader: "typescript", docstrings: 400, quick: true,
			pin: npm("rxjs", "7.8.2", "sha512-dhKf903U/PQZY6boNNtAGdWbG85WAbjT/1xYoZIC7FAY0yWapOBQVsVrDl58W86//e1VpMNBtRV4MaXfdMySFA==", "src"),
		},
		{
			name: "apache-arrow", title: "Apache Arrow, columnar data in TypeScript", licence: "Apache-2.0", reader: "typescript", docstrings: 400,
			pin: npm("apache-arrow", "21.2.0", "sha512-Hxe6Agq26gQOM954qpzYSllJBPJl+e16U5CkfuMUhLrNba+5nKkttIVlflaovN6oaTratqMGAO8H5u/aNhmHWQ==", "src"),
		},
		{
			name: "luxon", title: "Luxon, dates and times in JavaScript", licence: "MIT", reader: "typescript", sources: javascript, docstrings: 400, quick: true,
			pin: npm("luxon", "3.7.2", "sha512-vtEhXh/gNjI9Yg1u4jX/0YVPMvxzHuGgCm6tC5kZyb08yjGWGnqAjGJvcXbqQR2P3MyMEFnRbpcdFS6PBcLqew==", "src"),
		},
		{
			name: "three", title: "three.js, 3D graphics in JavaScript (math, core and objects)", licence: "MIT", reader: "typescript", sources: javascript, docstrings: 400,
			pin: npm("three", "0.178.0", "sha512-ybFIB0+x8mz0wnZgSGy2MO/WCO6xZhQSZnmfytSPyNpM0sBafGRVhdaj+erYh5U+RhQOAg/eXqw5uVDiM2BjhQ==", "src/core", "src/math", "src/objects"),
		},
		{
			name: "networkx", title: "NetworkX, graphs in Python", licence: "BSD-3-Clause", reader: "python", docstrings: 400,
			pin: debian("python3-networkx", "2.8.8-1", "69888603d1b54696f5c3d02d05527628d2d18661d845109a62fe24aff241aa7b", "networkx"),
		},
		{
			name: "rich", title: "Rich, formatted text in terminals in Python", licence: "MIT", reader: "python", docstrings: 400, quick: true,
			pin: debian("python3-rich", "13.3.1-1", "4922761342dd42eb989dcc148e7a251401caf0266796f9fb0907be262d4a4083", "rich"),
		},
		{
			name: "go-std", title: "Go's standard library without cmd", licence: "BSD-3-Clause", reader: "go", docstrings: 1500, big: true,
			pin: corpus.Pin{Registry: corpus.GOROOT, Name: "std", Version: runtime.Version()},
		},
	}
}

// corpusNamed is the corpus of a name.
func corpusNamed(name string) (corpusSpec, error) {
	for _, c := range corpora() {
		if c.name == name {
			return c, nil
		}
	}
	return corpusSpec{}, fmt.Errorf("there is no corpus %q", name)
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
