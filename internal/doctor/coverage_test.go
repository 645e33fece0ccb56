package doctor

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// unbroken are checks whose finding no test can bring about on this kind of server, and why.
var unbroken = map[string]string{
	"TLS-02":   "Manito's own server never listens on a network; TestUnverified judges addresses",
	"CONN-06":  "needs a pooler",
	"CONN-09":  "needs a server whose clock is wrong; TestClocks compares clocks",
	"DUR-10":   "needs a standby that falls behind",
	"TLS-01":   "Manito's own server never listens on a network",
	"CACHE-01": "needs ten million reads of blocks",
	"NOTIF-01": "needs two gigabytes of notifications",
}

// TestEveryCheckIsBroken keeps a check from existing without a test that makes it speak.
func TestEveryCheckIsBroken(t *testing.T) {
	t.Parallel()
	server, err := os.ReadFile("server_test.go")
	if err != nil {
		t.Fatal(err)
	}
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
		tested := slices.ContainsFunc(cases, func(b broken) bool { return b.id == i.ID }) || strings.Contains(string(server), `finds("`+i.ID+`"`)
		if tested == (unbroken[i.ID] != "") {
			t.Errorf("%s: tested %v, said to be untestable: %q", i.ID, tested, unbroken[i.ID])
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
