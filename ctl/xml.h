/* ctl/xml.h - writes an indented XML document. Pure. */
#ifndef CTL_XML_H
#define CTL_XML_H

#include "base/buf.h"

struct xml {
	struct buf *out;
	int depth;
};

/* The declaration. */
void xml_begin(struct xml *x, struct buf *out);

/* The rest of the arguments: name and value of each attribute, then NULL. Text
 * and values are escaped; both must be free of control characters. */
void xml_open(struct xml *x, const char *tag, ...) __attribute__((sentinel));
void xml_close(struct xml *x, const char *tag);
/* An element with text inside; text NULL: an empty one. */
void xml_leaf(struct xml *x, const char *tag, const char *text, ...)
    __attribute__((sentinel));

#endif
