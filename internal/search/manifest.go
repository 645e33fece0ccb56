package search

import (
	"encoding/hex"
	"path/filepath"
	"strings"

	"manito/internal/mapfile"
)

// manifest says which segments a snapshot's chunks are in.
type manifest struct {
	digest   []uint8
	names    []uint8  // of the segments, a line each
	segment  []uint32 // by file of the snapshot; noSegment for a file without chunks
	position []uint32 // by file of the snapshot: its number in the segment
	model    []uint8  // name of the model of the vectors; "" for none
}

const (
	noSegment      = 1<<32 - 1
	manifestSuffix = ".search"
)

func manifestName(digest [32]byte) string { return hex.EncodeToString(digest[:16]) + manifestSuffix }

func (m *manifest) columns() []mapfile.Column {
	return []mapfile.Column{mapfile.Col(&m.digest), mapfile.Col(&m.names), mapfile.Col(&m.segment), mapfile.Col(&m.position), mapfile.Col(&m.model)}
}

func manifestFormat() mapfile.Format { return mapfile.Format{Magic: "MANITOSM", Version: 2} }

func (m *manifest) write(dir string) error {
	return manifestFormat().Write(filepath.Join(dir, manifestName([32]byte(m.digest))), m.columns()...)
}

// readManifest maps a snapshot's manifest; the file is to be closed after its last use.
func readManifest(dir string, digest [32]byte) (*manifest, *mapfile.File, error) {
	m := &manifest{}
	f, err := manifestFormat().Open(filepath.Join(dir, manifestName(digest)), m.columns()...)
	if err != nil {
		return nil, nil, err
	}
	if len(m.digest) != 32 || [32]byte(m.digest) != digest || len(m.segment) != len(m.position) {
		return nil, nil, mapfile.Corrupt("it is of another snapshot")
	}
	for _, name := range append(m.segments(), m.models()...) {
		if !segmentName(name) {
			return nil, nil, mapfile.Corrupt("a segment cannot have the name %q", name)
		}
	}
	return m, f, nil
}

func (m *manifest) segments() []string {
	if len(m.names) == 0 {
		return nil
	}
	return strings.Split(string(m.names), "\n")
}

func (m *manifest) models() []string {
	if len(m.model) == 0 {
		return nil
	}
	return []string{string(m.model)}
}

// segmentName says whether a name is one that makeSegment gives.
func segmentName(name string) bool {
	b, err := hex.DecodeString(name)
	return err == nil && len(b) == 16
}
