package migrate

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"manito/internal/problem"
)

// scramIterations is PostgreSQL's default number.
const scramIterations = 4096

// scramVerifier is what PostgreSQL stores for a password (RFC 5802 and 7677, in the form
// that CREATE ROLE … PASSWORD takes). Computing it here keeps the password out of the
// server's log and of pg_stat_activity. Letters outside ASCII are refused, because their
// preparation differs between clients.
func scramVerifier(password string) (string, error) {
	for _, c := range []byte(password) {
		if c < 0x20 || c > 0x7e {
			return "", problem.New(problem.Usage, "a role's password holds a character outside of printable ASCII").
				Fix("choose another password")
		}
	}
	salt := make([]byte, 16)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("making a salt: %w", err)
	}
	salted, err := pbkdf2.Key(sha256.New, password, salt, scramIterations, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("deriving a key: %w", err)
	}
	key := func(label string) []byte {
		h := hmac.New(sha256.New, salted)
		h.Write([]byte(label))
		return h.Sum(nil)
	}
	stored := sha256.Sum256(key("Client Key"))
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", scramIterations, encode(salt), encode(stored[:]), encode(key("Server Key"))), nil
}
