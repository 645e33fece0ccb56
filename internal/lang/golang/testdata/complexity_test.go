package complexity_test

import "testing"

func TestBranches(t *testing.T) {
	if a && b && c || d { // +1 if, +2 operators
	} else if !(a || b) { // +1, +1
	} else { // +1
	}
	for { // +1
		for range 3 { // +2
			switch { // +3
			case a:
			case b, c:
			default:
			}
			continue
		}
		break
	}
	func() {
		if a { // +2
		}
	}()
	select {
	case <-t.Context().Done():
	default:
	}
out:
	for {
		break out
	}
}

func Testable(t *testing.T)      {}
func Test(t *testing.T)          {}
func Test_x(t *testing.T)        {}
func BenchmarkX(b *testing.B)    {}
func ExampleTestBranches_other() {}
func helper()                    {}

type suite struct{}

func (suite) TestMethod() {}

var closure = func() bool { return a && b }
