/* base/mem.c - see mem.h. */
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

enum { MEM_EXIT_STATUS = 70 };

_Noreturn void
mem_exhausted(size_t size)
{
	log_error("out-of-memory", LOG_INT("bytes", size));
	/* No atexit handlers: they may want memory themselves. */
	_exit(MEM_EXIT_STATUS);
}

void *
mem_zalloc(size_t size)
{
	return mem_calloc(1, size);
}

void *
mem_calloc(size_t count, size_t size)
{
	void *p;

	if (count == 0 || size == 0)
		count = size = 1;
	p = calloc(count, size);
	if (p == NULL)
		mem_exhausted(
		    size > SIZE_MAX / count ? SIZE_MAX : count * size);
	return p;
}

void *
mem_realloc(void *ptr, size_t size)
{
	void *p = realloc(ptr, size > 0 ? size : 1);

	if (p == NULL)
		mem_exhausted(size);
	return p;
}

char *
mem_strdup(const char *text)
{
	return mem_strndup(text, strlen(text));
}

char *
mem_strndup(const char *text, size_t len)
{
	char *p;

	len = strnlen(text, len);
	if (len == SIZE_MAX)
		mem_exhausted(len);
	p = mem_realloc(NULL, len + 1);
	memcpy(p, text, len);
	p[len] = '\0';
	return p;
}
