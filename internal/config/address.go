package config

import (
	"net/url"
	"strings"

	"manito/internal/problem"
)

// Keywords takes a connection string of the form host=… user='…' apart, into names and
// values in their order; of two of a name the last one holds. problem.Usage when it cannot be read.
func Keywords(dsn string) ([][2]string, error) {
	var out [][2]string
	for rest := strings.TrimSpace(dsn); rest != ""; rest = strings.TrimSpace(rest) {
		key, value, ok := strings.Cut(rest, "=")
		if !ok {
			return nil, problem.New(problem.Usage, "the connection string has a word without a value")
		}
		value = strings.TrimLeft(value, " ")
		var b strings.Builder
		i, quoted := 0, strings.HasPrefix(value, "'")
		if quoted {
			i = 1
		}
		for ; i < len(value); i++ {
			c := value[i]
			if quoted && c == '\'' {
				i++
				break
			}
			if !quoted && c == ' ' {
				break
			}
			if c == '\\' && i+1 < len(value) {
				i++
				c = value[i]
			}
			b.WriteByte(c)
		}
		out = append(out, [2]string{strings.TrimSpace(key), b.String()})
		rest = value[min(i, len(value)):]
	}
	return out, nil
}

// address is what Check looks at in a connection string.
type address struct{ hosts, user, password, mode string }

// parseAddress reads both forms of a connection string. What cannot be read is left to
// whoever connects with it: the driver says what is wrong.
func parseAddress(raw string) (a address) {
	if !strings.Contains(raw, "://") {
		words, err := Keywords(raw)
		if err != nil {
			return a
		}
		for _, w := range words {
			a.set(w[0], w[1])
		}
		return a
	}
	u, err := url.Parse(raw)
	if err != nil {
		return a
	}
	a.hosts, a.user = u.Host, u.User.Username()
	a.password, _ = u.User.Password()
	for name, values := range u.Query() {
		a.set(name, values[len(values)-1])
	}
	return a
}

func (a *address) set(name, value string) {
	switch name {
	case "host", "hostaddr":
		a.hosts = value
	case "user":
		a.user = value
	case "password":
		a.password = value
	case "sslmode":
		a.mode = value
	}
}
