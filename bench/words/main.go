// Words makes the vectors from which every training of the built-in embedder
// begins (internal/embed/builtin/words.bin): what words of code mean to people who
// document it, learned from pinned packages under permissive licences. None of
// them is a package on which relevance is measured.
//
// Usage, from the root of the repository:
//
//	go run ./bench/words
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path"
	"slices"
	"strings"

	"manito/bench/corpus"
	"manito/internal/chunk"
	"manito/internal/code"
	"manito/internal/embed/builtin"
	"manito/internal/lang"
	"manito/internal/lang/golang"
	"manito/internal/lang/python"
	"manito/internal/lang/typescript"
	"manito/internal/source"
)

const target = "internal/embed/builtin/words.bin"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "words:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	dir, err := corpus.DefaultDir()
	if err != nil {
		return err
	}
	var all []chunk.Chunk
	for _, l := range libraries() {
		root, err := corpus.Fetch(ctx, dir, l.pin)
		if err != nil {
			return err
		}
		cs, err := read(ctx, root, l.language)
		if err != nil {
			return fmt.Errorf("%s: %w", l.pin, err)
		}
		fmt.Printf("%-45s %6d\n", l.pin, len(cs))
		all = append(all, cs...)
	}
	m, err := builtin.TrainWords(ctx, all)
	if err != nil {
		return err
	}
	b, err := m.Bytes()
	if err != nil {
		return err
	}
	fmt.Printf("%d chunks, %d words, %d bytes\n", len(all), m.Words(), len(b))
	return os.WriteFile(target, b, 0o644)
}

// read cuts the files of one language below root into chunks, tests and generated files left out.
func read(ctx context.Context, root string, language lang.Language) (out []chunk.Chunk, err error) {
	tree, err := source.Open(ctx, source.Input{Location: root, Isolated: true})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, tree.Close()) }()
	ex := language.NewExtractor()
	for i := range tree.Files {
		f := &tree.Files[i]
		if f.Vendored || strings.Contains("/"+f.Path, "/testdata/") || strings.Contains("/"+f.Path, "/test") {
			continue
		}
		c, err := tree.Read(ctx, f)
		if err != nil {
			return nil, err
		}
		if c.Skip != source.SkipNone || c.Outline || c.Binary || !slices.Contains(language.Sources, c.Language) {
			continue
		}
		text := slices.Clone(c.Bytes)
		doc := ex.Extract(ctx, lang.Input{Text: text, Dialect: ex.Dialect(path.Base(f.Path), c.Language)})
		if doc.Flags&(code.DocTest|code.DocGenerated) == 0 {
			out = append(out, chunk.Split(f.Path, doc, text)...)
		}
	}
	return out, nil
}

// library is a package to learn from.
type library struct {
	pin      corpus.Pin
	language lang.Language
}

