/* fcgi/web_job.c - see web_job.h. */
#include "web_job.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"

void
reply_error(struct reply *r, int status, const char *code, const char *message)
{
	reply_clear(r);
	r->status = status;
	r->code = code;
	r->message = message;
}

void
reply_not_now(struct reply *r, const char *code, const char *message)
{
	reply_error(r, 503, code, message);
	r->headers = "Retry-After: 5\r\n";
}

void
reply_json_owned(struct reply *r, int status, char *body)
{
	reply_clear(r);
	r->status = status;
	r->type = "application/json";
	r->headers = "Cache-Control: no-store\r\n";
	r->body = body;
	r->body_len = strlen(body);
}

void
reply_clear(struct reply *r)
{
	free(r->body);
	memset(r, 0, sizeof(*r));
}

struct job *
job_new(enum job_kind kind, const char *request_id)
{
	struct job *j = mem_zalloc(sizeof(*j));

	j->kind = kind;
	text_copy(j->request_id, sizeof(j->request_id), request_id);
	return j;
}

void
job_free(struct job *j)
{
	if (j == NULL)
		return;
	if (j->token != NULL)
		secret_wipe(j->token, strlen(j->token));
	free(j->token);
	free(j->link);
	free(j->drops);
	free(j->body);
	reply_clear(&j->reply);
	free(j);
}
