package cli_test

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"unicode"

	"github.com/rogpeppe/go-internal/testscript"

	"manito/internal/postgres/postgrestest"
)

// embeddingServer speaks /v1/embeddings. What it does depends on the key: "good" is
// served, "short" is told after two requests that the quota is used up, "down" gets 500,
// "wide" gets vectors of another dimension, and others are refused. Texts that share
// words have vectors that are near each other.
func embeddingServer(t *testing.T) *httptest.Server {
	var mu sync.Mutex
	short := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			Model string   `json:"model"`
			Input []string `json:"input"`
		}
		if r.URL.Path != "/v1/embeddings" || json.NewDecoder(r.Body).Decode(&q) != nil {
			http.Error(w, "not found", http.StatusNotFound)
			return
		}
		refuse := func(status int, kind, message string) {
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]string{"type": kind, "message": message}})
		}
		dimension := 96
		switch key := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "); key {
		case "good":
		case "wide":
			dimension = 128
		case "short":
			mu.Lock()
			short++
			n := short
			mu.Unlock()
			if n > 2 {
				refuse(http.StatusTooManyRequests, "insufficient_quota", "You exceeded your current quota")
				return
			}
		case "down":
			refuse(http.StatusInternalServerError, "server_error", "out of order")
			return
		default:
			refuse(http.StatusUnauthorized, "invalid_request_error", "Incorrect API key provided: "+key)
			return
		}
		type item struct {
			Index     int       `json:"index"`
			Embedding []float32 `json:"embedding"`
		}
		items := make([]item, len(q.Input))
		for i, text := range q.Input {
			v := make([]float32, dimension)
			for _, word := range strings.FieldsFunc(strings.ToLower(text), func(c rune) bool { return !unicode.IsLetter(c) }) {
				h := fnv.New32a()
				h.Write([]byte(word))
				v[int(h.Sum32()%uint32(dimension))]++
			}
			items[i] = item{i, v}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": items})
	}))
	t.Cleanup(s.Close)
	return s
}

// TestEmbedStory tells what somebody meets who lets a server make the vectors.
func TestEmbedStory(t *testing.T) {
	t.Parallel()
	server := embeddingServer(t)
	testscript.Run(t, testscript.Params{
		Files: []string{filepath.Join("testdata", "embed.txtar")},
		Setup: func(env *testscript.Env) error {
			db := postgrestest.New(env.T().(testing.TB))
			for name, value := range map[string]string{
				"DATABASE_URL": db.App, "POSTGRES_SCHEMA": db.Schema, "MANITO_ENV": "development",
				"MANITO_HOME": filepath.Join(env.WorkDir, "home"), "HOME": env.WorkDir, "MANITO_SEARCH_ON_SCAN": "false",
				"SERVER": server.URL + "/v1",
			} {
				env.Setenv(name, value)
			}
			var b strings.Builder
			b.WriteString("package shop\n")
			for i := range 300 {
				fmt.Fprintf(&b, "\n// Item%d is number %d of the price list.\nfunc Item%d() int { return %d }\n", i, i, i, i)
			}
			return os.WriteFile(filepath.Join(env.WorkDir, "shop", "items.go"), []byte(b.String()), 0o644)
		},
	})
}
