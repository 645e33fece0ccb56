package adopt

import (
	"path"
	"strings"

	"manito/internal/code"
)

// kindOf is the kind of a node by its type, in whatever case it was written.
func kindOf(word string) code.Kind {
	w := strings.ToLower(word)
	switch w {
	case "module":
		return code.KindNamespace
	case "typealias", "type_alias":
		return code.KindType
	case "const":
		return code.KindConstant
	case "attribute":
		return code.KindField
	}
	k, _ := code.ParseKind(w)
	return k
}

// edgeOf is the kind of an edge by its relationship; false for one that Manito has not.
func edgeOf(word string) (code.EdgeKind, bool) {
	switch strings.ToLower(word) {
	case "call", "calls", "called", "invokes":
		return code.EdgeCalls, true
	case "instantiation", "instantiates", "new", "constructs":
		return code.EdgeInstantiates, true
	case "reference", "references", "usage", "uses", "read", "reads":
		return code.EdgeReads, true
	case "write", "writes", "assigns", "modifies":
		return code.EdgeWrites, true
	case "type", "uses_type", "type_reference":
		return code.EdgeUsesType, true
	case "extends", "inherits", "inheritance":
		return code.EdgeExtends, true
	case "implements", "implementation":
		return code.EdgeImplements, true
	case "overrides", "override":
		return code.EdgeOverrides, true
	case "import", "imports", "requires", "depends_on":
		return code.EdgeImports, true
	case "decorates", "decorator":
		return code.EdgeDecorates, true
	case "export", "exports":
		return code.EdgeExports, true
	}
	return 0, false
}

// holds says that a relationship only tells what stands in what.
func holds(word string) bool {
	switch strings.ToLower(word) {
	case "defines", "contains", "declares", "definition":
		return true
	}
	return false
}

// importOf is the kind of an import by the type of a dependency.
func importOf(word string) code.ImportKind {
	switch strings.ToLower(word) {
	case "dynamic":
		return code.ImportDynamic
	case "type":
		return code.ImportType
	case "reexport", "export":
		return code.ImportReexport
	case "side_effect", "side-effect":
		return code.ImportSideEffect
	}
	return code.ImportModule
}

// severityOf is a severity by its word.
func severityOf(word string) code.Severity {
	switch strings.ToLower(word) {
	case "error", "critical", "fatal", "high":
		return code.SeverityError
	case "warning", "warn", "medium":
		return code.SeverityWarning
	case "hint":
		return code.SeverityHint
	}
	return code.SeverityInfo
}

// languages are those that the predecessor scanned, by the ending of the file.
var languages = map[string]string{
	".js": "javascript", ".mjs": "javascript", ".cjs": "javascript", ".jsx": "jsx", ".ts": "typescript", ".tsx": "tsx", ".py": "python", ".go": "go",
	".rs": "rust", ".java": "java", ".cpp": "c++", ".cs": "c#", ".php": "php", ".rb": "ruby", ".swift": "swift", ".kt": "kotlin",
}

// languageOf is a file's language: by its ending, else by what a node of it says.
func languageOf(file, said string) string {
	if l, ok := languages[strings.ToLower(path.Ext(file))]; ok {
		return l
	}
	if said = strings.ToLower(said); said != "unknown" {
		return said
	}
	return ""
}

// maxPath is how long a path or root may be to be stored.
const maxPath = 2000

// relative is the path of a file in its project, with slashes; "" with the reason when
// it is none. A path outside of the project stays as it is.
func relative(root, name string) (string, string) {
	switch {
	case strings.TrimSpace(name) == "":
		return "", "it has no path"
	case len(scope(name)) > maxPath:
		return "", "its path is longer than can be stored"
	}
	slashes := func(s string) string {
		if strings.Contains(s, `\`) && (len(s) > 2 && s[1] == ':' || strings.HasPrefix(s, `\\`) || !strings.Contains(s, "/")) {
			return strings.ReplaceAll(s, `\`, "/") // Windows
		}
		return s
	}
	clean := path.Clean(slashes(name))
	if base := path.Clean(slashes(root)); root != "" && base != "/" && base != "." {
		if rest, ok := strings.CutPrefix(clean, base+"/"); ok {
			clean = rest
		}
	}
	if clean == "." || clean == "/" {
		return "", "its path is no file"
	}
	return clean, ""
}
