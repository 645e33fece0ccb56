package typescript

import "strings"

// matchGlob matches a slash-separated path against a pattern with *, ? and **,
// as workspaces and the include lists of tsconfig.json write them.
func matchGlob(pattern, name string) bool {
	return matchParts(splitPath(pattern), splitPath(name))
}

func splitPath(p string) []string {
	p = strings.Trim(strings.TrimPrefix(p, "./"), "/")
	if p == "" || p == "." {
		return nil
	}
	return strings.Split(p, "/")
}

func matchParts(pattern, name []string) bool {
	for len(pattern) > 0 {
		if pattern[0] == "**" {
			for i := 0; i <= len(name); i++ {
				if matchParts(pattern[1:], name[i:]) {
					return true
				}
			}
			return false
		}
		if len(name) == 0 || !matchPart(pattern[0], name[0]) {
			return false
		}
		pattern, name = pattern[1:], name[1:]
	}
	return len(name) == 0
}

// matchPart matches one element of a path.
func matchPart(pattern, name string) bool {
	for {
		i := strings.IndexAny(pattern, "*?{")
		if i < 0 {
			return pattern == name
		}
		if len(name) < i || pattern[:i] != name[:i] {
			return false
		}
		c := pattern[i]
		rest := pattern[i+1:]
		pattern, name = rest, name[i:]
		switch c {
		case '?':
			if name == "" {
				return false
			}
			name = name[1:]
		case '*':
			for j := 0; j <= len(name); j++ {
				if matchPart(rest, name[j:]) {
					return true
				}
			}
			return false
		case '{':
			end := strings.IndexByte(rest, '}')
			if end < 0 {
				return false
			}
			for _, option := range strings.Split(rest[:end], ",") {
				if matchPart(option+rest[end+1:], name) {
					return true
				}
			}
			return false
		}
	}
}
