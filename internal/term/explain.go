package term

// Part says what one term of a query gave to a document's score.
type Part struct {
	Term     string
	Fields   [NumFields]int // occurrences
	Score    float32        // as in Hit
	Rarity   float32        // inverse document frequency
	Weight   float32        // of the term in the query
	Strength float32        // tf/(k1+tf), below 1
}

// Explain says how the score of a document comes about; the parts are in the
// order of the query, and their scores add up to that of its Hit. The document's
// texts and the Params must be those with which its segment was built.
func Explain(segments []Segment, query []Weighted, f Fields, p Params) []Part {
	total := 0
	var averages [NumFields]float32
	for i, s := range segments {
		total += s.Index.Len()
		if i == 0 {
			averages = s.Index.Averages()
		}
	}
	w := &worker{ids: map[string]uint32{}}
	w.document(0, f)
	n := (&Index{average: averages[:]}).norms(p)
	var out []Part
	for _, q := range query {
		id, ok := w.ids[q.Term]
		if !ok {
			continue
		}
		docs := 0
		for _, s := range segments {
			docs += s.Index.Count(q.Term)
		}
		for _, e := range w.entries {
			if e.term != id {
				continue
			}
			part := Part{Term: q.Term, Rarity: rarity(total, docs), Weight: q.Weight}
			impact := n.impact(&e.tf, &w.lengths[0])
			part.Strength = float32(impact) / steps
			part.Score = q.Weight * part.Rarity / steps * float32(impact)
			for i, c := range e.tf {
				part.Fields[i] = int(c)
			}
			out = append(out, part)
		}
	}
	return out
}
