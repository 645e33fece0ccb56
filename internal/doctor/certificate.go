package doctor

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"time"
)

// certificates is the check of the family TLS about the server's certificate.
func certificates() []Check {
	return []Check{
		own{Info{ID: "TLS-06", Title: "The server's certificate runs out, or proves little", Severity: Critical, Safety: Advice,
			Cause:  "nothing renews it, or what does has stopped",
			Breaks: "on that day every program that verifies it is refused; one that does not talks to anybody",
			Advice: "renew it, and reload the server (SELECT pg_reload_conf()): it needs no restart"},
			"-- the certificate of the handshake; without one a superuser reads pg_read_binary_file(current_setting('ssl_cert_file'))", certificate},
	}
}

// How long before its end a certificate is a finding, and how long before that matters much.
const (
	renewal = 30 * 24 * time.Hour
	urgent  = 7 * 24 * time.Hour
)

// certificate looks at what the server presents: in this session's handshake, or, where
// this session goes through a Unix socket, in its file.
func certificate(ctx context.Context, s *session) (out result, err error) {
	now := s.now()
	if c, ok := s.conn.PgConn().Conn().(*tls.Conn); ok {
		if peers := c.ConnectionState().PeerCertificates; len(peers) > 0 {
			out.findings = judgeCertificate(peers[0], now)
		}
		return out, nil
	}
	rows, err := s.rows(ctx, `select current_setting('ssl') as on, current_setting('ssl_cert_file', true) as file`)
	if err != nil {
		return out, err
	}
	switch {
	case rows[0]["on"] != "on":
		return out, nil // there is no certificate; TLS-01 says what that means
	case !s.server.superuser:
		out.skipped = []Skipped{{Reason: "missing right: this session uses no TLS, and only a superuser may read the server's certificate from its file"}}
		return out, nil
	}
	if rows, err = s.rows(ctx, "select encode(pg_read_binary_file("+literal(rows[0]["file"])+"), 'hex') as text"); err != nil {
		return out, err
	}
	text, err := hex.DecodeString(rows[0]["text"])
	if err != nil {
		return out, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		out.findings = []Finding{{Object: "certificate of the server", Severity: High, Evidence: "its file holds no certificate"}}
		return out, nil
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		out.findings = []Finding{{Object: "certificate of the server", Severity: High, Evidence: "its file cannot be read: " + err.Error()}}
		return out, nil
	}
	out.findings = judgeCertificate(cert, now)
	return out, nil
}

// judgeCertificate compares a certificate with the day, and looks for what clients refuse:
// they take names from the list of alternative names only.
func judgeCertificate(c *x509.Certificate, now time.Time) []Finding {
	f := Finding{Object: "certificate " + cmp.Or(c.Subject.CommonName, c.Subject.String(), "of the server")}
	day := c.NotAfter.UTC().Format(time.DateOnly)
	switch left := c.NotAfter.Sub(now); {
	case left < 0:
		f.Severity, f.Evidence = Critical, "it ran out on "+day
	case now.Before(c.NotBefore):
		f.Severity, f.Evidence = Critical, "it is valid from "+c.NotBefore.UTC().Format(time.DateOnly)+" on"
	case left < urgent:
		f.Severity, f.Evidence = High, "it runs out on "+day
	case left < renewal:
		f.Severity, f.Evidence = Medium, "it runs out on "+day
	case len(c.DNSNames)+len(c.IPAddresses) == 0:
		f.Severity, f.Evidence = Medium, fmt.Sprintf("it is made out for %q, and lists no alternative name: clients that verify refuse it", c.Subject.CommonName)
	default:
		return nil
	}
	return []Finding{f}
}
