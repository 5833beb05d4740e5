/* base/mem.h - allocation that does not return NULL: out of memory is logged
 * and ends the process with status 70; durable state makes that safe. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

/* Zeroed memory, free with free(). size 0 gives a valid pointer. */
void *mem_zalloc(size_t size);
void *mem_calloc(size_t count, size_t size);
void *mem_realloc(void *ptr, size_t size);
char *mem_strdup(const char *text);
char *mem_strndup(const char *text, size_t len);

/* The end that all of the above come to: logs, exits with status 70. */
_Noreturn void mem_exhausted(size_t size);

#endif
