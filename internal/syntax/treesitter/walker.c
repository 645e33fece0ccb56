#include "walker.h"

#include <stdlib.h>
#include <string.h>

#define KEEP_ARENA ((size_t)64 << 20)

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
	free(w->open);
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

static void add_fault(struct walker *w, TSNode node, TSSymbol missing) {
	if (w->fault_count == MAX_FAULTS) {
		return;
	}
	w->faults[w->fault_count++] = (struct fault){ts_node_start_byte(node), ts_node_end_byte(node), missing};
}

static uint32_t add_record(struct walker *w) {
	if (w->count == w->capacity) {
		w->capacity = w->capacity ? w->capacity * 2 : 1 << 14;
		w->records = need(realloc(w->records, (size_t)w->capacity * sizeof *w->records));
	}
	return w->count++;
}

enum { NOT_KEPT = UINT32_MAX };

// walk flattens the tree below root. The records of a node's ancestors are kept
// in w->open, so that each can be told its end when the walk leaves it.
static bool walk(struct walker *w, TSNode root) {
	TSTreeCursor cursor = ts_tree_cursor_new(root);
	uint32_t depth = 0, steps = 0;
	bool broken = w->broken;
	for (;;) {
		TSNode node = ts_tree_cursor_current_node(&cursor);
		TSSymbol symbol = ts_node_symbol(node);
		bool known = symbol < w->symbols;
		uint8_t kind = known ? w->kinds[symbol] : KIND_ERROR;
		uint8_t flags = 0;
		if (broken) {
			if (!known) {
				add_fault(w, node, 0);
			} else if (ts_node_is_missing(node)) {
				add_fault(w, node, symbol);
				flags |= RECORD_MISSING;
			}
		}
		if (depth == w->open_capacity) {
			w->open_capacity = w->open_capacity ? w->open_capacity * 2 : 256;
			w->open = need(realloc(w->open, w->open_capacity * sizeof *w->open));
		}
		uint32_t index = NOT_KEPT;
		if (kind != KIND_DROP) {
			index = add_record(w);
			w->records[index] = (struct record){
				.start = ts_node_start_byte(node),
				.end = ts_node_end_byte(node),
				.kind = kind,
				.field = w->fields[ts_tree_cursor_current_field_id(&cursor)],
				.flags = flags,
			};
		}
		w->open[depth] = index;
		if (!(known && w->leaves[symbol])) {
			if (depth + 1 == MAX_DEPTH) {
				if (ts_tree_cursor_goto_first_child(&cursor)) {
					ts_tree_cursor_goto_parent(&cursor);
					w->deep = true;
					if (index != NOT_KEPT) {
						w->records[index].flags |= RECORD_CUT;
					}
				}
			} else if (ts_tree_cursor_goto_first_child(&cursor)) {
				depth++;
				continue;
			}
		}
		for (;;) {
			if (w->open[depth] != NOT_KEPT) {
				w->records[w->open[depth]].next = w->count;
			}
			if (ts_tree_cursor_goto_next_sibling(&cursor)) {
				break;
			}
			if (!ts_tree_cursor_goto_parent(&cursor)) {
				return true;
			}
			depth--;
		}
		if ((++steps & 0xfff) == 0 && stopped(w)) {
			return false;
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
		TSNode root = ts_tree_root_node(tree);
		w->broken = ts_node_has_error(root);
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
