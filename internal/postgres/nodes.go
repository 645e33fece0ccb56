package postgres

import (
	"context"
	"path"
	"slices"

	"golang.org/x/sync/errgroup"

	"manito/internal/code"
	"manito/internal/pack"
	"manito/internal/problem"
)

// definitions are what the projection needs of the Document of one fact.
type definitions struct {
	dkeys []code.Key
	local []bool // which are DefFileLocal or stand in one that is; nil when none is
	names []string
}

// keys appends the keys of a file's definitions.
func (d *definitions) keys(into []code.Key, scope, local code.Key) []code.Key {
	for i, k := range d.dkeys {
		if d.local != nil && d.local[i] {
			into = append(into, k^local)
		} else {
			into = append(into, k^scope)
		}
	}
	return into
}

// localKey is the key of the scope of definitions that cannot be seen outside of a file.
func localKey(scope, file string) code.Key {
	return code.ScopeKey(scope + string(code.AppendName(nil, path.Base(file))) + "/")
}

const (
	maxLine  = 1<<24 - 1 // what a span can say
	maxDrop  = 1<<16 - 1
	nodeCopy = `copy node_block (repo_id, fact_id, dkeys, spans, metas, extras, containers, names) from stdin (format binary)`
)

// describe appends the row of node_block for a Document. Positions that no real
// source reaches (16 million lines) are cut off; the fact itself has them in full.
func describe(r *rows, repo, fact int32, doc *code.Document) *definitions {
	n := len(doc.Defs)
	d := &definitions{dkeys: make([]code.Key, n), names: make([]string, n)}
	spans, metas, extras := make([]int64, n), make([]int64, n), make([]int64, n)
	containers, descriptors := make([]string, n), make([]string, n)
	var buf []byte
	for i := range doc.Defs {
		def := &doc.Defs[i]
		switch {
		case def.Owner != 0:
			buf = append(code.AppendName(buf[:0], doc.Names[def.Owner]), '#')
			containers[i] = string(buf)
		case def.Parent != code.NoDef:
			containers[i] = descriptors[def.Parent]
		}
		buf = doc.AppendDescriptor(buf[:0], code.DefID(i))
		descriptors[i] = string(buf)
		d.dkeys[i] = code.DescriptorKey(descriptors[i])
		d.names[i] = cleanPart(doc.Names[def.Name])
		line, _ := doc.Line(def.Start)
		last, _ := doc.Line(max(def.Start, max(def.End, 1)-1)) // the end may be the first byte of the next line
		nameLine, column := doc.Line(def.NameStart)
		spans[i] = int64(min(line, maxLine)) | int64(min(nameLine-min(line, nameLine), maxDrop))<<24 | int64(min(last-line, maxLine))<<40
		flags := def.Flags
		if def.Parent != code.NoDef && d.local != nil && d.local[def.Parent] {
			flags |= code.DefFileLocal // what stands in such a definition cannot be seen from outside either
		}
		metas[i] = int64(flags) | int64(def.Kind)<<32 | int64(def.Disambiguator)<<40
		extras[i] = int64(column) | int64(def.Cyclomatic)<<32 | int64(def.Cognitive)<<48
		if flags&code.DefFileLocal != 0 {
			if d.local == nil {
				d.local = make([]bool, n)
			}
			d.local[i] = true
		}
	}
	r.row(8)
	r.int4(repo)
	r.int4(fact)
	int8s(r, d.dkeys)
	int8s(r, spans)
	int8s(r, metas)
	int8s(r, extras)
	for i := range containers {
		containers[i] = cleanPart(containers[i])
	}
	r.joined(containers)
	r.joined(d.names)
	return d
}

