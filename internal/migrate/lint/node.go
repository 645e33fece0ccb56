package lint

import "strings"

// node is a part of the parser's tree, as JSON gives it.
type node = map[string]any

// child follows names down the tree; nil when one of them is missing.
func child(n node, names ...string) node {
	for _, name := range names {
		next, ok := n[name].(map[string]any)
		if !ok {
			return nil
		}
		n = next
	}
	return n
}

// text is a string in a node; empty when it is not there.
func text(n node, name string) string {
	s, _ := n[name].(string) // the zero value is what the parser leaves out
	return s
}

// flag is a boolean in a node; false when it is not there.
func flag(n node, name string) bool {
	b, _ := n[name].(bool) // the zero value is what the parser leaves out
	return b
}

// list is the nodes of a list, without their kind: [{"ColumnDef": {…}}] gives the inner.
func list(n node, name string) []node {
	var out []node
	items, _ := n[name].([]any) // an empty list is left out
	for _, item := range items {
		for _, inner := range asNode(item) {
			out = append(out, asNode(inner))
		}
	}
	return out
}

// kinds is like list, with the kind of each node beside it.
func kinds(n node, name string) (names []string, nodes []node) {
	items, _ := n[name].([]any) // an empty list is left out
	for _, item := range items {
		for kind, inner := range asNode(item) {
			names = append(names, kind)
			nodes = append(nodes, asNode(inner))
		}
	}
	return names, nodes
}

func asNode(v any) node {
	n, _ := v.(map[string]any) // nil reads as an empty node
	return n
}

// strs are the strings of a list such as [{"String": {"sval": "a"}}].
func strs(n node, name string) []string {
	var out []string
	for _, s := range list(n, name) {
		out = append(out, text(s, "sval"))
	}
	return out
}

// typeName is the name of a type without its schema, such as int4.
func typeName(n node) string {
	names := strs(n, "names")
	if len(names) == 0 {
		return ""
	}
	return names[len(names)-1]
}

// relation is the name of a table that a node "relation" names.
func relation(n node) string { return text(n, "relname") }

// walk calls f for every node below n, with its kind: the key that it stands under.
func walk(n node, f func(kind string, n node)) {
	for key, v := range n {
		walkValue(key, v, f)
	}
}

func walkValue(key string, v any, f func(kind string, n node)) {
	switch v := v.(type) {
	case map[string]any:
		f(key, v)
		walk(v, f)
	case []any:
		for _, item := range v {
			walkValue(key, item, f)
		}
	}
}

// quoteList is names for a message.
func quoteList(names []string) string { return strings.Join(names, ", ") }
