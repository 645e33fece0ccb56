package migrate

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"

	"manito/internal/problem"
)

// Untrusted explains why the server at a place was not believed to be the one that was
// asked for; nil when that is not what failed. Such a server answers, so trying again helps
// nobody: the kind is problem.Denied. The store explains its refusals by it, too.
func Untrusted(where string, err error) error {
	var host x509.HostnameError
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var other *tls.CertificateVerificationError
	switch {
	case errors.As(err, &host):
		return problem.New(problem.Denied, "the certificate of the server at %s is for another host", where).Because(err).
			Fix("use the name that stands in the certificate").
			Fix("or give the server a certificate for this name")
	case errors.As(err, &authority):
		return problem.New(problem.Denied, "the certificate of the server at %s is by an authority that is not trusted", where).Because(err).
			Fix("set DB_SSL_CA to the file with the authority's certificate")
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return problem.New(problem.Denied, "the certificate of the server at %s has expired, or is not valid yet", where).Because(err).
			Fix("renew the server's certificate").
			Fix("compare the clocks of both machines")
	case errors.As(err, &invalid), errors.As(err, &other):
		return problem.New(problem.Denied, "the certificate of the server at %s cannot be accepted", where).Because(err).
			Fix("give the server a certificate for its name by an authority in DB_SSL_CA")
	case strings.Contains(err.Error(), "server refused TLS connection"): // the driver has no type for it
		return problem.New(problem.Denied, "the server at %s does not encrypt, and an unencrypted connection is not wanted", where).Because(err).
			Fix("set ssl=on, ssl_cert_file and ssl_key_file on the server").
			Fix("or, on a network that you trust, DB_SSL=false")
	}
	return nil
}

// Unsuited explains why servers that answer were not taken: target_session_attrs asks for
// something else, such as a primary where there are only standbys; nil when that is not
// what failed. A failover may be under way, so the kind is problem.Unavailable.
func Unsuited(where string, err error) error {
	const mark = "ValidateConnect failed: " // the driver has no type for it
	_, why, found := strings.Cut(err.Error(), mark)
	if !found {
		return nil
	}
	return problem.New(problem.Unavailable, "the server at %s answers, but is not what target_session_attrs asks for: %s", where, strings.ReplaceAll(why, "read only", "read-only")).
		Fix("list the primary in DATABASE_URL, too").
		Fix("during a failover: wait until a standby is promoted")
}