// addNodes makes the rows of node_block that are missing among some facts and
// returns the definitions of those. Every COPY holds whole facts, so that a crash leaves none half done.
func (l *Lease) addNodes(ctx context.Context, facts []int32, document func(int32) *code.Document) (map[int32]*definitions, error) {
	missing, err := l.missingNodes(ctx, facts)
	if err != nil || len(missing) == 0 {
		return nil, err
	}
	workers := min(int(l.db.cfg.IngestConns), len(missing))
	made := make([]map[int32]*definitions, workers)
	group, ctx := errgroup.WithContext(ctx)
	per := (len(missing) + workers - 1) / workers
	for i, part := range slices.Collect(slices.Chunk(missing, per)) {
		group.Go(func() (err error) {
			made[i], err = l.addSome(ctx, part, document)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	all := make(map[int32]*definitions, len(missing))
	for _, m := range made {
		for fact, d := range m {
			all[fact] = d
		}
	}
	return all, nil
}

func (l *Lease) missingNodes(ctx context.Context, facts []int32) (missing []int32, err error) {
	for part := range slices.Chunk(facts, batch) {
		err := l.db.eachRaw(ctx, func(v [][]byte) error {
			missing = append(missing, rawInt4(v[0]))
			return nil
		}, `select i from unnest($2::int4[]) i where not exists (select from node_block n where n.repo_id = $1 and n.fact_id = i) order by i`, l.repo, part)
		if err != nil {
			return nil, explain(ctx, err, "looking for definitions")
		}
	}
	return missing, nil
}

// addSome adds the rows of some facts on one connection.
func (l *Lease) addSome(ctx context.Context, facts []int32, document func(int32) *code.Document) (map[int32]*definitions, error) {
	made := make(map[int32]*definitions, len(facts))
	unpacker := pack.NewUnpacker()
	var r rows
	add := func(fact int32, doc *code.Document) error {
		made[fact] = describe(&r, l.repo, fact, doc)
		if len(r.b) < chunk {
			return nil
		}
		err := l.db.copyIn(ctx, &r, nodeCopy)
		r.reset()
		return err
	}
	for part := range slices.Chunk(facts, 256) {
		var unread []int32
		for _, fact := range part {
			var doc *code.Document
			if document != nil {
				doc = document(fact)
			}
			if doc == nil {
				unread = append(unread, fact)
				continue
			}
			if err := add(fact, doc); err != nil {
				return nil, err
			}
		}
		if len(unread) == 0 {
			continue
		}
		err := l.db.ReadFacts(ctx, l.repo, unread, func(fact int32, z []byte) error {
			doc, err := unpacker.Document(z)
			if err != nil {
				return problem.New(problem.Invalid, "fact %d is damaged", fact).Because(err).Fix("look for damage: manito db doctor")
			}
			return add(fact, doc)
		})
		if err != nil {
			return nil, err
		}
	}
	return made, l.db.copyIn(ctx, &r, nodeCopy)
}

// readNodes reads the definitions of facts from node_block.
func (l *Lease) readNodes(ctx context.Context, facts []int32) (map[int32]*definitions, error) {
	found := make(map[int32]*definitions, len(facts))
	var metas []int64
	for part := range slices.Chunk(facts, batch) {
		err := l.db.eachRaw(ctx, func(v [][]byte) (err error) {
			d := &definitions{}
			if d.dkeys, err = rawInt8s[code.Key](v[1], nil); err != nil {
				return err
			}
			if metas, err = rawInt8s(v[2], metas); err != nil {
				return err
			}
			d.names = split(string(v[3]), len(d.dkeys))
			if len(metas) != len(d.dkeys) || len(d.names) != len(d.dkeys) {
				return errForm
			}
			for i, m := range metas {
				if code.DefFlags(m)&code.DefFileLocal != 0 {
					if d.local == nil {
						d.local = make([]bool, len(metas))
					}
					d.local[i] = true
				}
			}
			found[rawInt4(v[0])] = d
			return nil
		}, `select fact_id, dkeys, metas, names from node_block where repo_id = $1 and fact_id = any ($2)`, l.repo, part)
		if err != nil {
			return nil, explain(ctx, err, "reading definitions")
		}
	}
	return found, nil
}
