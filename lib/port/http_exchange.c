/* port/http_exchange.c - see http_exchange.h: how an exchange asks, and how it
 * takes what comes back. */
#include "port/http_exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/when.h"
#include "rule/retry.h"

enum { HTTP_BUFFER = 8 << 10 };

void
http_exchange_free(struct http_exchange *x)
{
	if (x->easy != NULL) {
		curl_multi_remove_handle(x->http->multi, x->easy);
		curl_easy_cleanup(x->easy);
	}
	for (struct curl_slist *s = x->headers; s != NULL; s = s->next)
		secret_wipe(s->data, strlen(s->data));
	curl_slist_free_all(x->headers);
	if (x->sent.data != NULL)
		secret_wipe(x->sent.data, x->sent.cap);
	if (x->got.data != NULL)
		secret_wipe(x->got.data, x->got.cap);
	buf_clear(&x->sent);
	buf_clear(&x->got);
	free(x);
}

/* ---- what comes back ---- */

static size_t
http_take_body(char *data, size_t size, size_t count, void *arg)
{
	struct http_exchange *x = arg;

	return buf_add(&x->got, data, size * count) == 0 ? size * count : 0;
}

/* Copies the value of "name: value" when the line has that name. */
static bool
http_header_value(
    const char *line, size_t len, const char *name, char *out, size_t cap)
{
	size_t name_len = strlen(name);
	size_t n;

	if (len <= name_len || line[name_len] != ':' ||
	    strncasecmp(line, name, name_len) != 0)
		return false;
	line += name_len + 1;
	len -= name_len + 1;
	while (len > 0 && (*line == ' ' || *line == '\t')) {
		line++;
		len--;
	}
	while (len > 0 && (unsigned char)line[len - 1] <= ' ')
		len--;
	n = len < cap - 1 ? len : cap - 1;
	memcpy(out, line, n);
	out[n] = '\0';
	return true;
}

static void
http_lower_type(char *type)
{
	type[strcspn(type, "; \t")] = '\0';
	for (char *p = type; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
}

/* Said twice, the longer one counts. */
static void
http_take_retry_after(struct http_exchange *x, const char *line, size_t len)
{
	char value[sizeof(x->retry_after)];
	int64_t now_ms = clock_wall_ms();

	if (http_header_value(line, len, "retry-after", value, sizeof(value)) &&
	    when_parse_retry_after(value, now_ms) >=
		when_parse_retry_after(x->retry_after, now_ms))
		memcpy(x->retry_after, value, sizeof(value));
}

static size_t
http_take_header(char *line, size_t size, size_t count, void *arg)
{
	struct http_exchange *x = arg;
	struct http_reply *r = &x->reply;
	size_t len = size * count;

	if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
		/* 100 Continue and the like come first. */
		r->content_type[0] = r->request_id[0] = '\0';
		r->www_authenticate[0] = r->location[0] = '\0';
		x->retry_after[0] = x->date[0] = '\0';
		return len;
	}
	if (http_header_value(line, len, "content-type", r->content_type,
		sizeof(r->content_type)))
		http_lower_type(r->content_type);
	http_header_value(
	    line, len, "request-id", r->request_id, sizeof(r->request_id));
	http_header_value(line, len, "www-authenticate", r->www_authenticate,
	    sizeof(r->www_authenticate));
	http_header_value(
	    line, len, "location", r->location, sizeof(r->location));
	http_take_retry_after(x, line, len);
	http_header_value(line, len, "date", x->date, sizeof(x->date));
	return len;
}

/* By the peer's clock, which need not be ours; 0: not said. */
int64_t
http_exchange_date(const struct http_exchange *x)
{
	int64_t ms = when_parse_retry_after(x->date, 0);

	return ms > 0 ? ms : 0;
}

int64_t
http_exchange_retry_after(const struct http_exchange *x)
{
	int64_t now_ms = http_exchange_date(x);
	int64_t wait_ms;

	wait_ms = when_parse_retry_after(
	    x->retry_after, now_ms > 0 ? now_ms : clock_wall_ms());
	/* A slip of the units, or the epoch, must not stop us for years. */
	return wait_ms < RETRY_AFTER_MAX_MS ? wait_ms : RETRY_AFTER_MAX_MS;
}

/* ---- what is asked ---- */

static bool
http_has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	return false;
}

static int
http_request_check(const struct http_request *r, struct err *e)
{
	if (r->url.failed || r->url.len == 0 || r->body.failed ||
	    r->header_count > HTTP_HEADERS_MAX)
		return err_set(e, ERR_INPUT, "request %s is too large", r->op);
	if (strlen(buf_text(&r->url)) != r->url.len ||
	    http_has_control(buf_text(&r->url)) ||
	    strchr(buf_text(&r->url), ' ') != NULL)
		return err_set(
		    e, ERR_INPUT, "request %s has a malformed URL", r->op);
	for (size_t i = 0; i < r->header_count; i++) {
		const struct buf *v = &r->headers[i].value;

		if (v->failed || strlen(buf_text(v)) != v->len ||
		    http_has_control(buf_text(v)))
			return err_set(e, ERR_INPUT,
			    "request %s has a malformed header %s", r->op,
			    r->headers[i].name);
	}
	return 0;
}

static void
http_add_header(struct http_exchange *x, const char *name, const char *value)
{
	struct curl_slist *more;
	struct buf line;

	buf_init(&line, HTTP_HEADER_MAX + 256);
	/* "Name;" is curl's way to send an empty value. */
	if (value[0] == '\0')
		buf_printf(&line, "%s;", name);
	else
		buf_printf(&line, "%s: %s", name, value);
	more = curl_slist_append(x->headers, buf_text(&line));
	if (more != NULL)
		x->headers = more;
	if (line.data != NULL)
		secret_wipe(line.data, line.cap);
	buf_clear(&line);
}

