/* port/http.c - see http.h: the multi handle on the loop. */
#include "port/http_exchange.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/mem.h"
#include "rule/share.h"

enum {
	HTTP_CONNECTIONS_KEPT = 128,
	HTTP_STREAMS_PER_HOST = 256 /* of one that multiplexes */
};

static void http_settle(struct http *h);

struct http *
http_new(struct loop *loop, const struct http_options *options)
{
	struct http *h = mem_zalloc(sizeof(*h));

	h->loop = loop;
	h->options = *options;
	TAILQ_INIT(&h->hosts);
	TAILQ_INIT(&h->exchanges);
	return h;
}

/* ---- whose turn it is ---- */

static struct http_host *
http_host_of(struct http *h, const char *url)
{
	const char *authority = strstr(url, "://");
	struct http_host *host;
	size_t len = strlen(url);

	if (authority != NULL)
		len = (size_t)(authority - url) + 3 +
		    strcspn(authority + 3, "/?#");
	TAILQ_FOREACH(host, &h->hosts, link)
	if (strlen(host->name) == len && memcmp(host->name, url, len) == 0)
		return host;
	host = mem_zalloc(sizeof(*host));
	host->name = mem_strndup(url, len);
	host->active_of =
	    mem_calloc(h->options.parties + 1, sizeof(*host->active_of));
	TAILQ_INIT(&host->held);
	TAILQ_INSERT_TAIL(&h->hosts, host, link);
	return host;
}

static size_t
http_host_limit(const struct http *h, const struct http_host *host)
{
	int connections = h->options.max_connections_per_host;

	if (host->multiplexes)
		return HTTP_STREAMS_PER_HOST;
	return connections > 0 ? (size_t)connections
			       : HTTP_CONNECTIONS_PER_HOST;
}

/* An eighth is for those who are nobody's: tokens. */
static bool
http_host_has_room(const struct http *h, const struct http_host *host,
    const struct http_exchange *x)
{
	size_t limit = http_host_limit(h, host);

	if (x->party == 0)
		return host->active < limit;
	return share_room(limit - limit / 8, h->options.parties, host->active,
		   host->active_of[x->party]) > 0;
}

static struct http_exchange *
http_host_next(const struct http *h, const struct http_host *host)
{
	struct http_exchange *x;

	TAILQ_FOREACH(x, &host->held, held_link)
	if (http_host_has_room(h, host, x))
		return x;
	return NULL;
}

/* Its time begins now. */
static void
http_host_feed(struct http *h, struct http_host *host)
{
	struct http_exchange *x;

	while ((x = http_host_next(h, host)) != NULL) {
		TAILQ_REMOVE(&host->held, x, held_link);
		x->is_held = false;
		host->active++;
		host->active_of[x->party]++;
		x->started_ms = clock_mono_ms();
		curl_multi_add_handle(h->multi, x->easy);
	}
}

static void
http_leave(struct http_exchange *x)
{
	TAILQ_REMOVE(&x->http->exchanges, x, link);
	x->http->count--;
	if (x->is_held) {
		TAILQ_REMOVE(&x->host->held, x, held_link);
		return;
	}
	x->host->active--;
	x->host->active_of[x->party]--;
}

void
http_cancel(struct http_exchange *x)
{
	struct http *h = x->http;
	struct http_host *host = x->host;

	http_leave(x);
	http_exchange_free(x);
	http_host_feed(h, host);
}

void
http_free(struct http *h)
{
	struct http_host *host;

	if (h == NULL)
		return;
	/* From the end: those that are held must not be started for this. */
	while (!TAILQ_EMPTY(&h->exchanges))
		http_cancel(TAILQ_LAST(&h->exchanges, http_exchanges));
	while ((host = TAILQ_FIRST(&h->hosts)) != NULL) {
		TAILQ_REMOVE(&h->hosts, host, link);
		free(host->name);
		free(host->active_of);
		free(host);
	}
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
	/* The cache counts those in use too: a smaller one would close each
	 * connection behind its first exchange. */
	curl_multi_setopt(
	    h->multi, CURLMOPT_MAXCONNECTS, (long)HTTP_CONNECTIONS_KEPT);
	return 0;
}

/* ---- what comes back ---- */

static enum http_result
http_result_of(const struct http_exchange *x, CURLcode code)
{
	if (x->held_back)
		return HTTP_HELD;
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
	struct http_host *host = x->host;
	struct http_reply *r = &x->reply;
	long status = 0, version = 0;

	r->result = http_result_of(x, code);
	if (r->result == HTTP_DONE) {
		curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
		r->status = (int)status;
		curl_easy_getinfo(x->easy, CURLINFO_HTTP_VERSION, &version);
		host->multiplexes = version >= CURL_HTTP_VERSION_2_0;
	}
	r->date_ms = http_exchange_date(x);
	r->retry_after_ms = http_exchange_retry_after(x);
	r->body = buf_text(&x->got);
	r->body_len = x->got.len;
	r->duration_ms = clock_mono_ms() - x->started_ms;
	r->message = code == CURLE_OK ? ""
	    : x->message[0] != '\0'   ? x->message
				      : curl_easy_strerror(code);
	http_leave(x);
	x->done(r, x->arg);
	http_exchange_free(x);
	http_host_feed(h, host);
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

struct http_exchange *
http_start(struct http *h, const struct http_request *r,
    void (*done)(const struct http_reply *reply, void *arg), void *arg,
    struct err *e)
{
	struct http_exchange *x;

	if (http_prepare(h, e) != 0)
		return NULL;
	x = http_exchange_new(h, r, e);
	if (x == NULL)
		return NULL;
	x->done = done;
	x->arg = arg;
	TAILQ_INSERT_TAIL(&h->exchanges, x, link);
	h->count++;
	x->host = http_host_of(h, buf_text(&r->url));
	x->is_held = true;
	TAILQ_INSERT_TAIL(&x->host->held, x, held_link);
	http_host_feed(h, x->host);
	return x;
}
