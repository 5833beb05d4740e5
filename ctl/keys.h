/* ctl/keys.h - the table of configuration keys, printed. Pure. */
#ifndef CTL_KEYS_H
#define CTL_KEYS_H

#include "base/buf.h"

/* conf/addin.schema.json: JSON Schema, draft 2020-12. */
void keys_write_schema(struct buf *out);
/* conf/addin.json: what an operator starts from. */
void keys_write_sample(struct buf *out);
/* The tables of docs/configuration.md, in Markdown. */
void keys_write_reference(struct buf *out);

#endif
