package doctor

import (
	"slices"
	"strings"

	"manito/internal/problem"
)

// Checks are all checks, in the order in which they run and in which their fixes
// belong: who owns what is settled before what anybody may do with it.
func Checks() []Check {
	return slices.Concat(ownership(), privileges(), migrations(), builtin(), functions(), paths(), sequences(), keys(), types(), indexes(), tables(), durability(), connections(), transport(), address(), poolers(), certificates(), versions(), contents(), products(), statements(), scale())
}

// choose are the checks with the given ids; a family's letters choose all of it.
func choose(only []string) ([]Check, error) {
	all := Checks()
	if len(only) == 0 {
		return all, nil
	}
	var out []Check
	for _, c := range all {
		id := c.Describe().ID
		if slices.ContainsFunc(only, func(o string) bool {
			return strings.EqualFold(o, id) || strings.EqualFold(o, id[:strings.IndexByte(id, '-')])
		}) {
			out = append(out, c)
		}
	}
	for _, o := range only {
		if !slices.ContainsFunc(out, func(c Check) bool {
			id := c.Describe().ID
			return strings.EqualFold(o, id) || strings.EqualFold(o, id[:strings.IndexByte(id, '-')])
		}) {
			return nil, problem.New(problem.Usage, "there is no check %q", o).Fix("see docs/doctor.md for the ids")
		}
	}
	return out, nil
}
