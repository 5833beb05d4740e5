/* port/http.c - see http.h. The only file that knows libcurl. */
#include "port/http.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/when.h"

enum {
	HTTP_CONNECTIONS_TOTAL = 64,
	HTTP_CONNECTIONS_IDLE = 16,
	HTTP_BUFFER = 8 << 10,
	HTTP_LOW_SPEED_S = 10
};

struct http_exchange {
	struct http *http;
	CURL *easy;
	struct curl_slist *headers;
	struct buf sent; /* the request's body */
	struct buf got;
	struct http_reply reply;
	bool once, sending;
	char message[CURL_ERROR_SIZE];
	int64_t started_ms;
	void (*done)(const struct http_reply *reply, void *arg);
	void *arg;
	TAILQ_ENTRY(http_exchange) link;
};

struct http {
	struct loop *loop;
	struct http_options options;
	CURLM *multi; /* NULL until the first exchange */
	struct loop_timer *timer;
	TAILQ_HEAD(, http_exchange) exchanges;
	size_t count;
};

static void http_settle(struct http *h);

struct http *
http_new(struct loop *loop, const struct http_options *options)
{
	struct http *h = mem_zalloc(sizeof(*h));

	h->loop = loop;
	h->options = *options;
	TAILQ_INIT(&h->exchanges);
	return h;
}

static void
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

void
http_cancel(struct http_exchange *x)
{
	TAILQ_REMOVE(&x->http->exchanges, x, link);
	x->http->count--;
	http_exchange_free(x);
}

void
http_free(struct http *h)
{
	if (h == NULL)
		return;
	while (!TAILQ_EMPTY(&h->exchanges))
		http_cancel(TAILQ_FIRST(&h->exchanges));
	if (h->multi != NULL) {
		curl_multi_cleanup(h->multi);
		loop_timer_free(h->timer);
		curl_global_cleanup();
	}
	free(h);
}

size_t
http_count(const struct http *h)
{
	return h->count;
}

/* ---- curl multi on the loop ---- */

struct http_socket {
	struct http *http;
	curl_socket_t fd;
	struct loop_watch *watch;
};

static void
http_socket_ready(uint32_t events, void *arg)
{
	struct http_socket *s = arg;
	struct http *h = s->http;
	int mask = 0;
	int running;

	if ((events & EPOLLIN) != 0)
		mask |= CURL_CSELECT_IN;
	if ((events & EPOLLOUT) != 0)
		mask |= CURL_CSELECT_OUT;
	if ((events & (EPOLLERR | EPOLLHUP)) != 0)
		mask |= CURL_CSELECT_ERR;
	curl_multi_socket_action(h->multi, s->fd, mask, &running);
	http_settle(h);
}

static int
http_socket_changed(
    CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct http *h = arg;
	struct http_socket *s = socket_arg;
	uint32_t events = 0;
	struct err e;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (s == NULL)
			return 0;
		curl_multi_assign(h->multi, fd, NULL);
		loop_watch_remove(s->watch);
		free(s);
		return 0;
	}
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		events |= EPOLLIN;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		events |= EPOLLOUT;
	if (s != NULL)
		return loop_watch_change(s->watch, events, &e);
	s = mem_zalloc(sizeof(*s));
	s->http = h;
	s->fd = fd;
	s->watch =
	    loop_watch_add(h->loop, fd, events, http_socket_ready, s, &e);
	if (s->watch == NULL) {
		free(s);
		return -1;
	}
	curl_multi_assign(h->multi, fd, s);
	return 0;
}

static int
http_timer_changed(CURLM *multi, long delay_ms, void *arg)
{
	struct http *h = arg;

	(void)multi;
	if (delay_ms < 0)
		loop_timer_stop(h->timer);
	else
		loop_timer_set(h->timer, delay_ms);
	return 0;
}

static void
http_timer_fired(void *arg)
{
	struct http *h = arg;
	int running;

	curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	http_settle(h);
}

/* TLS and curl are set up with the first exchange only: a run of renew with
 * nothing due must not pay for them. */
