package typescript

import (
	"manito/internal/code"
	syntax "manito/internal/syntax/typescript"
)

// measure counts the branches of a definition's body: McCabe's cyclomatic
// complexity, and SonarSource's cognitive complexity without its rule on recursion.
type measure struct {
	branches  int
	cognitive int
	nesting   int
	closure   bool // there is a function literal in it
}

// measured sets the complexity of a definition from what was counted in it.
func (x *Extractor) measured(d code.DefID, body bool) {
	if !body {
		return
	}
	def := &x.doc.Defs[d]
	def.Cyclomatic = uint16(min(1+x.measure.branches, 1<<16-1))
	def.Cognitive = uint16(min(x.measure.cognitive, 1<<16-1))
}

// branch counts a branching structure; those inside of others weigh more.
func (x *Extractor) branch() {
	x.measure.branches++
	x.measure.cognitive += 1 + x.measure.nesting
}

// logical counts the operators of a chain of &&, || and ??: each is a branch,
// each run of one operator is one thing to think of.
func (x *Extractor) logical(op, before syntax.Kind) {
	x.measure.branches++
	if op != before {
		x.measure.cognitive++
	}
}

func isLogical(op syntax.Kind) bool {
	return op == syntax.KindAmpersandAmpersandToken || op == syntax.KindBarBarToken || op == syntax.KindQuestionQuestionToken
}
