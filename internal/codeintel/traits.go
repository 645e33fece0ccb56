package codeintel

import "strings"

// question says which uses an answer is about.
type question uint8

const (
	askCalls  question = iota // calls, instantiations, and reads of what is called by reading it
	askUses                   // every reference
	askChange                 // whoever may have to change with it: every reference, and calls that are not written as one
)

// traits are what completeness needs to know of a language.
type traits struct {
	// moduleValues: a module can be held in a variable, so that a member of something unknown may be a function of a module.
	moduleValues bool
	// computedMembers: members can be chosen at run time by an expression.
	computedMembers bool
	// structural: a type may satisfy an interface without saying so and without the graph knowing.
	structural bool
	// reflectsExported: code that looks names up at run time finds exported members only.
	reflectsExported bool
	// implicit are members that the language or its library calls by itself.
	implicit func(name string) bool
	// hosts are endings of files in other languages that can hold or call code of this one.
	hosts []string
}

// traitsOf are the traits of a family. A family that is not listed is taken to be as dynamic as any.
func traitsOf(family string) traits {
	switch family {
	case "go":
		return traits{reflectsExported: true, implicit: func(string) bool { return false }, hosts: []string{".s", ".tmpl", ".gotmpl", ".gohtml", ".html"}}
	case "typescript":
		return traits{moduleValues: true, computedMembers: true, structural: true, implicit: implicitScript, hosts: []string{".vue", ".svelte", ".astro", ".mdx", ".html", ".htm"}}
	case "python":
		return traits{moduleValues: true, computedMembers: true, implicit: implicitPython, hosts: []string{".ipynb", ".pyx", ".pxd", ".html", ".htm", ".j2", ".jinja", ".jinja2", ".djhtml"}}
	}
	return traits{moduleValues: true, computedMembers: true, structural: true, implicit: func(string) bool { return false }}
}

func implicitScript(name string) bool {
	switch name {
	case "toString", "valueOf", "toJSON", "then", "[Symbol.iterator]", "[Symbol.asyncIterator]", "[Symbol.toPrimitive]", "[Symbol.dispose]", "[Symbol.hasInstance]":
		return true
	}
	return false
}

// implicitPython: double-underscored members are called by syntax, except those that follow from making an instance.
func implicitPython(name string) bool {
	return len(name) > 4 && strings.HasPrefix(name, "__") && strings.HasSuffix(name, "__") && name != "__init__" && name != "__new__"
}
