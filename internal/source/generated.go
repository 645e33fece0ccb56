package source

import (
	"bytes"
	"strings"
)

// generatedName tells whether a file is written by a program, by its name alone:
// lock files and the output of generators that own their file names.
func generatedName(base string) bool {
	switch base {
	case "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb", "deno.lock",
		"go.sum", "go.work.sum", "Gopkg.lock", "glide.lock", "Cargo.lock", "poetry.lock", "pdm.lock", "uv.lock", "pylock.toml",
		"Pipfile.lock", "composer.lock", "Gemfile.lock", "mix.lock", "pubspec.lock", "Podfile.lock", "Package.resolved",
		"flake.lock", "MODULE.bazel.lock", "packages.lock.json", "gradle.lockfile", ".terraform.lock.hcl", ".pnp.cjs", ".pnp.loader.mjs":
		return true
	}
	dot := strings.IndexByte(base, '.')
	if dot < 0 {
		return false
	}
	for _, ending := range [...]string{".pb.go", "_pb2.py", "_pb2.pyi", "_pb2_grpc.py", ".pb.cc", ".pb.h", ".pb.ts", "_pb.js", "_pb.d.ts",
		".pb.gw.go", ".g.dart", ".freezed.dart", ".designer.cs", ".Designer.cs", ".g.cs", ".g.i.cs", ".js.map", ".css.map", ".mjs.map"} {
		if strings.HasSuffix(base, ending) {
			return true
		}
	}
	return strings.HasPrefix(base, "zz_generated") && strings.HasSuffix(base, ".go")
}

// generatedHead is how much of a file is looked at for a generator's mark.
const generatedHead = 4 << 10

// generatedText tells whether a file says that a program wrote it. For Go it is
// Go's own rule (go help generate); elsewhere a comment near the top with
// "@generated", or with both "generated" and "do not edit".
func generatedText(language string, text []byte) bool {
	head := text[:min(len(text), generatedHead)]
	if language == "go" {
		return generatedGo(text)
	}
	if !bytes.Contains(head, []byte("enerated")) && !bytes.Contains(head, []byte("ENERATED")) {
		return false
	}
	generated, untouchable := false, false
	block := "" // what ends the comment or string that goes on over lines
	for line := range bytes.Lines(head) {
		line = bytes.ToLower(bytes.TrimSpace(line))
		if len(line) == 0 {
			continue
		}
		if block == "" {
			if !commentLine(line) {
				return false
			}
			block = blockEnd(line)
		} else if bytes.Contains(line, []byte(block)) {
			block = ""
		}
		if bytes.Contains(line, []byte("@generated")) {
			return true
		}
		generated = generated || bytes.Contains(line, []byte("generated"))
		untouchable = untouchable || bytes.Contains(line, []byte("do not edit")) || bytes.Contains(line, []byte("don't edit")) || bytes.Contains(line, []byte("do not modify"))
		if generated && untouchable {
			return true
		}
	}
	return false
}

// commentLine tells whether a line begins as comments do in some language, or
// is one that may stand above them.
func commentLine(line []byte) bool {
	for _, start := range [...]string{"//", "#", "/*", "*", "--", ";", "%", "<!--", "<?xml", "<?php", `"""`, "'''", "(*", "{-", "\"use strict\"", "'use strict'", "rem ", "@echo", "\xef\xbb\xbf"} {
		if bytes.HasPrefix(line, []byte(start)) {
			return true
		}
	}
	return false
}

// blockEnd is what closes the block that a line opens and leaves open, "" none.
func blockEnd(line []byte) string {
	for _, pair := range [...][2]string{{"/*", "*/"}, {"<!--", "-->"}, {`"""`, `"""`}, {"'''", "'''"}, {"(*", "*)"}, {"{-", "-}"}} {
		if rest, ok := bytes.CutPrefix(line, []byte(pair[0])); ok && !bytes.Contains(rest, []byte(pair[1])) {
			return pair[1]
		}
	}
	return ""
}

// generatedGo applies Go's rule as go/ast.IsGenerated reads it: in a comment
// before the package clause, a line of the form "// Code generated ... DO NOT EDIT.".
func generatedGo(text []byte) bool {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	for {
		text = bytes.TrimLeft(text, " \t\r\n")
		switch {
		case bytes.HasPrefix(text, []byte("//")):
			line, rest, _ := bytes.Cut(text, []byte("\n"))
			if generatedLine(bytes.TrimSuffix(line, []byte("\r"))) {
				return true
			}
			text = rest
		case bytes.HasPrefix(text, []byte("/*")):
			end := bytes.Index(text[2:], []byte("*/"))
			if end < 0 {
				return false
			}
			for line := range bytes.SplitSeq(text[:end+4], []byte("\n")) {
				if generatedLine(bytes.TrimSuffix(line, []byte("\r"))) {
					return true
				}
			}
			text = text[end+4:]
		default:
			return false
		}
	}
}

func generatedLine(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte("// Code generated "))
	return ok && bytes.HasSuffix(rest, []byte(" DO NOT EDIT."))
}
