package python

import (
	"strings"
)

// section is a section of an INI file: its values by key, in lower case.
type section map[string]string

// readConfig reads setup.cfg, tox.ini and pytest.ini: sections, keys, and values
// that go on over indented lines.
func readConfig(text string) map[string]section {
	all := map[string]section{}
	var now section
	key := ""
	for line := range strings.Lines(text) {
		bare := strings.TrimSpace(line)
		switch {
		case bare == "" || bare[0] == '#' || bare[0] == ';':
		case bare[0] == '[' && strings.HasSuffix(bare, "]"):
			name := strings.TrimSpace(bare[1 : len(bare)-1])
			if now = all[name]; now == nil {
				now = section{}
				all[name] = now
			}
			key = ""
		case now == nil:
		case (line[0] == ' ' || line[0] == '\t') && key != "":
			now[key] += "\n" + bare
		default:
			k, v, ok := strings.Cut(bare, "=")
			if colon, after, found := strings.Cut(bare, ":"); found && (!ok || len(colon) < len(k)) {
				k, v, ok = colon, after, true
			}
			if !ok {
				continue
			}
			key = strings.ToLower(strings.TrimSpace(k))
			now[key] = strings.TrimSpace(v)
		}
	}
	return all
}

// setup is what can be read of a setup.py without running it: the literals
// among the arguments that matter.
type setup struct {
	name    string
	dirs    map[string]string // package_dir: "" is the root of all
	where   []string          // find_packages(where)
	install []string          // install_requires
}

// readSetup looks for the arguments of setup() in a setup.py.
func readSetup(text string) setup {
	var s setup
	s.name = after(text, "name")
	if body := argument(text, "package_dir"); strings.HasPrefix(body, "{") {
		s.dirs = map[string]string{}
		list := literals(balanced(body))
		for i := 0; i+1 < len(list); i += 2 {
			s.dirs[list[i]] = list[i+1]
		}
	}
	for _, function := range []string{"find_packages(", "find_namespace_packages("} {
		rest := text
		for {
			at := strings.Index(rest, function)
			if at < 0 {
				break
			}
			rest = rest[at+len(function):]
			inside := strings.TrimSpace(balanced("(" + rest))
			inside = strings.TrimSpace(strings.TrimPrefix(inside, "("))
			if w := after(inside, "where"); w != "" {
				s.where = append(s.where, w)
			} else if strings.HasPrefix(inside, `"`) || strings.HasPrefix(inside, "'") {
				if l := literals(inside); len(l) > 0 {
					s.where = append(s.where, l[0])
				}
			}
		}
	}
	if body := argument(text, "install_requires"); strings.HasPrefix(body, "[") {
		s.install = literals(balanced(body))
	}
	return s
}

// argument is the text after "key =", where key is a whole word.
func argument(text, key string) string {
	for rest := text; ; {
		at := strings.Index(rest, key)
		if at < 0 {
			return ""
		}
		whole := at == 0 || !isName([]byte{rest[at-1]}) && rest[at-1] != '.'
		rest = rest[at+len(key):]
		tail := strings.TrimLeft(rest, " \t")
		if whole && strings.HasPrefix(tail, "=") && !strings.HasPrefix(tail, "==") {
			return strings.TrimLeft(tail[1:], " \t\r\n")
		}
	}
}

// after is the string literal that an argument is given, or "".
func after(text, key string) string {
	body := argument(text, key)
	if body == "" || body[0] != '"' && body[0] != '\'' {
		return ""
	}
	if l := literals(body); len(l) > 0 {
		return l[0]
	}
	return ""
}

// balanced is a text up to the bracket that closes its first.
func balanced(text string) string {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			if depth--; depth == 0 {
				return text[:i]
			}
		case '"', '\'':
			if end := strings.IndexByte(text[i+1:], c); end >= 0 {
				i += end + 1
			}
		}
	}
	return text
}

// literals are the plain string literals of a text.
func literals(text string) []string {
	var list []string
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '#':
			if end := strings.IndexByte(text[i:], '\n'); end >= 0 {
				i += end
			} else {
				return list
			}
		case '"', '\'':
			end := strings.IndexByte(text[i+1:], c)
			if end < 0 {
				return list
			}
			list = append(list, text[i+1:i+1+end])
			i += end + 1
		}
	}
	return list
}
