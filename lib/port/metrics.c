/* port/metrics.c - see metrics.h. */
#include "port/metrics.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* An unknown name counts as the last one of its table. */
static const char *const metrics_results[] = {
    [METRICS_ACCEPTED] = "accepted",
    [METRICS_UNKNOWN_SUBSCRIPTION] = "unknown_subscription",
    [METRICS_WRONG_CLIENT_STATE] = "wrong_client_state",
    [METRICS_FOREIGN_TENANT] = "foreign_tenant",
    [METRICS_IGNORED] = "ignored",
    [METRICS_MALFORMED] = "malformed",
    [METRICS_NOT_STORED] = "not_stored",
};

static const char *const metrics_graph_ops[] = {"get-token", "get-keys",
    "get-openid-configuration", "get-event", "get-event-calendar",
    "list-instances", "search-events", "list-events", "calendar-view", "batch",
    "control-mailbox", "create-subscription", "renew-subscription",
    "delete-subscription", "get-subscription", "list-subscriptions", "other"};

static const char *const metrics_unblu_ops[] = {"gateway-token",
    "gateway-discovery", "ping", "read", "read-history", "set-topic",
    "set-time", "delete", "search", "other"};

static const char *const metrics_write_ops[] = {
    "set-topic", "set-time", "delete", "other"};

/* 0 stands for no HTTP answer; the classes take what is not listed. */
static const int metrics_codes[] = {0, 200, 201, 202, 204, 302, 400, 401, 403,
    404, 409, 410, 412, 423, 429, 500, 502, 503, 504};
static const char *const metrics_classes[] = {
    "1xx", "2xx", "3xx", "4xx", "5xx"};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum {
	METRICS_CODES = COUNT(metrics_codes) + COUNT(metrics_classes),
	METRICS_SYNC_BOUNDS = 12,
	METRICS_COMMIT_BOUNDS = 12
};

/* Upper bounds in the unit that is counted, milli- and microseconds. */
static const int64_t metrics_sync_bounds[METRICS_SYNC_BOUNDS] = {100, 250, 500,
    1000, 2500, 5000, 10000, 30000, 60000, 180000, 600000, 3600000};
static const int64_t metrics_commit_bounds[METRICS_COMMIT_BOUNDS] = {100, 250,
    500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 500000, 1000000};

/* Places in the page. A histogram is its buckets, +Inf, then the sum. */
enum {
	AT_NOTIFICATIONS = 0,
	AT_GRAPH = AT_NOTIFICATIONS + METRICS_NOTIFICATION_COUNT,
	AT_UNBLU = AT_GRAPH + COUNT(metrics_graph_ops) * METRICS_CODES,
	AT_WRITES = AT_UNBLU + COUNT(metrics_unblu_ops) * METRICS_CODES,
	AT_SYNC = AT_WRITES + COUNT(metrics_write_ops),
	AT_COMMIT = AT_SYNC + METRICS_SYNC_BOUNDS + 2,
	AT_END = AT_COMMIT + METRICS_COMMIT_BOUNDS + 2
};
_Static_assert((int)AT_END <= (int)PAGE_COUNTERS, "the page is too small");

static struct page *metrics_page;

void
metrics_init(struct page *page)
{
	metrics_page = page != NULL ? page : page_private();
}

/* A program that never calls metrics_init() counts for nobody. */
static void
metrics_add(size_t at, int64_t n)
{
	if (metrics_page != NULL)
		page_add(metrics_page, at, n);
}

static int64_t
metrics_get(size_t at)
{
	return metrics_page != NULL ? page_get(metrics_page, at) : 0;
}

static size_t
metrics_index(const char *const *names, size_t count, const char *name)
{
	size_t i = 0;

	while (i + 1 < count && strcmp(names[i], name) != 0)
		i++;
	return i;
}

static size_t
metrics_code_index(int status)
{
	int class = status / 100;

	for (size_t i = 0; i < COUNT(metrics_codes); i++)
		if (metrics_codes[i] == status)
			return i;
	if (class < 1 || class > (int)COUNT(metrics_classes))
		return 0;
	return COUNT(metrics_codes) + (size_t) class - 1;
}

void
metrics_notification(enum metrics_notification result, int64_t n)
{
	if (n > 0)
		metrics_add(AT_NOTIFICATIONS + (size_t)result, n);
}

void
metrics_graph_request(const char *op, int status)
{
	metrics_add(AT_GRAPH +
		metrics_index(metrics_graph_ops, COUNT(metrics_graph_ops), op) *
		    METRICS_CODES +
		metrics_code_index(status),
	    1);
}

void
metrics_unblu_request(const char *op, int status)
{
	metrics_add(AT_UNBLU +
		metrics_index(metrics_unblu_ops, COUNT(metrics_unblu_ops), op) *
		    METRICS_CODES +
		metrics_code_index(status),
	    1);
}

void
metrics_unblu_write(const char *op)
{
	metrics_add(AT_WRITES +
		metrics_index(metrics_write_ops, COUNT(metrics_write_ops), op),
	    1);
}

