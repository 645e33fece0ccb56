// The walker parses one file and flattens its tree, in one call from Go.

#ifndef MANITO_TREESITTER_WALKER_H
#define MANITO_TREESITTER_WALKER_H

#include "arena.h"
#include "runtime.h"

// A record is one node of the tree, in pre-order. Go reads it as Record.
struct record {
	uint32_t start, end; // bytes of the file
	uint32_t next;       // the record after this node and all below it
	uint8_t kind;        // from walker.kinds
	uint8_t field;       // from walker.fields
	uint8_t flags;       // RECORD_...
	uint8_t spare;
};

enum { RECORD_MISSING = 1, RECORD_CUT = 2 };

// Kinds that the walker gives by itself; a language numbers its own from 1.
enum { KIND_DROP = 0, KIND_ERROR = 255 };

// A fault is a place where the text breaks the grammar.
struct fault {
	uint32_t start, end;
	uint16_t symbol; // of the token that is missing there, or 0
};

enum { MAX_FAULTS = 20, MAX_DEPTH = 4000 };

struct level;

struct walker {
	const TSLanguage *language;
	uint32_t symbols;    // length of kinds
	uint32_t names;      // length of fields
	uint8_t *kinds;      // symbol -> kind, KIND_DROP for nodes that nobody asked for
	uint8_t *leaves;     // symbol -> whether what is below it is left out
	uint8_t *fields;     // field id -> field, 0 for those that nobody asked for

	struct record *records; // of the last call; capacity of them are allocated
	uint32_t count, capacity;
	struct fault faults[MAX_FAULTS];
	uint32_t fault_count;
	bool broken; // the text breaks the grammar somewhere
	bool deep;   // nodes below MAX_DEPTH were left out
	int32_t stop; // set by Go, at any time, to end the call early

	struct level *levels; // of the walk under way; level_capacity of them are allocated
	uint32_t level_capacity;
	struct arena arena;
	const char *text; // only during a call
	uint32_t length;
};

// walker_new makes a walker whose tables are still empty; NULL when the
// runtime cannot read the language's version of the tables.
struct walker *walker_new(const TSLanguage *language);
void walker_delete(struct walker *w);

// walker_run parses the text and fills records and faults. It gives false when it was stopped.
bool walker_run(struct walker *w, const char *text, uint32_t length);

// walker_trim gives back buffers above keep bytes.
void walker_trim(struct walker *w, size_t keep);

#endif
