/* tests/unit/test_remote.h - what the tests of lib/remote share: a usual
 * configuration, answers, and the headers of a request. */
#ifndef TEST_REMOTE_H
#define TEST_REMOTE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "port/config.h"
#include "port/http.h"

static char graph_url[] = "https://graph.example";
static char login_url[] = "https://login.example";
static char unblu_url[] = "https://unblu.example/gateway";
static char unblu_api_url[] = "https://unblu.example/gateway/app/rest/v4";
static char client_id[] = "11111111-2222-4333-8444-555555555555";
static char addin_id[] = "0a1b2c3d-0000-4000-8000-00000000000a";
static char empty[] = "";
static char gateway_id[] = "sync:client";
static char deployment_url[] = "https://addin.example";
static char base[] = "/addin";

static inline struct config
usual(void)
{
	struct config c = {
	    .graph_url = graph_url,
	    .login_url = login_url,
	    .unblu_url = unblu_url,
	    .unblu_api_url = unblu_api_url,
	    .client_id = client_id,
	    .addin_id = addin_id,
	    .unblu_token_scope = empty,
	    .unblu_token_audience = empty,
	    .unblu_token_resource = empty,
	    .gateway_client_id = gateway_id,
	    .deployment_url = deployment_url,
	    .base = base,
	};

	return c;
}

static inline struct http_reply
reply_of(int status, const char *type, const char *body)
{
	struct http_reply r = {
	    .result = HTTP_DONE,
	    .status = status,
	    .body = body,
	    .body_len = strlen(body),
	    .retry_after_ms = -1,
	    .message = "",
	};

	snprintf(r.content_type, sizeof(r.content_type), "%s", type);
	return r;
}

#define JSON "application/json"
#define GRAPH_ERROR(code, message)                                             \
	"{\"error\":{\"code\":\"" code "\",\"message\":\"" message             \
	"\",\"innerError\":{\"request-id\":\"x\"}}}"

static inline const char *
header(const struct http_request *r, const char *name)
{
	for (size_t i = 0; i < r->header_count; i++)
		if (strcmp(r->headers[i].name, name) == 0)
			return buf_text(&r->headers[i].value);
	return NULL;
}

#endif
