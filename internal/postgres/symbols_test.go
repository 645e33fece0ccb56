package postgres

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"manito/internal/code"
)

// genPlaces draws places with keys that repeat and path ids far apart.
func genPlaces() *rapid.Generator[[]place] {
	one := rapid.Custom(func(t *rapid.T) place {
		return place{
			key:  rapid.OneOf(rapid.Int64(), rapid.Int64Range(-5, 5)).Draw(t, "key"),
			path: rapid.OneOf(rapid.Int32Range(1, 40), rapid.Int32Range(1, math.MaxInt32)).Draw(t, "path"),
		}
	})
	return rapid.SliceOfN(one, 0, 300)
}

func sortedPlaces(places []place) []place {
	out := slices.Clone(places)
	slices.SortFunc(out, comparePlaces)
	return slices.Compact(out)
}

// contents puts blocks together again and checks that they are in order.
func contents(t *rapid.T, blocks []symbolBlock) (defined, mentions []place) {
	for i, b := range blocks {
		if i == 0 && b.lo != math.MinInt64 || i > 0 && b.lo <= blocks[i-1].lo {
			t.Fatalf("block %d begins at %d", i, b.lo)
		}
		for _, p := range slices.Concat(b.defined, b.mentions) {
			if p.key < b.lo || i+1 < len(blocks) && p.key >= blocks[i+1].lo {
				t.Fatalf("key %d is in the block from %d", p.key, b.lo)
			}
		}
		keys, paths, sources := b.encode()
		back, err := decodeSymbols(b.lo, keys, paths, sources)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(back.defined, b.defined) || !slices.Equal(back.mentions, b.mentions) {
			t.Fatalf("%+v became %+v", b, back)
		}
		defined, mentions = append(defined, b.defined...), append(mentions, b.mentions...)
	}
	return defined, mentions
}

func TestSymbolBlocksHoldEveryPlace(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		defined, mentions := genPlaces().Draw(t, "defined"), genPlaces().Draw(t, "mentions")
		gotDefined, gotMentions := contents(t, buildSymbols(slices.Clone(defined), slices.Clone(mentions)))
		if !slices.Equal(gotDefined, sortedPlaces(defined)) || !slices.Equal(gotMentions, sortedPlaces(mentions)) {
			t.Fatal("places were lost or made up")
		}
	})
}

func TestSymbolBlocksChangeAsAWhole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		before, after := genPlaces().Draw(t, "before"), genPlaces().Draw(t, "after")
		blocks := buildSymbols(slices.Clone(before), nil)
		var changes []change
		old, now := sortedPlaces(before), sortedPlaces(after)
		for _, p := range old {
			if _, ok := slices.BinarySearchFunc(now, p, comparePlaces); !ok {
				changes = append(changes, change{place: p})
			}
		}
		for _, p := range now {
			if _, ok := slices.BinarySearchFunc(old, p, comparePlaces); !ok {
				changes = append(changes, change{place: p, add: true})
			}
		}
		for _, p := range sortedPlaces(after)[:len(now)/2] {
			changes = append(changes, change{place: p, mention: true, add: true})
		}
		var next []symbolBlock
		for i := range blocks {
			var mine []change
			for _, c := range changes {
				if c.key >= blocks[i].lo && (i+1 == len(blocks) || c.key < blocks[i+1].lo) {
					mine = append(mine, c)
				}
			}
			next = append(next, blocks[i].apply(mine)...)
		}
		defined, mentions := contents(t, next)
		if !slices.Equal(defined, now) || !slices.Equal(mentions, now[:len(now)/2]) {
			t.Fatal("places were lost or made up")
		}
	})
}

func TestDecodeSymbolsRefusesDamage(t *testing.T) {
	t.Parallel()
	for name, b := range map[string]struct {
		keys    []int64
		paths   []int32
		sources []int16
	}{
		"too few ends":    {[]int64{1, 2}, []int32{1, 1}, []int16{3, 0}},
		"too many":        {[]int64{1}, []int32{1}, []int16{0, 3, 0}},
		"paths are short": {[]int64{1, 2}, []int32{1}, []int16{0, 0}},
		"no end":          {[]int64{1}, []int32{1}, nil},
	} {
		if _, err := decodeSymbols(0, b.keys, b.paths, b.sources); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestDiffKeys(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		draw := func() (keys []code.Key) {
			for range r.IntN(20) {
				keys = append(keys, code.Key(r.IntN(15)))
			}
			return keys
		}
		from, to := draw(), draw()
		set := map[code.Key]bool{}
		for _, k := range from {
			set[k] = true
		}
		for _, c := range diffKeys(nil, slices.Clone(from), slices.Clone(to), 7, false) {
			k := code.Key(c.key)
			if set[k] == c.add || c.path != 7 {
				t.Fatalf("%+v from %v to %v", c, from, to)
			}
			set[k] = c.add
		}
		want := map[code.Key]bool{}
		for _, k := range to {
			want[k] = true
		}
		for k, in := range set {
			if !in {
				delete(set, k)
			}
		}
		if !reflect.DeepEqual(set, want) {
			t.Fatalf("from %v to %v gives %v", from, to, set)
		}
	}
}
