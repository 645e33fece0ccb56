package main

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
)

// Half says which half of the questions is meant.
type Half string

// The halves. What is tuned is tuned on Dev; Final is read by the final run alone.
const (
	Dev   Half = "dev"
	Final Half = "final"
)

//go:embed questions/*.json
var questionFiles embed.FS

// question is one labelled question.
type question struct {
	ID     string `json:"id"`
	Corpus string `json:"corpus"`
	Query  string `json:"query"`
	// Relevant grades the symbols that answer it, "path:qualified name": Answer for
	// those that a person who asks wants to be shown, Useful for those that help.
	Relevant map[string]int `json:"relevant"`
}

// The grades of a label.
const (
	Useful = 1
	Answer = 2
)

// halves says which halves a run may read: the second only when it is the final one.
func halves(final bool) []Half {
	if final {
		return []Half{Dev, Final}
	}
	return []Half{Dev}
}

// readQuestions reads one half.
func readQuestions(files fs.FS, half Half) ([]question, error) {
	name := "questions/" + string(half) + ".json"
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, err
	}
	var all []question
	dec := json.NewDecoder(strings.NewReader(string(text)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&all); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for i := range all {
		if err := all[i].check(half); err != nil {
			return nil, fmt.Errorf("%s: question %d: %w", name, i+1, err)
		}
	}
	return all, nil
}

// check holds a question to its form.
func (q *question) check(half Half) error {
	want := q.Corpus + "-" + string(half[0])
	answers := 0
	for place, grade := range q.Relevant {
		if !strings.Contains(place, ":") {
			return fmt.Errorf("%s: the label %q is not path:name", q.ID, place)
		}
		switch grade {
		case Answer:
			answers++
		case Useful:
		default:
			return fmt.Errorf("%s: the label %s has grade %d", q.ID, place, grade)
		}
	}
	switch {
	case !strings.HasPrefix(q.ID, want):
		return fmt.Errorf("the id %q does not begin with %q", q.ID, want)
	case strings.TrimSpace(q.Query) == "":
		return fmt.Errorf("%s asks nothing", q.ID)
	case answers == 0:
		return fmt.Errorf("%s has no answer", q.ID)
	case len(q.Relevant) > 5:
		return fmt.Errorf("%s has %d labels, at most 5 are of use", q.ID, len(q.Relevant))
	}
	return nil
}