static void
metrics_observe(size_t at, const int64_t *bounds, size_t count, int64_t value)
{
	size_t i = 0;

	if (value < 0)
		value = 0;
	while (i < count && value > bounds[i])
		i++;
	metrics_add(at + i, 1);
	metrics_add(at + count + 1, value);
}

void
metrics_sync_seconds(int64_t ms)
{
	metrics_observe(AT_SYNC, metrics_sync_bounds, METRICS_SYNC_BOUNDS, ms);
}

void
metrics_store_commit_seconds(int64_t us)
{
	metrics_observe(
	    AT_COMMIT, metrics_commit_bounds, METRICS_COMMIT_BOUNDS, us);
}

/* ---- exposition ---- */

static void
metrics_head(
    struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out,
	    "# HELP outlook_addin_%s %s\n# TYPE outlook_addin_%s %s\n", name,
	    help, name, type);
}

static void
metrics_write_named(struct buf *out, const char *name, const char *label,
    const char *const *names, size_t count, size_t at)
{
	for (size_t i = 0; i < count; i++)
		buf_printf(out, "outlook_addin_%s{%s=\"%s\"} %lld\n", name,
		    label, names[i], (long long)metrics_get(at + i));
}

/* Of the many pairs of op and code only those that have been seen. */
static void
metrics_write_requests(struct buf *out, const char *name,
    const char *const *ops, size_t count, size_t at)
{
	for (size_t i = 0; i < count * METRICS_CODES; i++) {
		size_t code = i % METRICS_CODES;
		int64_t n = metrics_get(at + i);

		if (n == 0)
			continue;
		buf_printf(out, "outlook_addin_%s{op=\"%s\",code=\"", name,
		    ops[i / METRICS_CODES]);
		if (code == 0)
			buf_puts(out, "none");
		else if (code < COUNT(metrics_codes))
			buf_printf(out, "%d", metrics_codes[code]);
		else
			buf_puts(
			    out, metrics_classes[code - COUNT(metrics_codes)]);
		buf_printf(out, "\"} %lld\n", (long long)n);
	}
}

static void
metrics_write_histogram(struct buf *out, const char *name, size_t at,
    const int64_t *bounds, size_t count, double unit)
{
	int64_t total = 0;

	for (size_t i = 0; i <= count; i++) {
		total += metrics_get(at + i);
		buf_printf(out, "outlook_addin_%s_bucket{le=\"", name);
		if (i < count)
			buf_printf(out, "%g", (double)bounds[i] / unit);
		else
			buf_puts(out, "+Inf");
		buf_printf(out, "\"} %lld\n", (long long)total);
	}
	buf_printf(out, "outlook_addin_%s_sum %.6f\n", name,
	    (double)metrics_get(at + count + 1) / unit);
	buf_printf(
	    out, "outlook_addin_%s_count %lld\n", name, (long long)total);
}

static void
metrics_write_gauge(
    struct buf *out, const char *name, const char *help, double value)
{
	metrics_head(out, name, "gauge", help);
	buf_printf(out, "outlook_addin_%s %.15g\n", name, value);
}

static void
metrics_write_counters(struct buf *out)
{
	metrics_head(out, "notifications_total", "counter",
	    "Items of notifications received, by what became of them.");
	metrics_write_named(out, "notifications_total", "result",
	    metrics_results, COUNT(metrics_results), AT_NOTIFICATIONS);
	metrics_head(out, "graph_requests_total", "counter",
	    "Requests to Microsoft Graph and Entra.");
	metrics_write_requests(out, "graph_requests_total", metrics_graph_ops,
	    COUNT(metrics_graph_ops), AT_GRAPH);
	metrics_head(out, "unblu_requests_total", "counter",
	    "Requests to Unblu and its gateway.");
	metrics_write_requests(out, "unblu_requests_total", metrics_unblu_ops,
	    COUNT(metrics_unblu_ops), AT_UNBLU);
	metrics_head(out, "unblu_writes_total", "counter",
	    "Changes made to conversations.");
	metrics_write_named(out, "unblu_writes_total", "op", metrics_write_ops,
	    COUNT(metrics_write_ops), AT_WRITES);
}

static void
metrics_write_subscriptions(struct buf *out, const struct metrics_gauges *g)
{
	metrics_head(out, "subscriptions", "gauge",
	    "Subscriptions at Microsoft Graph, by state.");
	buf_printf(out,
	    "outlook_addin_subscriptions{state=\"active\"} %lld\n"
	    "outlook_addin_subscriptions{state=\"pending\"} %lld\n"
	    "outlook_addin_subscriptions{state=\"expired\"} %lld\n",
	    (long long)g->subscriptions_active,
	    (long long)g->subscriptions_pending,
	    (long long)g->subscriptions_expired);
	if (g->nearest_expiry_ms >= 0)
		metrics_write_gauge(out, "subscription_nearest_expiry_seconds",
		    "Time until the first subscription expires.",
		    (double)g->nearest_expiry_ms / 1000);
}

