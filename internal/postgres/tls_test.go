package postgres_test

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
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"manito/internal/config"
	"manito/internal/migrate"
	"manito/internal/postgres"
	"manito/internal/problem"
)

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // its certificate in PEM
}

func newAuthority(t *testing.T, dir, name string) *authority {
	t.Helper()
	a := &authority{file: filepath.Join(dir, name+".crt")}
	var der []byte
	a.key, der = sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil, time.Hour)
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	a.cert = cert
	writePEM(t, a.file, "CERTIFICATE", der)
	return a
}

// issue writes a certificate and its key for a name, valid for a time from an hour ago.
func (a *authority) issue(t *testing.T, file string, c *x509.Certificate, valid time.Duration) {
	t.Helper()
	key, der := sign(t, c, a, valid)
	writePEM(t, file+".crt", "CERTIFICATE", der)
	text, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, file+".key", "PRIVATE KEY", text)
}

func sign(t *testing.T, c *x509.Certificate, by *authority, valid time.Duration) (*ecdsa.PrivateKey, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if c.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(1<<62)); err != nil {
		t.Fatal(err)
	}
	c.NotBefore = time.Now().Add(-time.Hour)
	c.NotAfter = c.NotBefore.Add(time.Hour + valid)
	parent, signer := c, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	return key, der
}

func writePEM(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// tlsServer is a server that listens on 127.0.0.1 and 127.0.0.2, for this test alone.
type tlsServer struct {
	bin       string // the folder of its programs; empty: those that are found first
	dir, data string
	port      int
	uid, gid  int
	roles     migrate.Roles
}

const tlsPassword = "only-for-this-test"

// run runs one of PostgreSQL's programs as the user that may: it refuses to run as root.
func (s *tlsServer) run(t *testing.T, name string, args ...string) {
	t.Helper()
	path, err := filepath.Join(s.bin, name), error(nil)
	if s.bin == "" {
		path, err = exec.LookPath(name)
	}
	if err != nil {
		found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name) // the pattern is well-formed
		if len(found) == 0 {
			t.Fatalf("%s is not installed (Debian: apt-get install postgresql)", name)
		}
		path = found[len(found)-1]
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(s.uid), Gid: uint32(s.gid)}}
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// own gives a file to the server.
func (s *tlsServer) own(t *testing.T, files ...string) {
	t.Helper()
	for _, f := range files {
		if err := os.Chown(f, s.uid, s.gid); err != nil {
			t.Fatal(err)
		}
	}
}

func (s *tlsServer) admin() string {
	return fmt.Sprintf("host=%s port=%d user=postgres", s.dir, s.port)
}

// make makes its folder with the data.
func (s *tlsServer) make(t *testing.T) {
	t.Helper()
	s.uid, s.gid = os.Getuid(), os.Getgid()
	if s.uid == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			t.Fatalf("a test that runs as root needs the user postgres to run the server: %v", err)
		}
		if s.uid, err = strconv.Atoi(u.Uid); err != nil {
			t.Fatal(err)
		}
		if s.gid, err = strconv.Atoi(u.Gid); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if s.dir, err = os.MkdirTemp("", "mtls"); err != nil { // a test's own folder is too long for a socket
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(s.dir); err != nil {
			t.Error(err)
		}
	})
	s.data = filepath.Join(s.dir, "data")
	s.own(t, s.dir)
	s.run(t, "initdb", "-D", s.data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")
}

func startTLSServer(t *testing.T, trusted *authority) *tlsServer {
	t.Helper()
	s := &tlsServer{}
	s.make(t)
	hba := "local all all trust\nhostssl all with_certificate all cert\nhostssl all all all scram-sha-256\n"
	ca := filepath.Join(s.data, "clients.crt")
	text, err := os.ReadFile(trusted.file)
	if err != nil {
		t.Fatal(err)
	}
	for file, content := range map[string]string{filepath.Join(s.data, "pg_hba.conf"): hba, ca: string(text)} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		s.own(t, file)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.port = l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	trusted.issue(t, filepath.Join(s.data, "server"), serverCertificate(), time.Hour)
	s.own(t, filepath.Join(s.data, "server.crt"), filepath.Join(s.data, "server.key"))
	s.run(t, "pg_ctl", "-D", s.data, "-w", "-l", filepath.Join(s.dir, "log"), "-o",
		fmt.Sprintf("-k %s -p %d -c listen_addresses=127.0.0.1,127.0.0.2 -c fsync=off -c shared_buffers=32MB -c ssl_ca_file=%s", s.dir, s.port, ca), "start")
	t.Cleanup(func() { s.run(t, "pg_ctl", "-D", s.data, "-m", "immediate", "-w", "stop") })
	s.set(t, "alter system set ssl = on")
	m := migrate.New(migrate.Config{DSN: s.admin() + " dbname=postgres", Schema: "manito"})
	rep, err := m.Init(t.Context(), migrate.InitOptions{AppPassword: tlsPassword})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.roles = rep.Roles
	return s
}

