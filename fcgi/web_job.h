/* fcgi/web_job.h - what the loop thread asks of the commit thread. */
#ifndef FCGI_WEB_JOB_H
#define FCGI_WEB_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "front.h"
#include "port/store.h"
#include "rule/notification.h"

enum {
	JOB_REQUEST_ID_MAX = 65, /* nginx lets 64 pass; with NUL */
	JOB_RETRY_AFTER_S = 5
};

/* What a request is answered with; texts are static unless said otherwise. */
struct reply {
	int status;
	const char *type; /* NULL: none */
	const char *headers; /* "Name: value\r\n" lines; NULL: none */
	char *body; /* free()d with the reply; NULL: see code */
	size_t body_len;
	const char *code; /* not NULL: an error object with these two */
	const char *message;
};

/* {"error":{"code","message","requestId"}} with that status. */
void
reply_error(struct reply *r, int status, const char *code, const char *message);
/* 503 with Retry-After. */
void reply_not_now(struct reply *r, const char *code, const char *message);
/* body is taken over. */
void reply_json_owned(struct reply *r, int status, char *body);
void reply_clear(struct reply *r);

enum job_kind {
	JOB_NOTIFICATIONS,
	JOB_LINK_PUT,
	JOB_LINK_GET,
	JOB_LINK_DELETE,
	JOB_METRICS
};

/*
 * Made by a route, owned by one thread at a time: the loop thread until
 * commit_post(), the commit thread until commit_collect().
 */
struct job {
	enum job_kind kind;
	char request_id[JOB_REQUEST_ID_MAX];
	char *body; /* NUL-terminated */
	size_t body_len;

	/* JOB_NOTIFICATIONS */
	struct notification_list list; /* points into body */
	bool deferred; /* begun, the rest has to wait */
	struct batch_drops *drops; /* see web_batch.c; NULL: none */
	/* JOB_LINK_* */
	char *token; /* wiped when freed */
	struct store_link *link; /* conversation, and what PUT says */

	struct reply reply; /* made by the commit thread */

	/* the loop thread's own */
	struct front *front; /* NULL: has been answered */
	struct conn *conn;
	size_t charge; /* bytes of the body budget */
	int64_t deadline_ms;
	TAILQ_ENTRY(job) pending;

	STAILQ_ENTRY(job) next; /* in a queue between the threads */
};

STAILQ_HEAD(job_queue, job);

struct job *job_new(enum job_kind kind, const char *request_id);
/* Not the front. NULL is allowed. */
void job_free(struct job *j);

#endif
