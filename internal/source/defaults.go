package source

import (
	"bytes"
	"strings"
)

// cacheTag begins the file CACHEDIR.TAG, by which a program marks a directory it
// can make again (bford.info/cachedir): Cargo's target, pytest, ruff, mypy.
const cacheTag = "Signature: 8a477f597d28d172789f06886806bc55"

// skippedByName tells whether a directory outside of any work tree is left out
// by its name alone. These names are made by one tool for one purpose; nothing
// that might be written by hand is among them. Inside a work tree git decides.
func skippedByName(name string) (SkipReason, bool) {
	switch name {
	case ".git", ".hg", ".svn", ".bzr", ".jj", ".sl", "_darcs", ".pijul", "CVS":
		return SkipVersionControl, true
	case "node_modules", "bower_components", "jspm_packages":
		return SkipDependencies, true
	case "__pycache__", ".tox", ".nox", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".gradle", ".terraform",
		".next", ".nuxt", ".svelte-kit", ".parcel-cache", ".turbo", ".angular":
		return SkipBuildOutput, true
	}
	return SkipNone, false
}

// skippedByContent tells whether a directory outside of any work tree is left
// out because of a file in it. has answers whether it has a file of that name,
// read returns the first bytes of one.
func skippedByContent(has func(name string) bool, read func(name string) []byte) (SkipReason, bool) {
	switch {
	case has("pyvenv.cfg"): // a Python virtual environment, whatever its name
		return SkipDependencies, true
	case has("CACHEDIR.TAG") && bytes.HasPrefix(read("CACHEDIR.TAG"), []byte(cacheTag)):
		return SkipBuildOutput, true
	}
	return SkipNone, false
}

// vendoredDir tells whether a directory holds copies of other people's code, by
// its name and the path above it. go-enry's rule is wider: it takes every cache/,
// env/, dist/ and testdata/ and every .d.ts for vendored, which is right for
// counting lines of a language and wrong for a graph of the code.
func vendoredDir(above, name string) bool {
	switch name {
	case "vendor", "node_modules", "bower_components", "jspm_packages", "third_party", "thirdparty", "third-party",
		"3rdparty", "3rd_party", "site-packages", "dist-packages", "Pods", "Carthage", "elm-stuff", "flow-typed",
		"web_modules", "_vendor", "vendored":
		return true
	case "_workspace":
		return lastElement(above) == "Godeps"
	case "releases", "plugins", "sdks", "versions", "unplugged":
		return lastElement(above) == ".yarn"
	case "wrapper":
		return lastElement(above) == "gradle" || lastElement(above) == ".mvn"
	}
	return false
}

// vendoredFile tells whether a file is a copy of a well-known library, by its name.
func vendoredFile(base string) bool {
	switch base {
	case "gradlew", "gradlew.bat", "mvnw", "mvnw.cmd", "config.guess", "config.sub", "libtool.m4", "ltmain.sh",
		"ltoptions.m4", "ltsugar.m4", "ltversion.m4", "lt~obsolete.m4", "erlang.mk", "cpplint.py":
		return true
	}
	if !strings.HasSuffix(base, ".js") && !strings.HasSuffix(base, ".css") {
		return false
	}
	for _, library := range [...]string{"jquery", "bootstrap", "angular", "react", "react-dom", "vue", "lodash", "underscore",
		"backbone", "moment", "d3", "modernizr", "prototype", "mootools", "dojo", "knockout", "ember", "require", "handlebars"} {
		if rest, ok := strings.CutPrefix(base, library); ok && versioned(rest) {
			return true
		}
	}
	switch base {
	case "jquery.js", "bootstrap.js", "bootstrap.css", "modernizr.js", "normalize.css", "font-awesome.css", "html5shiv.js":
		return true
	}
	return false
}

// versioned tells whether what follows a library's name is a version: "-3.7.1.js", ".v4.min.js".
func versioned(rest string) bool {
	if len(rest) < 2 || rest[0] != '-' && rest[0] != '.' {
		return false
	}
	rest = strings.TrimPrefix(rest[1:], "v")
	return rest != "" && rest[0] >= '0' && rest[0] <= '9'
}

func lastElement(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }
