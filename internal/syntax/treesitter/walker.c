#include "walker.h"

#include <stdlib.h>
#include <string.h>

#define KEEP_ARENA ((size_t)16 << 20)

static void *need(void *p) {
	if (p == NULL) {
		abort();
	}
	return p;
}

struct walker *walker_new(const TSLanguage *language) {
	arena_install();
	TSParser *probe = ts_parser_new();
	bool readable = ts_parser_set_language(probe, language);
	ts_parser_delete(probe);
	if (!readable) {
		return NULL;
	}
	struct walker *w = need(calloc(1, sizeof *w));
	w->language = language;
	w->symbols = ts_language_symbol_count(language);
	w->names = ts_language_field_count(language) + 1;
	w->kinds = need(calloc(w->symbols, 1));
	w->leaves = need(calloc(w->symbols, 1));
	w->fields = need(calloc(w->names, 1));
	return w;
}

void walker_delete(struct walker *w) {
	arena_free(&w->arena);
	free(w->kinds);
	free(w->leaves);
	free(w->fields);
	free(w->records);
	free(w->levels);
	free(w);
}

void walker_trim(struct walker *w, size_t keep) {
	if ((size_t)w->capacity * sizeof *w->records > keep) {
		free(w->records);
		w->records = NULL;
		w->count = w->capacity = 0;
	}
}

static inline bool stopped(const struct walker *w) { return __atomic_load_n(&w->stop, __ATOMIC_RELAXED) != 0; }

static const char *read_text(void *payload, uint32_t at, TSPoint point, uint32_t *length) {
	struct walker *w = payload;
	(void)point;
	if (at >= w->length) {
		*length = 0;
		return "";
	}
	*length = w->length - at;
	return w->text + at;
}

static bool asked_to_stop(TSParseState *state) { return stopped(state->payload); }

static void add_fault(struct walker *w, uint32_t start, uint32_t end, TSSymbol missing) {
	if (w->fault_count < MAX_FAULTS) {
		w->faults[w->fault_count++] = (struct fault){start, end, missing};
	}
}

static uint32_t add_record(struct walker *w) {
	if (w->count == w->capacity) {
		w->capacity = w->capacity ? w->capacity * 2 : 1 << 14;
		w->records = need(realloc(w->records, (size_t)w->capacity * sizeof *w->records));
	}
	return w->count++;
}

// What the runtime keeps of a subtree: small leaves in eight bytes, all others
// on the heap, the children in front of their parent.

static inline uint32_t size_of(Subtree t) { return t.data.is_inline ? t.data.size_bytes : t.ptr->size.bytes; }
static inline uint32_t padding_of(Subtree t) { return t.data.is_inline ? t.data.padding_bytes : t.ptr->padding.bytes; }
static inline bool is_missing(Subtree t) { return t.data.is_inline ? t.data.is_missing : t.ptr->is_missing; }
static inline bool visible(Subtree t) { return t.data.is_inline ? t.data.visible : t.ptr->visible; }
static inline uint32_t child_count(Subtree t) { return t.data.is_inline ? 0 : t.ptr->child_count; }
static inline const Subtree *children_of(Subtree t) { return (const Subtree *)t.ptr - t.ptr->child_count; }

enum { NOT_KEPT = UINT32_MAX };

// level is a node whose children are being visited. Nodes that the grammar hides
// have a level of their own, but their children count as those of the node around.
struct level {
	const Subtree *child, *end;
	const TSSymbol *aliases; // by structural child, or NULL
	const TSFieldMapEntry *fields, *fields_end;
	uint32_t at;         // where the last child ended
	uint32_t structural; // number of the next child, extras not counted
	uint32_t record;     // of the node itself, or NOT_KEPT
	uint8_t inherited;   // the field of a hidden node, which is that of its children
	bool first;          // no child was visited yet
	bool visible;        // it is not hidden
};

static struct level *enter(struct walker *w, uint32_t *depth, Subtree node, uint32_t start) {
	if (*depth == w->level_capacity) {
		w->level_capacity = w->level_capacity ? w->level_capacity * 2 : 256;
		w->levels = need(realloc(w->levels, w->level_capacity * sizeof *w->levels));
	}
	struct level *l = &w->levels[(*depth)++];
	const TSLanguage *language = w->language;
	uint32_t production = node.ptr->production_id;
	l->child = children_of(node);
	l->end = l->child + node.ptr->child_count;
	l->aliases = production ? language->alias_sequences + production * language->max_alias_sequence_length : NULL;
	l->fields = l->fields_end = NULL;
	if (language->field_count) {
		TSMapSlice slice = language->field_map_slices[production];
		l->fields = language->field_map_entries + slice.index;
		l->fields_end = l->fields + slice.length;
	}
	l->at = start;
	l->structural = 0;
	l->first = true;
	return l;
}

static inline uint8_t field_at(const struct walker *w, const struct level *l, uint32_t structural) {
	for (const TSFieldMapEntry *f = l->fields; f < l->fields_end; f++) {
		if (!f->inherited && f->child_index == structural) {
			return w->fields[f->field_id];
		}
	}
	return l->inherited;
}

// keep makes the record of a visible node, if somebody asked for it.
static inline uint32_t keep(struct walker *w, Subtree t, TSSymbol symbol, uint32_t start, uint8_t field) {
	bool known = symbol < w->symbols;
	uint8_t kind = known ? w->kinds[symbol] : KIND_ERROR;
	uint8_t flags = 0;
	uint32_t end = start + size_of(t);
	if (w->broken) {
		if (!known) {
			add_fault(w, start, end, 0);
		} else if (is_missing(t)) {
			add_fault(w, start, end, symbol);
			flags = RECORD_MISSING;
		}
	}
	if (kind == KIND_DROP) {
		return NOT_KEPT;
	}
	uint32_t index = add_record(w);
	w->records[index] = (struct record){.start = start, .end = end, .next = index + 1, .kind = kind, .field = field, .flags = flags};
	return index;
}

// walk flattens the tree.
static bool walk(struct walker *w, Subtree root) {
	uint32_t depth = 0, nested = 1, steps = 0;
	uint32_t start = padding_of(root);
	uint32_t record = keep(w, root, root.data.is_inline ? root.data.symbol : root.ptr->symbol, start, 0);
	if (child_count(root) == 0) {
		return true;
	}
	struct level *l = enter(w, &depth, root, start);
	l->record = record;
	l->inherited = 0;
	l->visible = true;
	for (;;) {
		if (l->child == l->end) {
			if (l->visible) {
				nested--;
				if (l->record != NOT_KEPT) {
					w->records[l->record].next = w->count;
				}
			}
			if (--depth == 0) {
				return true;
			}
			l = &w->levels[depth - 1];
			continue;
		}
		if ((++steps & 0xfff) == 0 && stopped(w)) {
			return false;
		}
		Subtree t = *l->child++;
		uint32_t at = l->first ? l->at : l->at + padding_of(t); // the first child begins where its parent does
		l->first = false;
		l->at = at + size_of(t);
		bool extra = t.data.is_inline ? t.data.extra : t.ptr->extra;
		uint32_t structural = l->structural;
		TSSymbol symbol = 0;
		if (!extra) {
			l->structural++;
			if (l->aliases) {
				symbol = l->aliases[structural];
			}
		}
		bool shown = symbol != 0 || visible(t);
		if (symbol == 0) {
			symbol = t.data.is_inline ? t.data.symbol : t.ptr->symbol;
		}
		uint32_t count = child_count(t);
		if (shown) {
			if (count == 0 && symbol < w->symbols && w->kinds[symbol] == KIND_DROP && !w->broken) {
				continue; // a token that nobody asked for
			}
			uint32_t index = keep(w, t, symbol, at, extra ? 0 : field_at(w, l, structural));
			if (count == 0 || (symbol < w->symbols && w->leaves[symbol])) {
				continue;
			}
			if (nested == MAX_DEPTH) {
				if (t.ptr->visible_child_count > 0) {
					w->deep = true;
					if (index != NOT_KEPT) {
						w->records[index].flags |= RECORD_CUT;
					}
				}
				continue;
			}
			nested++;
			l = enter(w, &depth, t, at);
			l->record = index;
			l->inherited = 0;
			l->visible = true;
		} else if (count > 0 && t.ptr->visible_child_count > 0) {
			uint8_t field = extra ? 0 : field_at(w, l, structural);
			l = enter(w, &depth, t, at);
			l->record = NOT_KEPT;
			l->inherited = field;
			l->visible = false;
		}
	}
}

bool walker_run(struct walker *w, const char *text, uint32_t length) {
	w->count = w->fault_count = 0;
	w->broken = w->deep = false;
	w->text = text;
	w->length = length;
	arena_enter(&w->arena);

	// The parser lives in the arena too: a new one costs less than clearing an old one.
	TSParser *parser = ts_parser_new();
	ts_parser_set_language(parser, w->language);
	TSInput input = {w, read_text, TSInputEncodingUTF8, NULL};
	TSParseOptions options = {w, asked_to_stop};
	TSTree *tree = ts_parser_parse_with_options(parser, NULL, input, options);
	bool done = tree != NULL;
	if (done) {
		Subtree root = tree->root;
		w->broken = is_missing(root) || (!root.data.is_inline && root.ptr->error_cost > 0);
		done = walk(w, root);
	}
	ts_parser_delete(parser); // the external scanner is not in the arena

	arena_leave(&w->arena, KEEP_ARENA);
	w->text = NULL;
	if (!done) {
		w->count = w->fault_count = 0;
	}
	return done;
}