// libraries are under the licences MIT, BSD and Apache 2.0.
func libraries() []library {
	goModule := func(name, version, sum string) library {
		return library{corpus.Pin{Registry: corpus.Go, Name: name, Version: version, Sum: sum}, golang.Language()}
	}
	npm := func(name, version, sum string, keep string) library {
		return library{corpus.Pin{Registry: corpus.Npm, Name: name, Version: version, Sum: sum, Keep: []string{keep, "package.json", "tsconfig.json"}}, typescript.Language()}
	}
	debian := func(name, version, sum, keep string) library {
		return library{corpus.Pin{Registry: corpus.Debian, Name: name, Version: version, Sum: sum, Keep: []string{keep}}, python.Language()}
	}
	return []library{
		goModule("golang.org/x/crypto", "v0.58.0", "h1:COkYLr4k7nDI4r6QtMML2AfzeIswWHAJthLS6K/M/54="),
		goModule("golang.org/x/mod", "v0.41.0", "h1:qJmnOUb4YB+FsEuM3HcWucdZASCPGhsX6uljO6pog0c="),
		goModule("golang.org/x/net", "v0.61.0", "h1:RR+6j/BTBCrggOLugxa+66R8FvoN6MHlzDlZIbN9YFw="),
		goModule("golang.org/x/sync", "v0.24.0", "h1:iqiDrGoDgyuvAKrhLQthUEzU/R378N78gXbBjxed7oA="),
		goModule("golang.org/x/text", "v0.43.0", "h1:1QivrlhwAsnMOcqgOdl9my7s9OyZl8O5/UGUTJVXoWc="),
		goModule("golang.org/x/tools", "v0.51.0", "h1:k4Xc/1Om9jwkBJBo4NVLMSARBoWtK10mx+W5BnXCeAI="),
		goModule("google.golang.org/grpc", "v1.61.0", "h1:TOvOcuXn30kRao+gfcvsebNEa5iZIiLkisYEkf7R7o0="),
		goModule("google.golang.org/protobuf", "v1.36.12", "h1:pJOKDDOyeXErUroCihFAd5LQuwXBSpVnKGrj5o/fwxc="),
		goModule("github.com/klauspost/compress", "v1.20.3", "h1:zWNoFqq/lSuYQRim3dUXlXeA0IqwuZGicdG5ZTfY5j4="),
		goModule("github.com/pelletier/go-toml/v2", "v2.2.4", "h1:mye9XuhQ6gvn5h28+VilKrrPoQVanw5PMw/TB0t5Ec4="),
		goModule("github.com/pressly/goose/v3", "v3.29.0", "h1:dtEnBCT7CqkHIUCdgrXsrmeisaN8gFkRU4Y5OEwif4o="),
		goModule("github.com/prometheus/client_golang", "v1.25.0", "h1:cDtW1TcFsMi1RJc8khwCKB4VhzwV04aKqbYtNOXuiK0="),
		goModule("github.com/prometheus/common", "v0.72.0", "h1:tAYsE+sPJxIncDAobm4H5aQjmox9ZxEIIqPbiffa8G4="),
		goModule("github.com/spf13/cobra", "v1.9.1", "h1:CXSaggrXdbHK9CF+8ywj8Amf7PBRmPCOJugH954Nnlo="),
		goModule("go.uber.org/zap", "v1.27.0", "h1:aJMhYGrd5QSmlpLMr2MftRKl7t8J8PTZPA732ud/XR8="),

		debian("python3-aiohttp", "3.8.4-1+deb12u2", "461d94dc4a9f11ee1afc7757ef127cc2b1929111d0cccdcc375b88778bbc4d3d", "aiohttp"),
		debian("python3-bs4", "4.11.2-2", "dbd4ad1d406c0cbb5c13529b4922601df98bbc0eb79e6c032be543c43351e5f6", "bs4"),
		debian("python3-celery", "5.2.6-5", "511b43f8d3fb8ddda852e87f74eb122cfc958bd0d5ede7b8165b00ef60ebdecc", "celery"),
		debian("python3-click", "8.1.3-2", "c3af7e231d711f7fdb9a2fac4954061fe423ea517279bc30bf95a0920738279b", "click"),
		debian("python3-distributed", "2022.12.1+ds.1-3", "609061f7d29af09741f97e1b07f5467cdd3f50b388f4e8ba37e80624cc0afd8d", "distributed"),
		debian("python3-django", "3:3.2.25-0+deb12u2", "829d97dfab849e97f46ad4714ee0b6e250bffba8c4bafa7bc74e4f1395ddafeb", "django"),
		debian("python3-flask", "2.2.2-3", "2c8c9a408c2373d8b42f0d3434f17fc1a710bc81e52273b96597b25c57b399d7", "flask"),
		debian("python3-jedi", "0.18.2-1", "234681a0d9eed78ca14793631f6fb301e86030a7c5942e09870126f18852fad6", "jedi"),
		debian("python3-kazoo", "2.8.0-2", "ed78410abcc2731780e72a7d0e21b2c03e27bf70515d6421d6afe1b32d60e4bb", "kazoo"),
		debian("python3-redis", "4.3.4-3", "5209fb79e67ad146d947dd5fdc789ca9a7662bb716fc18dda40471a2045f4a15", "redis"),
		debian("python3-requests", "2.28.1+dfsg-1", "c75b5c05d8d4a813bd83c3d432ffe65a2ca13e771bc91d4b9787690097598603", "requests"),
		debian("python3-sqlalchemy", "1.4.46+ds1-1", "141f3ed680b5de944c82aff900b1aeb4909a5d17ee0ddd3d697e250b5f765468", "sqlalchemy"),
		debian("python3-sqlparse", "0.4.2-1+deb12u1", "edd31cf6974984723034321451333ff375d0551baf375e8bc0ececaff661eabb", "sqlparse"),
		debian("python3-tornado", "6.2.0-3+deb12u4", "15e223bca534873c2a951881e6e7a83e64bee00874257b61a5d3759ea46b2f84", "tornado"),
		debian("python3-twisted", "22.4.0-4+deb12u1", "d8194df7c9b8a524ce7d350fcb4c6a734410a2c701f2bfa8c0d3f01864f51f6a", "twisted"),
		debian("python3-urllib3", "1.26.12-1+deb12u4", "9dd6fef10317e437f2195cb5ea8b38d8e39e02106c5fda7b16d58b4bb9a85886", "urllib3"),
		debian("python3-werkzeug", "2.2.2-3+deb12u1", "283e2d849e93531581948b0c49ebdd3831c0a5fc22edb7bc08efd3c38ae055b8", "werkzeug"),

		npm("@reduxjs/toolkit", "2.14.0", "sha512-m/PxMwRe0xLL6XUsAgy0YjInklHcfi9uMwFhJk+QINqjxqPvyc89T5cMjszA5bDmTE0gwGc7zr9LRO4gL+mhaw==", "src"),
		npm("@trpc/server", "11.25.2", "sha512-zfFwyroSYSYlsAGo7yezGM+gAhHRBD9LyVMkXyCjWM2JuhorKGzl2fBzEUjHSKTtYlJ8l6DR3LHsBHBCTmAofQ==", "src"),
		npm("ethers", "6.17.0", "sha512-BpyrpIPJ3ydEVow8zGaz1DuPS7YU8DcWxuBnY9a0UA/lvAPwrMr+EPXsfrul628SRaekPNeIM4UFh/91GWZang==", "src.ts"),
		npm("mobx", "7.1.3", "sha512-H2NcS5ylMsqYn7v4WpSdzv5YWPmw5XTV6pG2NvY0qYbh95FXbswZJ7pn7wU0rOtUvRzk+3t4AOX2eircoN+vBg==", "src"),
		npm("zod", "4.6.7", "sha512-g8W2D2kU6a8untc053fX1uVBKzM7yqAxW/3zwk83+6RyF2+SKOuV+c0wBDhUwzV1PaGapmZH+rmcUzPf+3CGwg==", "src"),
	}
}