const char *
metrics_renew_name(enum metrics_renew what)
{
	static const char *const names[METRICS_RENEW_COUNT] = {
	    [METRICS_RENEW_DUE] = "due",
	    [METRICS_RENEW_ADOPTED] = "adopted",
	    [METRICS_RENEW_CREATED] = "created",
	    [METRICS_RENEW_RENEWED] = "renewed",
	    [METRICS_RENEW_RECREATED] = "recreated",
	    [METRICS_RENEW_REMOVED] = "removed",
	    [METRICS_RENEW_PARKED] = "parked",
	    [METRICS_RENEW_LEFT] = "left",
	    [METRICS_RENEW_FAILED] = "failed",
	};

	return names[what];
}

static void
metrics_write_renew(struct buf *out, const struct metrics_gauges *g)
{
	if (g->renew_last_success_ms > 0)
		metrics_write_gauge(out, "renew_last_success_timestamp_seconds",
		    "When outlook-addin-renew last ended well.",
		    (double)g->renew_last_success_ms / 1000);
	if (g->renew_last_run_ms <= 0)
		return;
	metrics_write_gauge(out, "renew_last_run_timestamp_seconds",
	    "When outlook-addin-renew last ended, well or not.",
	    (double)g->renew_last_run_ms / 1000);
	metrics_write_gauge(out, "renew_last_run_duration_seconds",
	    "How long that pass took.", (double)g->renew_last_took_ms / 1000);
	metrics_head(out, "renew_last_run_mailboxes", "gauge",
	    "Mailboxes of that pass, by what became of them.");
	for (int i = 0; i < METRICS_RENEW_COUNT; i++)
		buf_printf(out,
		    "outlook_addin_renew_last_run_mailboxes{result=\"%s\"}"
		    " %lld\n",
		    metrics_renew_name((enum metrics_renew)i),
		    (long long)g->renew_last[i]);
}

static void
metrics_write_queue(struct buf *out, const struct metrics_gauges *g)
{
	metrics_write_gauge(
	    out, "work_rows", "Rows in the queue.", (double)g->work_rows);
	metrics_write_gauge(out, "oldest_work_seconds",
	    "How long the oldest row could have been done already.",
	    (double)g->oldest_work_ms / 1000);
	metrics_write_gauge(out, "dead_letters",
	    "Rows that were given up and wait for an operator.",
	    (double)g->dead_letters);
}

static void
metrics_write_mailboxes(struct buf *out, const struct metrics_gauges *g)
{
	static const char *const names[METRICS_MAILBOX_STATES] = {
	    "followed", "parked", "unfollowed"};

	metrics_head(out, "mailboxes", "gauge", "Mailboxes, by state.");
	for (int i = 0; i < METRICS_MAILBOX_STATES; i++)
		buf_printf(out, "outlook_addin_mailboxes{state=\"%s\"} %lld\n",
		    names[i], (long long)g->mailboxes[i]);
}

static void
metrics_write_pauses(struct buf *out, const struct metrics_gauges *g)
{
	metrics_head(out, "writes_paused", "gauge",
	    "Pauses of writes to Unblu, by what has ordered them.");
	if (!g->unknown)
		buf_printf(out,
		    "outlook_addin_writes_paused{by=\"operator\"} %lld\n",
		    (long long)g->writes_paused);
	buf_printf(out,
	    "outlook_addin_writes_paused{by=\"configuration\"} %d\n",
	    g->dry_run ? 1 : 0);
}

static void
metrics_write_degraded(struct buf *out, const char *const *reasons)
{
	metrics_head(
	    out, "degraded", "gauge", "1 for each reason, see /ready.");
	for (; reasons != NULL && *reasons != NULL; reasons++) {
		buf_puts(out, "outlook_addin_degraded{reason=\"");
		buf_json_escape(out, *reasons, strlen(*reasons));
		buf_puts(out, "\"} 1\n");
	}
}

void
metrics_write(struct buf *out, const struct metrics_gauges *g)
{
	metrics_write_counters(out);
	metrics_head(out, "sync_seconds", "histogram",
	    "From the notification received to Unblu updated.");
	metrics_write_histogram(out, "sync_seconds", AT_SYNC,
	    metrics_sync_bounds, METRICS_SYNC_BOUNDS, 1e3);
	metrics_head(out, "store_commit_seconds", "histogram",
	    "Time to make a batch of notifications durable.");
	metrics_write_histogram(out, "store_commit_seconds", AT_COMMIT,
	    metrics_commit_bounds, METRICS_COMMIT_BOUNDS, 1e6);
	if (!g->unknown) {
		metrics_write_queue(out, g);
		metrics_write_mailboxes(out, g);
		metrics_write_subscriptions(out, g);
		metrics_write_renew(out, g);
	}
	metrics_write_pauses(out, g);
	if (g->credential_expiry_ms > 0)
		metrics_write_gauge(out, "credential_expiry_timestamp_seconds",
		    "When the certificate or secret for Entra expires.",
		    (double)g->credential_expiry_ms / 1000);
	metrics_write_degraded(out, g->degraded);
}
