/* ctl/template.h - fills the nginx template. Pure. */
#ifndef CTL_TEMPLATE_H
#define CTL_TEMPLATE_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct template_value {
	const char *name; /* upper case and '_' */
	const char *text; /* "" also means "no" for @if */
};

/*
 * Appends text to out with @NAME@ replaced. A line "@if NAME@" keeps what
 * follows up to a line "@end@" when the value is not empty, "@unless NAME@"
 * when it is; they do not nest. The rest of a line "@each NAME@ ..." is
 * repeated for each word of the value, which is @ITEM@ there. A value may
 * consist of letters, digits and . _ ~ : / * + [ ] - and blanks only, so that
 * none can end a directive, a string or a block. ERR_CONFIG names the value
 * that does not; ERR_INPUT for a template that asks for an unknown name.
 */
int template_fill(const char *text, const struct template_value *values,
    size_t count, struct buf *out, struct err *e);

#endif