func serverCertificate() *x509.Certificate {
	return &x509.Certificate{Subject: pkix.Name{CommonName: "127.0.0.1"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
}

// set runs statements as the superuser and makes the server read its files again.
func (s *tlsServer) set(t *testing.T, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.admin()+" dbname=postgres")
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range append(statements, "select pg_reload_conf()") {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	if err := conn.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
}

// open checks the schema and opens the store by the environment's variables, as the program
// does. Both must refuse the same.
func (s *tlsServer) open(t *testing.T, env ...string) (*postgres.DB, error) {
	t.Helper()
	cfg, err := config.Load(config.Input{Environ: append([]string{"MANITO_HOME=" + t.TempDir(), "POSTGRES_PORT=" + strconv.Itoa(s.port), "POSTGRES_DB=postgres"}, env...)})
	if err != nil {
		t.Fatal(err)
	}
	dsn, err := cfg.Database.DSN()
	if err != nil {
		t.Fatal(err)
	}
	checked := migrate.New(migrate.Config{DSN: dsn, Schema: "manito"}).Check(t.Context())
	db, err := postgres.Open(t.Context(), postgres.Config{DSN: dsn, Schema: "manito"})
	if err != nil && checked != nil && problem.KindOf(err) != problem.KindOf(checked) {
		t.Errorf("the store says %v, the migrator %v", err, checked)
	}
	return db, err
}

// TestSSLConnection: DB_SSL=true means this very host, by a trusted authority, now, encrypted.
func TestSSLConnection(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ours, theirs := newAuthority(t, dir, "ours"), newAuthority(t, dir, "theirs")
	s := startTLSServer(t, ours)
	password := []string{"POSTGRES_USER=" + s.roles.App, "POSTGRES_PASSWORD=" + tlsPassword}
	verified := append(password, "DB_SSL=true", "DB_SSL_CA="+ours.file)

	// until is what Open comes to: the server reads its files again in its own time.
	until := func(what string, wanted func(error) bool, env ...string) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
			db, err := s.open(t, env...)
			if err == nil {
				db.Close()
			}
			if wanted(err) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: %v", what, err)
			}
		}
	}
	fine := func(err error) bool { return err == nil }
	refused := func(message string) func(error) bool {
		return func(err error) bool {
			return err != nil && problem.KindOf(err) == problem.Denied && strings.Contains(err.Error(), message) && len(problem.Fixes(err)) > 0
		}
	}
	host := func(env []string, name string) []string {
		return append(env[:len(env):len(env)], "POSTGRES_HOST="+name)
	}

	until("the right certificate", fine, host(verified, "127.0.0.1")...)
	until("its other name", fine, host(verified, "localhost")...)
	db, err := s.open(t, host(verified, "127.0.0.1")...)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()

	until("another host's certificate", refused("is for another host"), host(verified, "127.0.0.2")...)
	until("an unknown authority", refused("authority that is not trusted"), host(append(password, "DB_SSL=true", "DB_SSL_CA="+theirs.file), "127.0.0.1")...)
	until("the system's authorities", refused("authority that is not trusted"), host(append(password, "DB_SSL=true"), "127.0.0.1")...)
	// The address cannot weaken what DB_SSL asks for, and the server takes nothing unencrypted.
	weak := fmt.Sprintf("DATABASE_URL=postgres://%s:%s@127.0.0.2:%d/postgres?sslmode=", s.roles.App, tlsPassword, s.port)
	until("a weaker mode in the address", refused("is for another host"), weak+"disable", "DB_SSL=true", "DB_SSL_CA="+ours.file)
	until("plaintext by us", refused("does not let"), weak+"disable")

	// Client certificates.
	s.set(t, "create role with_certificate login in role "+pgx.Identifier{s.roles.App}.Sanitize())
	client := filepath.Join(dir, "client")
	ours.issue(t, client, &x509.Certificate{Subject: pkix.Name{CommonName: "with_certificate"}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, time.Hour)
	by := []string{"POSTGRES_USER=with_certificate", "DB_SSL=true", "DB_SSL_CA=" + ours.file}
	until("a client certificate", fine, host(append(by, "DB_SSL_CERT="+client+".crt", "DB_SSL_KEY="+client+".key"), "127.0.0.1")...)
	until("no client certificate", refused("does not let"), host(by, "127.0.0.1")...)

	// The certificate expires while the server runs.
	ours.issue(t, filepath.Join(s.data, "server"), serverCertificate(), -time.Minute)
	s.own(t, filepath.Join(s.data, "server.crt"), filepath.Join(s.data, "server.key"))
	s.set(t)
	until("an expired certificate", refused("has expired"), host(verified, "127.0.0.1")...)

	// Somebody turns encryption off, or another server answers that has none.
	s.set(t, "alter system set ssl = off")
	until("plaintext by the server", refused("does not encrypt"), host(verified, "127.0.0.1")...)
}
