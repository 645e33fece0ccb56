#include "arena.h"
#include "runtime.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK ((size_t)1 << 20)

// Each piece is preceded by its size and by where it came from. The runtime
// needs no alignment above eight bytes.
struct piece {
	uint32_t size;
	uint32_t origin;
};

enum { ORIGIN_ARENA = 0x41524e41, ORIGIN_SYSTEM = 0x53595354 };

static _Thread_local struct arena *current;

static void *need(void *p, size_t size) {
	if (p == NULL) { // the runtime cannot go on without memory, and cannot say so to its caller
		fprintf(stderr, "manito: the parser could not allocate %zu bytes\n", size);
		abort();
	}
	return p;
}

static size_t rounded(size_t size) {
	size = size == 0 ? 8 : (size + 7) & ~(size_t)7;
	if (size > UINT32_MAX - 64) {
		need(NULL, size);
	}
	return size;
}

static void next_chunk(struct arena *a, size_t size) {
	struct arena_chunk *c = a->chunk ? a->chunk->next : a->chunks;
	struct arena_chunk *last = a->chunk;
	while (c != NULL && c->size < size) { // too small for this piece; left for the next round
		last = c;
		c = c->next;
	}
	if (c == NULL) {
		size_t usable = size > CHUNK ? size : CHUNK;
		c = need(malloc(sizeof *c + usable), usable);
		c->size = usable;
		c->next = NULL;
		if (last) {
			last->next = c;
		} else {
			a->chunks = c;
		}
	}
	a->chunk = c;
	a->at = (char *)(c + 1);
	a->end = a->at + c->size;
}

static void *take(struct arena *a, size_t size) {
	size_t class = size >> 3;
	if (class < ARENA_CLASSES && a->freed[class]) {
		void *p = a->freed[class];
		a->freed[class] = *(void **)p;
		return p;
	}
	size_t whole = size + sizeof(struct piece);
	if ((size_t)(a->end - a->at) < whole) {
		next_chunk(a, whole);
	}
	struct piece *h = (struct piece *)a->at;
	a->at += whole;
	h->size = (uint32_t)size;
	h->origin = ORIGIN_ARENA;
	return h + 1;
}

static void *piece_malloc(size_t size) {
	size = rounded(size);
	if (current) {
		return take(current, size);
	}
	struct piece *h = need(malloc(sizeof *h + size), size);
	h->size = (uint32_t)size;
	h->origin = ORIGIN_SYSTEM;
	return h + 1;
}

static void *piece_calloc(size_t count, size_t size) {
	if (size != 0 && count > UINT32_MAX / size) {
		need(NULL, UINT32_MAX);
	}
	void *p = piece_malloc(count * size);
	memset(p, 0, count * size);
	return p;
}

static void piece_free(void *p) {
	if (p == NULL) {
		return;
	}
	struct piece *h = (struct piece *)p - 1;
	if (h->origin == ORIGIN_SYSTEM) {
		free(h);
		return;
	}
	size_t class = h->size >> 3;
	if (current && class < ARENA_CLASSES) {
		*(void **)p = current->freed[class];
		current->freed[class] = p;
	}
}

static void *piece_realloc(void *p, size_t size) {
	if (p == NULL) {
		return piece_malloc(size);
	}
	struct piece *h = (struct piece *)p - 1;
	size = rounded(size);
	if (size <= h->size) {
		return p;
	}
	if (h->origin == ORIGIN_SYSTEM) {
		h = need(realloc(h, sizeof *h + size), size);
		h->size = (uint32_t)size;
		return h + 1;
	}
	struct arena *a = current;
	if (a && (char *)p + h->size == a->at && (size_t)(a->end - (char *)p) >= size) { // the last piece grows where it is
		a->at = (char *)p + size;
		h->size = (uint32_t)size;
		return p;
	}
	void *q = piece_malloc(size);
	memcpy(q, p, h->size);
	piece_free(p);
	return q;
}

static void install(void) { ts_set_allocator(piece_malloc, piece_calloc, piece_realloc, piece_free); }

void arena_install(void) {
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, install);
}

void arena_enter(struct arena *a) {
	a->chunk = NULL;
	a->at = a->end = NULL;
	memset(a->freed, 0, sizeof a->freed);
	current = a;
}

void arena_leave(struct arena *a, size_t keep) {
	current = NULL;
	size_t held = 0;
	for (struct arena_chunk **link = &a->chunks; *link;) {
		struct arena_chunk *c = *link;
		held += c->size;
		if (held > keep) {
			*link = c->next;
			free(c);
		} else {
			link = &c->next;
		}
	}
	a->chunk = NULL;
	a->at = a->end = NULL;
}

void arena_free(struct arena *a) { arena_leave(a, 0); }
