package source

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"

	"manito/internal/problem"
)

// gitConfig holds git's variables: "section.subsection.name" with section and
// name in lower case. The last value of a name counts.
type gitConfig map[string]string

// Limits on what is read of a repository's administrative files. They are far
// above any real file; a stranger's repository must not fill the memory.
const (
	maxConfigSize  = 4 << 20
	maxIgnoreSize  = 4 << 20
	maxIndexSize   = 2 << 30
	maxIncludeDeep = 10 // git's own limit
)

// bool is a variable's truth value; unset is false.
func (c gitConfig) bool(name string) bool {
	switch strings.ToLower(c[name]) {
	case "true", "yes", "on", "1":
		return true
	}
	return false
}

// configReader reads git configuration files, following includes.
type configReader struct {
	config gitConfig
	home   string // the user's home directory, "" unknown
	gitDir string // the repository, for includeIf "gitdir:"
	branch string // the branch that is checked out, for includeIf "onbranch:"
}

// readGitConfig reads what git would: system, user and repository files. With
// isolated only the repository's own is read.
func readGitConfig(dir gitDir, isolated bool) gitConfig {
	r := configReader{config: gitConfig{}, gitDir: dir.path, branch: dir.branch()}
	r.home, _ = os.UserHomeDir() // without one, paths that begin with "~" name nothing
	if !isolated {
		for _, path := range userConfigFiles(r.home) {
			r.file(path, 0)
		}
	}
	r.file(filepath.Join(dir.common, "config"), 0)
	if r.config.bool("extensions.worktreeconfig") {
		r.file(filepath.Join(dir.path, "config.worktree"), 0)
	}
	return r.config
}

// userConfigFiles lists the configuration files outside of the repository, in git's order.
func userConfigFiles(home string) []string {
	var files []string
	if v := strings.ToLower(os.Getenv("GIT_CONFIG_NOSYSTEM")); v == "" || v == "0" || v == "false" {
		system := "/etc/gitconfig"
		if v := os.Getenv("GIT_CONFIG_SYSTEM"); v != "" {
			system = v
		}
		files = append(files, system)
	}
	if v, set := os.LookupEnv("GIT_CONFIG_GLOBAL"); set {
		return append(files, v)
	}
	if dir := xdgConfigHome(home); dir != "" {
		files = append(files, filepath.Join(dir, "git", "config"))
	}
	if home != "" {
		files = append(files, filepath.Join(home, ".gitconfig"))
	}
	return files
}

func xdgConfigHome(home string) string {
	if v := os.Getenv("XDG_CONFIG_HOME"); v != "" {
		return v
	}
	if home == "" {
		return ""
	}
	return filepath.Join(home, ".config")
}

// file reads one file. One that is missing or unreadable sets nothing, as in git.
func (r *configReader) file(path string, depth int) {
	text, err := readLimited(path, maxConfigSize)
	if err != nil || depth > maxIncludeDeep {
		return
	}
	parseGitConfig(text, func(section, subsection, name, value string) {
		key := section + "." + name
		if subsection != "" {
			key = section + "." + subsection + "." + name
		}
		r.config[key] = value
		if name == "path" && (section == "include" && subsection == "" || section == "includeif" && r.includes(subsection, path)) {
			r.file(r.path(value, path), depth+1)
		}
	})
}

// path expands a path of a configuration file: "~/" is home, what is relative starts at the file.
func (r *configReader) path(value, file string) string {
	if rest, ok := strings.CutPrefix(value, "~/"); ok {
		return filepath.Join(r.home, rest)
	}
	if filepath.IsAbs(value) {
		return value
	}
	return filepath.Join(filepath.Dir(file), value)
}

// includes tells whether the condition of an includeIf section holds.
func (r *configReader) includes(condition, file string) bool {
	kind, pattern, ok := strings.Cut(condition, ":")
	if !ok {
		return false
	}
	switch kind {
	case "gitdir", "gitdir/i":
		if rest, ok := strings.CutPrefix(pattern, "~/"); ok {
			pattern = filepath.ToSlash(filepath.Join(r.home, "x"))
			pattern = pattern[:len(pattern)-1] + rest
		} else if rest, ok := strings.CutPrefix(pattern, "./"); ok {
			pattern = filepath.ToSlash(filepath.Dir(file)) + "/" + rest
		} else if !strings.HasPrefix(pattern, "/") {
			pattern = "**/" + pattern
		}
		if strings.HasSuffix(pattern, "/") {
			pattern += "**"
		}
		g := compileGlob(pattern, true, kind == "gitdir/i")
		return g.match(filepath.ToSlash(r.gitDir))
	case "onbranch":
		if strings.HasSuffix(pattern, "/") {
			pattern += "**"
		}
		g := compileGlob(pattern, true, false)
		return r.branch != "" && g.match(r.branch)
	}
	return false
}

