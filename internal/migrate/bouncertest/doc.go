// Package bouncertest starts a real pgbouncer before a test's server, on Unix systems.
//
// Its noun: a Bouncer is one running pgbouncer with one database behind it.
//
// Only tests import it.
package bouncertest
