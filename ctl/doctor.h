/* ctl/doctor.h - outlook-addinctl doctor: findings, and the probes that make
 * them. */
#ifndef CTL_DOCTOR_H
#define CTL_DOCTOR_H

#include <jansson.h>

#include "base/loop.h"
#include "ctl.h"
#include "port/http.h"
#include "port/store.h"
#include "sync/session.h"

enum doctor_status {
	DOCTOR_OK,
	DOCTOR_SKIPPED, /* could not be tried; the detail says why */
	DOCTOR_WARNING,
	DOCTOR_FAILED
};

struct doctor {
	const struct config *config;
	struct loop *loop;
	struct session *session; /* without a store: it leaves no trace */
	const char *tenant, *user; /* the mailbox to try, "" none given */
	json_t *findings; /* array */
	int failed, warnings;
	bool clock_told;
	struct store *store; /* read-only, NULL none */
};

/*
 * One finding: a line of the report. subject is what was tried ("tenant ...",
 * an address), detail what was seen, advice what to do ("" nothing).
 */
void doctor_add(struct doctor *d, const char *check, const char *subject,
    enum doctor_status status, const char *detail, const char *advice);
void doctor_addf(struct doctor *d, const char *check, const char *subject,
    enum doctor_status status, const char *advice, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));

/* Runs the loop until doctor_done(): waits for the one thing under way. */
void doctor_wait(struct doctor *d);
void doctor_done(struct doctor *d);

/* doctor_local.c: this machine and the store. */
void doctor_local(struct doctor *d);
/* doctor_graph.c: Entra and Microsoft Graph, a tenant after the other. */
void doctor_graph(struct doctor *d);
/* doctor_peers.c: the gateway, Unblu, and our own webhook from outside. */
void doctor_unblu(struct doctor *d);
void doctor_webhook(struct doctor *d);
/* The add-in's files by the public address, rendered from this very file. */
void doctor_addin(struct doctor *d);

/*
 * What the transport says about a peer: names, connections, certificates. True
 * when there is an HTTP answer; else a finding was added. The peer's clock is
 * compared with ours, once.
 */
bool doctor_reached(struct doctor *d, const char *check, const char *url,
    const struct http_reply *reply);

/* Asks and waits; judge sees the reply before this returns. False: the
 * request could not be made, a finding says why. */
bool doctor_ask(struct doctor *d, const char *check, struct http_request *req,
    void (*judge)(const struct http_reply *reply, void *arg), void *arg);

#endif