// parseGitConfig reads the syntax of git-config(1) and calls set for each
// variable. A line it cannot read ends the reading, as nothing behind it can be trusted.
func parseGitConfig(text []byte, set func(section, subsection, name, value string)) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	section, subsection := "", ""
	for len(text) > 0 {
		c := text[0]
		switch {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v':
			text = text[1:]
		case c == '#' || c == ';':
			if end := bytes.IndexByte(text, '\n'); end >= 0 {
				text = text[end:]
			} else {
				return
			}
		case c == '[':
			var ok bool
			section, subsection, text, ok = parseSection(text[1:])
			if !ok {
				return
			}
		default:
			name, rest := takeName(text)
			if name == "" || section == "" {
				return
			}
			rest = bytes.TrimLeft(rest, " \t")
			if len(rest) == 0 || rest[0] != '=' { // a name alone means true
				if len(rest) > 0 && rest[0] != '\n' && rest[0] != '\r' && rest[0] != '#' && rest[0] != ';' {
					return
				}
				set(section, subsection, name, "true")
				text = rest
				continue
			}
			value, rest, ok := takeValue(rest[1:])
			if !ok {
				return
			}
			set(section, subsection, name, value)
			text = rest
		}
	}
}

// parseSection reads a section header after its bracket.
func parseSection(text []byte) (section, subsection string, rest []byte, ok bool) {
	i := 0
	for i < len(text) && text[i] != ']' && text[i] != ' ' && text[i] != '\t' && text[i] != '\n' {
		i++
	}
	if i == len(text) || i == 0 || text[i] == '\n' {
		return "", "", nil, false
	}
	section = strings.ToLower(string(text[:i]))
	if text[i] == ']' {
		if name, sub, dotted := strings.Cut(section, "."); dotted { // the old form [section.subsection]
			section, subsection = name, sub
		}
		return section, subsection, text[i+1:], true
	}
	text = bytes.TrimLeft(text[i:], " \t")
	if len(text) == 0 || text[0] != '"' {
		return "", "", nil, false
	}
	var sub []byte
	for i = 1; i < len(text) && text[i] != '"'; i++ {
		if text[i] == '\n' {
			return "", "", nil, false
		}
		if text[i] == '\\' && i+1 < len(text) {
			i++
		}
		sub = append(sub, text[i])
	}
	if i+1 >= len(text) || text[i+1] != ']' {
		return "", "", nil, false
	}
	return section, string(sub), text[i+2:], true
}

// takeName reads a variable's name: a letter, then letters, digits and dashes.
func takeName(text []byte) (name string, rest []byte) {
	i := 0
	for i < len(text) {
		c := lower(text[i])
		if c >= 'a' && c <= 'z' || i > 0 && (c >= '0' && c <= '9' || c == '-') {
			i++
			continue
		}
		break
	}
	return strings.ToLower(string(text[:i])), text[i:]
}

// takeValue reads a value up to the end of its line, with quotes, escapes,
// comments and continued lines.
func takeValue(text []byte) (value string, rest []byte, ok bool) {
	var out []byte
	kept := 0 // the length up to the last byte that is no trailing space
	quoted := false
	text = bytes.TrimLeft(text, " \t")
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\r' && i+1 < len(text) && text[i+1] == '\n':
			continue
		case c == '\n':
			if quoted {
				return "", nil, false
			}
			return string(out[:kept]), text[i:], true
		case (c == '#' || c == ';') && !quoted:
			end := bytes.IndexByte(text[i:], '\n')
			if end < 0 {
				return string(out[:kept]), nil, true
			}
			return string(out[:kept]), text[i+end:], true
		case c == '"':
			quoted = !quoted
			kept = len(out)
			continue
		case c == '\\':
			i++
			if i < len(text) && text[i] == '\r' && i+1 < len(text) && text[i+1] == '\n' {
				i++
			}
			if i == len(text) {
				return string(out), nil, true
			}
			switch text[i] {
			case '\n':
				continue
			case 't':
				out = append(out, '\t')
			case 'n':
				out = append(out, '\n')
			case 'b':
				out = append(out, '\b')
			case '\\', '"':
				out = append(out, text[i])
			default:
				return "", nil, false
			}
			kept = len(out)
			continue
		}
		out = append(out, c)
		if quoted || c != ' ' && c != '\t' {
			kept = len(out)
		}
	}
	if quoted {
		return "", nil, false
	}
	return string(out[:kept]), nil, true
}

// readLimited reads a regular file of bounded size, following links.
func readLimited(path string, limit int64) ([]byte, error) {
	f, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		return nil, problem.New(problem.Exhausted, "%s has more than %s", path, bytesText(limit))
	}
	return text, err
}

// openRegular opens a regular file, following links. Anything else is refused:
// a named pipe would wait for its writer, and for a stranger's repository for ever.
func openRegular(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, problem.New(problem.Invalid, "%s is no regular file", path)
	}
	return os.Open(path)
}
