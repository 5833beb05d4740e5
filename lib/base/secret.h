/* base/secret.h - a secret that no %s can print. */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/* Opaque; wiped when freed. */
struct secret;

struct secret *secret_new(const char *text, size_t len);
void secret_free(struct secret *s); /* NULL is allowed */
bool secret_is_set(const struct secret *s); /* false for NULL and "" */
/* For the one place that puts it on the wire. Borrowed; "" for NULL. */
const char *secret_reveal(const struct secret *s);
size_t secret_len(const struct secret *s);
/* In constant time for a given length. Unset ones equal nothing. */
bool secret_equals(const struct secret *a, const struct secret *b);

/* For each process that holds secrets, before it reads the first: from now on
 * no debugger, no /proc/PID/environ or mem for others of its user, and no core.
 * False when the kernel refuses. With a sanitizer, whose leak check looks into
 * its own process, only the core is refused. */
bool secret_guard_process(void);

/* Overwrites memory so that the compiler can not leave it out. */
void secret_wipe(void *data, size_t len);

#endif
