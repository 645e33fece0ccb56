// An arena: memory that is handed out piece by piece and taken back all at once.
//
// Parsing a file makes hundreds of thousands of small allocations that all die
// together. Inside arena_enter ... arena_leave the runtime's allocations of this
// thread come from the given arena and cost a few instructions each; leaving
// drops them at once, the tree included, without visiting it.

#ifndef MANITO_TREESITTER_ARENA_H
#define MANITO_TREESITTER_ARENA_H

#include <stddef.h>
#include <stdint.h>

#define ARENA_CLASSES 128 // free lists for pieces of 8, 16, ... 1016 bytes

struct arena_chunk {
	struct arena_chunk *next;
	size_t size; // usable bytes after this header
};

struct arena {
	struct arena_chunk *chunks; // all chunks, oldest first
	struct arena_chunk *chunk;  // the one in use
	char *at, *end;             // the unused rest of it
	void *freed[ARENA_CLASSES]; // pieces given back, by size
};

// arena_install makes the runtime allocate through arenas. It acts once per
// process and must come before the first parser is made, because memory must be
// freed by the allocator that it came from.
void arena_install(void);

// arena_enter makes this thread allocate from a until arena_leave. What was
// allocated in between must not be touched afterwards.
void arena_enter(struct arena *a);

// arena_leave takes everything back and returns chunks beyond keep bytes to the system.
void arena_leave(struct arena *a, size_t keep);

// arena_free returns all chunks to the system.
void arena_free(struct arena *a);

#endif
