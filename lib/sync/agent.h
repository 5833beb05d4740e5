/* sync/agent.h - the agent as whom we call Unblu: unbluActAs header. Source:
 * reference/unblu.md 8. */
#ifndef SYNC_AGENT_H
#define SYNC_AGENT_H

#include <stddef.h>

#include "base/err.h"
#include "port/agent_map.h"
#include "port/config.h"
#include "port/credential.h"
#include "port/http.h"

struct session;

enum { AGENT_TOLD_MAX = 256 };

struct agents {
	struct session *session;
	struct agent_map *map; /* NULL: none, or not readable yet */
	struct credential_stamp stamp; /* of its file as read */
	char problem[ERR_TEXT_MAX]; /* of the file as it is, "" none */
	/* Mailboxes that were told to be without a name, tenant/user. */
	char told[AGENT_TOLD_MAX][80];
	size_t told_count;
};

/* Nothing is read yet: the renewal has no use for the mapping. */
void agent_init(struct agents *a, struct session *s);
void agent_clear(struct agents *a);

/* Reads the mapping file again when it is another one, or could not be read;
 * the former mapping stays when that has a mistake. */
void agent_look(struct agents *a);

/*
 * With unbluActAs header: adds the headers that name the agent of that mailbox
 * and his role. -1, ERR_MAILBOX: his name is not known or fits no header; told
 * once in the log, and the rows are held until it is.
 */
int agent_add_headers(struct agents *a, const char *tenant, const char *user,
    struct http_request *req, struct err *e);

#endif