static int
http_prepare(struct http *h, struct err *e)
{
	long per_host = h->options.max_connections_per_host;

	if (h->multi != NULL)
		return 0;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(e, ERR_RETRY, "libcurl can not be set up");
	h->multi = curl_multi_init();
	if (h->multi == NULL) {
		curl_global_cleanup();
		return err_set(e, ERR_RETRY, "libcurl has no multi handle");
	}
	h->timer = loop_timer_new(h->loop, http_timer_fired, h);
	if (per_host == 0)
		per_host = HTTP_CONNECTIONS_PER_HOST;
	curl_multi_setopt(
	    h->multi, CURLMOPT_SOCKETFUNCTION, http_socket_changed);
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, http_timer_changed);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
	curl_multi_setopt(
	    h->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
	curl_multi_setopt(h->multi, CURLMOPT_MAX_HOST_CONNECTIONS, per_host);
	curl_multi_setopt(h->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
	    (long)HTTP_CONNECTIONS_TOTAL);
	curl_multi_setopt(
	    h->multi, CURLMOPT_MAXCONNECTS, (long)HTTP_CONNECTIONS_IDLE);
	return 0;
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

static size_t
http_take_header(char *line, size_t size, size_t count, void *arg)
{
	struct http_exchange *x = arg;
	struct http_reply *r = &x->reply;
	size_t len = size * count;
	char text[64];

	if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
		/* 100 Continue and the like come first. */
		r->content_type[0] = r->request_id[0] = '\0';
		r->www_authenticate[0] = r->location[0] = '\0';
		r->retry_after_ms = -1;
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
	if (http_header_value(line, len, "retry-after", text, sizeof(text)))
		r->retry_after_ms =
		    when_parse_retry_after(text, clock_wall_ms());
	return len;
}

static enum http_result
http_result_of(const struct http_exchange *x, CURLcode code)
{
	switch (code) {
	case CURLE_OK:
		return HTTP_DONE;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return HTTP_DNS;
	case CURLE_COULDNT_CONNECT:
		return HTTP_CONNECT;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		return HTTP_TLS;
	case CURLE_OPERATION_TIMEDOUT:
		return HTTP_TIMEOUT;
	case CURLE_WRITE_ERROR:
		return x->got.failed ? HTTP_TOO_BIG : HTTP_BROKEN;
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_BAD_FUNCTION_ARGUMENT:
		return HTTP_REFUSED;
	default:
		return HTTP_BROKEN;
	}
}

static void
http_finish(struct http_exchange *x, CURLcode code)
{
	struct http *h = x->http;
	struct http_reply *r = &x->reply;
	long status = 0;

	r->result = http_result_of(x, code);
	if (r->result == HTTP_DONE) {
		curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
		r->status = (int)status;
	}
	r->body = buf_text(&x->got);
	r->body_len = x->got.len;
	r->duration_ms = clock_mono_ms() - x->started_ms;
	r->message = code == CURLE_OK ? ""
	    : x->message[0] != '\0'   ? x->message
				      : curl_easy_strerror(code);
	TAILQ_REMOVE(&h->exchanges, x, link);
	h->count--;
	x->done(r, x->arg);
	http_exchange_free(x);
}

/* Hands out what is complete. A callback may start and cancel exchanges, so
 * the message is read again each time. */
static void
http_settle(struct http *h)
{
	struct http_exchange *x;
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(h->multi, &left)) != NULL) {
		CURLcode code = m->data.result;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(
		    m->easy_handle, CURLINFO_PRIVATE, (char **)&x);
		http_finish(x, code);
	}
}

/* ---- starting ---- */

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
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)HTTP_LOW_SPEED_S);
	curl_easy_setopt(c, CURLOPT_BUFFERSIZE, (long)HTTP_BUFFER);
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(c, CURLOPT_PIPEWAIT, 1L);
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
http_start(struct http *h, const struct http_request *r,
    void (*done)(const struct http_reply *reply, void *arg), void *arg,
    struct err *e)
{
	struct http_exchange *x;

	if (http_request_check(r, e) != 0 || http_prepare(h, e) != 0)
		return NULL;
	x = mem_zalloc(sizeof(*x));
	x->http = h;
	x->done = done;
	x->arg = arg;
	x->once = r->once;
	x->reply.retry_after_ms = -1;
	x->started_ms = clock_mono_ms();
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
	TAILQ_INSERT_TAIL(&h->exchanges, x, link);
	h->count++;
	curl_multi_add_handle(h->multi, x->easy);
	return x;
}
