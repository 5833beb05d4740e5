/* base/secret.c - see secret.h. */
#include "base/secret.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/jws.h"
#include "base/mem.h"

struct secret {
	size_t len;
	char text[];
};

struct secret *
secret_new(const char *text, size_t len)
{
	struct secret *s = mem_zalloc(sizeof(*s) + len + 1);

	s->len = len;
	if (len > 0)
		memcpy(s->text, text, len);
	return s;
}

void
secret_free(struct secret *s)
{
	if (s == NULL)
		return;
	secret_wipe(s, sizeof(*s) + s->len);
	free(s);
}

bool
secret_is_set(const struct secret *s)
{
	return s != NULL && s->len > 0;
}

const char *
secret_reveal(const struct secret *s)
{
	return s != NULL ? s->text : "";
}

size_t
secret_len(const struct secret *s)
{
	return s != NULL ? s->len : 0;
}

bool
secret_equals(const struct secret *a, const struct secret *b)
{
	return secret_is_set(a) && secret_is_set(b) && a->len == b->len &&
	    jws_equal(a->text, b->text, a->len);
}

void
secret_wipe(void *data, size_t len)
{
	if (len > 0)
		explicit_bzero(data, len);
}

bool
secret_guard_process(void)
{
	const struct rlimit none = {0, 0};
	bool refused = setrlimit(RLIMIT_CORE, &none) != 0;

#ifndef __SANITIZE_ADDRESS__
	refused = prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || refused;
#endif
	return !refused;
}
