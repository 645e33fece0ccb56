package codeintel

import (
	"context"
	"errors"
	"sync"

	"manito/internal/problem"
	"manito/internal/search"
)

// SearchFiles says where the search files of a snapshot lie and what they are made of.
type SearchFiles struct {
	Dir    string // "" for none
	Corpus func(ctx context.Context) (search.Corpus, error)
	// NoVectors leaves out search by meaning when files are made.
	NoVectors bool
	// Provider gives the vectors of a provider's model, which searches by meaning use instead
	// of the built-in model's; nil for none.
	Provider func(ctx context.Context) (*search.Provider, error)
	// Making is told before files that are missing or damaged are made, which can take a while; nil for nobody.
	Making func()
}

// searching is the search index of a snapshot, opened when it is first asked for.
type searching struct {
	mu      sync.Mutex
	index   *search.Index
	retired []*search.Index // damaged ones, which other searches may still look into
}

// search opens the snapshot's search files. Those that are missing, damaged or of
// another version are made from the store.
func (x *Index) search(ctx context.Context) (*search.Index, error) {
	x.searching.mu.Lock()
	defer x.searching.mu.Unlock()
	if x.searching.index != nil {
		return x.searching.index, nil
	}
	f := x.opts.Search
	if f.Dir == "" || f.Corpus == nil {
		return nil, problem.New(problem.Unsupported, "there is no folder for search files")
	}
	index, err := search.Open(f.Dir, x.g)
	if err == nil {
		x.searching.index = index
		return index, nil
	}
	if !search.Damaged(err) {
		return nil, err
	}
	if f.Making != nil {
		f.Making()
	}
	corpus, err := f.Corpus(ctx)
	if err != nil {
		return nil, err
	}
	// Twice at most: the second time every byte of what is there is looked at.
	for _, distrust := range []bool{false, true} {
		if _, err = search.Update(ctx, search.UpdateInput{Dir: f.Dir, Corpus: corpus, Distrust: distrust, NoVectors: f.NoVectors}); err == nil {
			if index, err = search.Open(f.Dir, x.g); err == nil {
				x.searching.index = index
				return index, nil
			}
		}
		if !search.Damaged(err) {
			break
		}
	}
	return nil, err
}

// forgetSearch lets go of a search index that was found damaged and makes its files again.
func (x *Index) forgetSearch(ctx context.Context, damaged *search.Index) error {
	x.searching.mu.Lock()
	defer x.searching.mu.Unlock()
	if x.searching.index != damaged || damaged == nil {
		return nil
	}
	x.searching.index = nil
	x.searching.retired = append(x.searching.retired, damaged)
	corpus, err := x.opts.Search.Corpus(ctx)
	if err != nil {
		return err
	}
	_, err = search.Update(ctx, search.UpdateInput{Dir: x.opts.Search.Dir, Corpus: corpus, Distrust: true, NoVectors: x.opts.Search.NoVectors})
	return err
}

// searchWith runs a search. When the files turn out to be damaged they are made again and the search is run once more.
func (x *Index) searchWith(ctx context.Context, work func(*search.Index) error) error {
	for attempt := 0; ; attempt++ {
		s, err := x.search(ctx)
		if err != nil {
			return err
		}
		if err = work(s); err == nil || attempt > 0 || !search.Damaged(err) {
			return err
		}
		if err := x.forgetSearch(ctx, s); err != nil {
			return err
		}
	}
}

// close releases the graph's and the search's files.
func (x *Index) close() error {
	x.searching.mu.Lock()
	defer x.searching.mu.Unlock()
	if x.searching.index != nil {
		x.searching.retired = append(x.searching.retired, x.searching.index)
		x.searching.index = nil
	}
	var errs []error
	for _, s := range x.searching.retired {
		errs = append(errs, s.Close())
	}
	x.searching.retired = nil
	return errors.Join(append(errs, x.g.Close())...)
}