static void
http_set_headers(struct http_exchange *x, const struct http_request *r)
{
	for (size_t i = 0; i < r->header_count; i++)
		http_add_header(
		    x, r->headers[i].name, buf_text(&r->headers[i].value));
	if (r->content_type != NULL)
		http_add_header(x, "Content-Type", r->content_type);
	x->headers = curl_slist_append(x->headers, "Expect:");
	curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->headers);
}

static void
http_set_method(struct http_exchange *x, const struct http_request *r)
{
	bool is_post = strcmp(r->method, "POST") == 0;

	if (x->sent.len > 0 || is_post) {
		curl_easy_setopt(x->easy, CURLOPT_POST, 1L);
		curl_easy_setopt(
		    x->easy, CURLOPT_POSTFIELDS, buf_text(&x->sent));
		curl_easy_setopt(x->easy, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)x->sent.len);
		/* curl would claim a form. */
		if (r->content_type == NULL)
			x->headers =
			    curl_slist_append(x->headers, "Content-Type:");
	}
	if (!is_post && strcmp(r->method, "GET") != 0)
		curl_easy_setopt(x->easy, CURLOPT_CUSTOMREQUEST, r->method);
}

static void
http_set_limits(struct http_exchange *x, const struct http_request *r)
{
	CURL *c = x->easy;

	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_CONNECT_MS);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS,
	    r->timeout_ms > 0 ? (long)r->timeout_ms : (long)HTTP_TIMEOUT_MS);
	curl_easy_setopt(c, CURLOPT_BUFFERSIZE, (long)HTTP_BUFFER);
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	/* Without TLS it is the first answer that says whether a connection
	 * multiplexes: one that never comes would hold up everybody else. */
	curl_easy_setopt(c, CURLOPT_PIPEWAIT,
	    strncmp(buf_text(&r->url), "https:", 6) == 0 ? 1L : 0L);
	curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
}

static void
http_set_peer(struct http_exchange *x)
{
	const struct http_options *o = &x->http->options;
	const char *system_file = getenv("SSL_CERT_FILE");
	const char *system_folder = getenv("SSL_CERT_DIR");
	CURL *c = x->easy;

	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
	if (o->ca_file != NULL && o->ca_file[0] != '\0')
		curl_easy_setopt(c, CURLOPT_CAINFO, o->ca_file);
	else if (system_file != NULL && system_file[0] != '\0')
		curl_easy_setopt(c, CURLOPT_CAINFO, system_file);
	if (system_folder != NULL && system_folder[0] != '\0')
		curl_easy_setopt(c, CURLOPT_CAPATH, system_folder);
	/* An empty proxy also keeps curl from asking the environment. */
	curl_easy_setopt(c, CURLOPT_PROXY, o->proxy != NULL ? o->proxy : "");
	curl_easy_setopt(
	    c, CURLOPT_NOPROXY, o->no_proxy != NULL ? o->no_proxy : "");
	if (o->user_agent != NULL)
		curl_easy_setopt(c, CURLOPT_USERAGENT, o->user_agent);
}

/* curl sends a request again by itself when a kept connection dies before the
 * answer begins. A write may have had its effect by then: whoever asked has to
 * look before it is repeated. */
static int
http_about_to_send(void *arg, char *to, char *from, int to_port, int from_port)
{
	struct http_exchange *x = arg;

	(void)to;
	(void)from;
	(void)to_port;
	(void)from_port;
	if (x->once && x->sending)
		return CURL_PREREQFUNC_ABORT;
	if (x->may_go != NULL && !x->may_go(x->arg)) {
		x->held_back = true;
		return CURL_PREREQFUNC_ABORT;
	}
	x->sending = true;
	return CURL_PREREQFUNC_OK;
}

static void
http_set_callbacks(struct http_exchange *x)
{
	CURL *c = x->easy;

	curl_easy_setopt(c, CURLOPT_PRIVATE, x);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, x->message);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, http_take_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, x);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, http_take_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, x);
	curl_easy_setopt(c, CURLOPT_PREREQFUNCTION, http_about_to_send);
	curl_easy_setopt(c, CURLOPT_PREREQDATA, x);
}

struct http_exchange *
http_exchange_new(struct http *h, const struct http_request *r, struct err *e)
{
	struct http_exchange *x;

	if (http_request_check(r, e) != 0)
		return NULL;
	x = mem_zalloc(sizeof(*x));
	x->http = h;
	x->once = r->once;
	x->may_go = r->may_go;
	x->party = r->party <= h->options.parties ? r->party : 0;
	x->reply.retry_after_ms = -1;
	buf_init(&x->sent, HTTP_BODY_MAX);
	buf_init(&x->got, HTTP_REPLY_MAX);
	if (r->body.len > 0)
		buf_add(&x->sent, r->body.data, r->body.len);
	x->easy = curl_easy_init();
	if (x->easy == NULL) {
		err_set(e, ERR_RETRY, "libcurl has no handle");
		http_exchange_free(x);
		return NULL;
	}
	curl_easy_setopt(x->easy, CURLOPT_URL, buf_text(&r->url));
	http_set_limits(x, r);
	http_set_peer(x);
	http_set_callbacks(x);
	http_set_method(x, r);
	http_set_headers(x, r);
	return x;
}
