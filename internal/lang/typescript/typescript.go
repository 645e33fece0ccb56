// Package typescript is the TypeScript family: TypeScript, JavaScript and their
// JSX variants in one extractor over typescript-go's trees, the module
// resolution of Node and of the TypeScript compiler, and the rules by which link
// evaluates the family's expressions. It may be imported by lang/all.
//
// Some conventions are this family's own:
//
//   - A Document's names are bound as the compiler binds them: values, types and
//     namespaces apart, var and function hoisted, blocks, parameters, catch
//     clauses, type parameters, infer and mapped types with scopes of their own.
//   - A function held in a const, let or var is a function, a class held in one a
//     class; an arrow function in a class field is a method. In JavaScript a
//     function X with X.prototype.y = ... in its file is a class, and this.y = ...
//     in a method defines a field.
//   - The members of an object literal in a top-level variable, of the literals
//     in a type alias and of export default {...} are members of that definition.
//   - async functions have a Promise as Type.
//   - Types given by JSDoc comments in JavaScript count as if they were written.
package typescript

import "manito/internal/lang"

const languageName = "typescript"

// version of the extractor; raise it whenever the same bytes give another Document.
const version = 1

// Language is the TypeScript family.
func Language() lang.Language {
	return lang.Language{
		Name:    languageName,
		Sources: []string{"typescript", "tsx", "javascript", "jsx"},
		Version: version,
		Rules: lang.Rules{
			VirtualMethods: true,
			Builtins:       builtins(),
		},
		NewExtractor: func() lang.Extractor { return new(Extractor) },
		NewModules:   newModules,
	}
}
