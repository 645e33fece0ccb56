package doctor

import (
	"cmp"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// inTest are the tests that break what needs a server, a pooler or a clock of its own.
var inTest = map[string]string{
	"CONN-06": "server_test.go TestPooler", "CONN-08": "server_test.go TestPooler",
	"TLS-01": "tls_test.go TestTLS", "TLS-02": "tls_test.go TestTLS", "TLS-06": "tls_test.go TestTLS",
	"DUR-10": "tls_test.go TestStandby",
}

// breaks says whether the named test finds the check by its id.
func breaks(t *testing.T, test, id string) bool {
	t.Helper()
	file, name, _ := strings.Cut(test, " ")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(text), "\nfunc "+name+"(t *testing.T) {\n")
	body, _, _ = strings.Cut(body, "\n}\n")
	return regexp.MustCompile(`(finds\([^\n]*"|f\.ID != ")` + id + `"`).MatchString(body)
}

// TestEveryCheckIsBroken keeps a check from existing without a test that makes it speak.
func TestEveryCheckIsBroken(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range Checks() {
		i := c.Describe()
		if !regexp.MustCompile(`^[A-Z]+-[0-9]{2}$`).MatchString(i.ID) || seen[i.ID] {
			t.Errorf("id %q is not one, or is there twice", i.ID)
		}
		seen[i.ID] = true
		if i.Title == "" || i.Cause == "" || i.Breaks == "" || i.Advice == "" || c.Probe() == "" || !slices.Contains(Severities(), i.Severity) {
			t.Errorf("%s is not described: %+v", i.ID, i)
		}
		tested := slices.ContainsFunc(cases, func(b broken) bool { return b.id == i.ID })
		if test := cmp.Or(inTest[i.ID], "server_test.go TestServer"); !tested && !breaks(t, test, i.ID) {
			t.Errorf("%s has no case, and %s does not find it", i.ID, test)
		}
	}
}

// TestAge judges the server's version by the day.
func TestAge(t *testing.T) {
	t.Parallel()
	p := newPatient(t)
	opt := p.options("VER-01")
	quiet := examine(t, opt)
	if f := quiet.find("server"); f != nil && f.Severity.AtLeast(High) {
		t.Errorf("the server of the tests is out of date: %s", f.Evidence)
	}
	opt.Now = opt.Now.AddDate(2100, 0, 0)
	if f := examine(t, opt).find("server"); f == nil || f.Severity != High || !strings.Contains(f.Evidence, "end of life") {
		t.Errorf("%+v", f)
	}
}
