/* fcgi/web_answer.h - from libfcgi's request to a route, and back. */
#ifndef FCGI_WEB_ANSWER_H
#define FCGI_WEB_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "web.h"

/* As web_route(): a reply, or a job. The front stays open. */
struct job *answer_request(struct web *w, struct front *front,
    uint64_t body_len, bool too_long, struct reply *reply);

/* Sends reply and ends front. -1 when the peer did not take it. */
int answer_send(struct front *front, const struct reply *reply);

/* The same for a job; its front becomes NULL. */
int answer_job(struct job *j, const struct reply *reply);

#endif
