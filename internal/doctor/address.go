package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// address are checks of how this connection came about rather than of what it leads to.
func address() []Check {
	return []Check{
		own{Info{ID: "TLS-02", Title: "This connection does not make sure whom it talks to", Severity: High, Safety: Advice,
			Cause:  "sslmode is below verify-full, as it is unless it is set",
			Breaks: "whoever is in between answers in the server's place, and reads the password's proof and all rows",
			Advice: "sslmode=verify-full with the certificate of the authority in sslrootcert"},
			"-- reads the address: a server on another machine wants sslmode=verify-full", unverified},
		own{Info{ID: "TLS-05", Title: "The password of this connection is one that everybody knows", Severity: High, Safety: Advice,
			Cause:  "the password of the example configuration was never changed",
			Breaks: "it is the first one that is tried",
			Advice: "ALTER ROLE … PASSWORD, and the configuration of the programs"},
			"-- reads the address: the password is compared with the user's name and with those of examples", guessable},
		own{Info{ID: "CONN-09", Title: "The server's clock differs from this machine's", Severity: Medium, Safety: Advice,
			Cause:  "one of the two does not ask a time server",
			Breaks: "expiry times, leases and logs of the two contradict one another",
			Advice: "run a time service on both"},
			"select clock_timestamp()", skewed},
	}
}

// own is a check of the session itself.
type own struct {
	info  Info
	probe string
	ask   func(ctx context.Context, s *session) (result, error)
}

func (c own) Describe() Info { return c.info }
func (c own) Probe() string  { return c.probe }
func (c own) run(ctx context.Context, s *session) (result, error) {
	return c.ask(ctx, s)
}

func unverified(_ context.Context, s *session) (result, error) {
	return result{findings: unverifiedAddress(s.conn.Config())}, nil
}

// unverifiedAddress judges an address. pgx leaves the name unchecked in every mode but
// verify-full, where the certificate is checked by the TLS library itself.
func unverifiedAddress(cfg *pgx.ConnConfig) []Finding {
	if strings.HasPrefix(cfg.Host, "/") || slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, cfg.Host) {
		return nil
	}
	var said string
	switch {
	case cfg.TLSConfig == nil:
		said = "without TLS"
	case cfg.TLSConfig.InsecureSkipVerify:
		said = "with TLS, and the server's name is not verified"
	default:
		return nil
	}
	return []Finding{{Object: "connection to " + cfg.Host, Evidence: said}}
}

func guessable(_ context.Context, s *session) (out result, err error) {
	cfg := s.conn.Config()
	known := []string{cfg.User, "manito_dev_password", "postgres", "password", "secret", "changeme", "admin", "example", "test", "123456"}
	if cfg.Password == "" || !slices.Contains(known, cfg.Password) {
		return out, nil
	}
	out.findings = []Finding{{Object: "role " + quote(cfg.User), Evidence: "its password is the user's name or one of examples"}}
	return out, nil
}

// skew is the difference that a lease or a token does not mind; the answer's way is allowed for.
const skew = 5 * time.Second

func skewed(ctx context.Context, s *session) (out result, err error) {
	var theirs time.Time
	before := s.now()
	if err := s.tx.QueryRow(ctx, "select clock_timestamp()").Scan(&theirs); err != nil {
		return out, err
	}
	out.findings = clocks(before, theirs, s.now())
	return out, nil
}

// clocks compares the server's time with the moments before it was asked and after it answered.
func clocks(before, theirs, after time.Time) []Finding {
	off := time.Duration(0)
	if d := before.Sub(theirs); d > skew {
		off = -d
	} else if d := theirs.Sub(after); d > skew {
		off = d
	}
	if off == 0 {
		return nil
	}
	return []Finding{{Object: "server", Evidence: fmt.Sprintf("it is %s ahead of this machine", off.Round(time.Second))}}
}
