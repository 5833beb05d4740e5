/* ctl/status_doc.h - the state of everything as one JSON document. */
#ifndef CTL_STATUS_DOC_H
#define CTL_STATUS_DOC_H

#include <jansson.h>

#include "live.h"

/*
 * New reference, or NULL with *e. Members: time, degraded (list of {reason,
 * message, since}), sync, renew, queue, deadLetters, subscriptions, links,
 * mailboxes (list). The service is degraded when that list is not empty.
 */
json_t *status_doc(struct live *live, struct err *e);

#endif
