package main

import "manito/internal/search"

// methods are the lines of the table, each in its order.
func methods() []Method {
	learned := &school{}
	shared := &engine{school: learned}
	return []Method{
		&whole{},
		&texts{shared},
		&symbols{},
		&terms{name: "bm25", fields: flat},
		&terms{name: "bm25f"},
		&meaning{school: learned},
		&ranked{engine: shared, name: "hybrid", ask: (*search.Index).Ranked},
	}
}

// descriptions say what the methods are.
func descriptions() [][2]string {
	return [][2]string{
		{"words", "BM25 over whole words and identifiers: what a search does that does not know code"},
		{"text", "Manito's search for texts: the symbols of files that have all the words, those with the most matching lines first"},
		{"symbols", "Manito's search for names"},
		{"bm25", "BM25 over split identifiers and word stems, a chunk as one text"},
		{"bm25f", "Manito's search by words: the same with a weight for each field (name; path, container and signature; documentation; body)"},
		{"builtin", "vectors of the built-in model, trained on the package itself, compared exactly"},
		{"hybrid", "what Manito answers unless a mode is asked for: all of them fused, then what the graph says"},
	}
}
