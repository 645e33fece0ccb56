package doctor

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// selfSigned writes a certificate that is its own authority, and its key.
func selfSigned(t *testing.T, file string, ends time.Time, names ...net.IP) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(ends.Unix()), Subject: pkix.Name{CommonName: "db.test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: ends,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, IPAddresses: names}
	if ends.Before(time.Now()) {
		c.NotBefore = ends.Add(-time.Hour)
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{file + ".crt": {Type: "CERTIFICATE", Bytes: der}, file + ".key": {Type: "PRIVATE KEY", Bytes: text}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTLS examines a server that listens, with and without certificates.
func TestTLS(t *testing.T) {
	t.Parallel()
	ps := programs(t)
	p := ps[0]
	for _, q := range ps { // a private copy may have been built for another OpenSSL
		if strings.HasPrefix(q.bin, "/usr/lib/postgresql/") {
			p = q
		}
	}
	m := newMachine(t, p)
	m.init(t, "host all all 127.0.0.0/8 trust\n")
	server := filepath.Join(m.data(), "server")
	local := []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(127, 0, 0, 2)}
	renew := func(ends time.Time, names ...net.IP) {
		selfSigned(t, server, ends, names...)
		m.own(t, server+".crt", server+".key")
	}
	renew(time.Now().AddDate(1, 0, 0), local...)
	// The last name does not exist, so that only this machine can reach the server; the setting still says otherwise.
	m.start(t, "listen_addresses=127.0.0.1,127.0.0.2,db.invalid")
	conn := m.connect(t, m.dsn("postgres"))
	reload := func(sql string) {
		t.Helper()
		for _, s := range []string{sql, "select pg_reload_conf()"} {
			if _, err := conn.Exec(t.Context(), s, pgx.QueryExecModeSimpleProtocol); err != nil {
				t.Fatal(err)
			}
		}
	}
	opt := Options{DSN: m.dsn("postgres"), Schema: "public"}
	look := func(dsn, id string) *Report {
		t.Helper()
		o := opt
		o.Only = []string{id}
		if dsn != "" {
			o.DSN = dsn
		}
		return examine(t, o)
	}
	finds := func(dsn, id, object, evidence string, severity Severity) {
		t.Helper()
		var r *Report
		for deadline := time.Now().Add(15 * time.Second); ; time.Sleep(50 * time.Millisecond) { // a reload takes a moment
			r = look(dsn, id)
			if f := r.find(object); f != nil && strings.Contains(f.Evidence, evidence) && f.Severity == severity {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s of %s is not found: %+v, skipped %+v", id, object, r.Findings, r.Skipped)
			}
		}
	}
	quiet := func(dsn, id string) {
		t.Helper()
		var r *Report
		for deadline := time.Now().Add(15 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			if r = look(dsn, id); len(r.Findings) == 0 {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s is found in health: %+v", id, r.Findings)
			}
		}
	}
	tcp := func(host, mode string) string {
		return fmt.Sprintf("host=%s port=%d user=postgres dbname=postgres sslmode=%s sslrootcert=%s", host, m.port, mode, server+".crt")
	}

	finds("", "TLS-01", "server", "ssl = off, while it listens on 127.0.0.1,127.0.0.2,db.invalid", High)
	quiet("", "TLS-06") // there is no certificate yet
	reload("alter system set ssl = on")
	quiet("", "TLS-01")
	quiet("", "TLS-06")

	plain := fmt.Sprintf("host=127.0.0.2 port=%d user=postgres dbname=postgres sslmode=", m.port)
	finds(plain+"disable", "TLS-02", "connection to 127.0.0.2", "without TLS", High)
	finds(plain+"require", "TLS-02", "connection to 127.0.0.2", "the server's name is not verified", High)
	quiet(tcp("127.0.0.2", "verify-full"), "TLS-02")
	quiet(tcp("127.0.0.2", "verify-full"), "TLS-06")

	// The same certificate is judged in the handshake and, through the socket, in its file.
	for _, c := range []struct {
		ends     time.Time
		names    []net.IP
		evidence string
		severity Severity
	}{
		{time.Now().AddDate(0, 0, 20), local, "it runs out on ", Medium},
		{time.Now().AddDate(0, 0, 3), local, "it runs out on ", High},
		{time.Now().Add(-24 * time.Hour), local, "it ran out on ", Critical},
		{time.Now().AddDate(1, 0, 0), nil, "no alternative name", Medium},
	} {
		renew(c.ends, c.names...)
		reload("select 1")
		finds("", "TLS-06", "certificate db.test", c.evidence, c.severity)
		finds(plain+"require", "TLS-06", "certificate db.test", c.evidence, c.severity)
	}
	renew(time.Now().AddDate(1, 0, 0), local...)
	reload("select 1")
	quiet("", "TLS-06")
	quiet(plain+"require", "TLS-06")

	if _, err := conn.Exec(t.Context(), "create role visitor login"); err != nil {
		t.Fatal(err)
	}
	if r := look(m.dsn("postgres")+" user=visitor", "TLS-06"); len(r.Skipped) != 1 || !strings.Contains(r.Skipped[0].Reason, "missing right") {
		t.Errorf("a visitor who may not read the file: %+v", r)
	}
}

// TestStandby pauses a standby until it is behind.
func TestStandby(t *testing.T) {
	t.Parallel()
	var p program
	for _, q := range programs(t) {
		if _, err := os.Stat(filepath.Join(q.bin, "pg_basebackup")); err == nil {
			p = q
		}
	}
	if p.bin == "" {
		t.Fatal("pg_basebackup is not installed (Debian: apt-get install postgresql)")
	}
	primary := newMachine(t, p)
	primary.init(t, "")
	primary.start(t)
	standby := newMachine(t, p)
	standby.run(t, "pg_basebackup", "-h", primary.dir, "-p", fmt.Sprint(primary.port), "-U", "postgres", "-D", standby.data(), "-R", "-X", "stream", "--no-sync", "-c", "fast")
	standby.start(t)
	do := func(m *machine, sql string) {
		t.Helper()
		if _, err := m.connect(t, m.dsn("postgres")).Exec(context.WithoutCancel(t.Context()), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatal(err)
		}
	}
	opt := Options{DSN: primary.dsn("postgres"), Schema: "public", Only: []string{"DUR-10"}, Limits: Limits{Lag: time.Second}}
	waitQuiet(t, opt, "DUR-10")
	do(standby, "select pg_wal_replay_pause()")
	do(primary, "create table moved as select generate_series(1, 1000) as id")
	var r *Report
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		do(primary, "insert into moved values (1)")
		if r = examine(t, opt); r.find("standby *") != nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("DUR-10 does not see the standby: %+v", r)
		}
	}
	if f := r.find("standby *"); f.ID != "DUR-10" || !strings.Contains(f.Evidence, "behind") {
		t.Errorf("%+v", f)
	}
	// The standby itself says what it is, and understands every probe.
	opt.DSN, opt.Only = standby.dsn("postgres"), nil
	r = examine(t, opt)
	understood(t, r)
	if f := r.find("server"); f == nil || f.ID != "CONN-07" {
		t.Errorf("a standby is not known: %+v", r.Findings)
	}
	do(standby, "select pg_wal_replay_resume()")
	opt.DSN = primary.dsn("postgres")
	waitQuiet(t, opt, "DUR-10")
}
