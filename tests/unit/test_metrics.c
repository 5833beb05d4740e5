/* tests/unit/test_metrics.c - counters and their exposition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "port/metrics.h"

static struct buf text;
static struct page *page;

static int
start(void **state)
{
	(void)state;
	page = page_private();
	metrics_init(page);
	buf_init(&text, 1 << 20);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	buf_clear(&text);
	page_free(page);
	return 0;
}

static const char *
written(const struct metrics_gauges *g)
{
	buf_reset(&text);
	metrics_write(&text, g);
	return buf_text(&text);
}

static void
has(const char *line)
{
	if (strstr(buf_text(&text), line) == NULL)
		fail_msg("no line \"%s\" in\n%s", line, buf_text(&text));
}

static void
hasnt(const char *part)
{
	assert_null(strstr(buf_text(&text), part));
}

static const struct metrics_gauges nothing = {.nearest_expiry_ms = -1};

static void
notifications_are_counted_by_result(void **state)
{
	(void)state;
	metrics_notification(METRICS_ACCEPTED, 3);
	metrics_notification(METRICS_ACCEPTED, 2);
	metrics_notification(METRICS_FOREIGN_TENANT, 1);
	metrics_notification(METRICS_NOT_STORED, 0);
	written(&nothing);
	has("outlook_addin_notifications_total{result=\"accepted\"} 5\n");
	has("outlook_addin_notifications_total{result=\"foreign_tenant\"} 1\n");
	has("outlook_addin_notifications_total{result=\"not_stored\"} 0\n");
}

static void
requests_are_counted_by_op_and_code(void **state)
{
	(void)state;
	metrics_graph_request("get-event", 200);
	metrics_graph_request("get-event", 418);
	metrics_graph_request("get-event", 0);
	metrics_graph_request("get-event", 599);
	metrics_graph_request("something\"new", 200);
	metrics_unblu_request("set-topic", 403);
	metrics_unblu_write("set-topic");
	written(&nothing);
	has("outlook_addin_graph_requests_total{op=\"get-event\",code=\"200\"} "
	    "1\n");
	has("outlook_addin_graph_requests_total{op=\"get-event\",code=\"4xx\"} "
	    "1\n");
	has("outlook_addin_graph_requests_total{op=\"get-event\",code=\"none\"}"
	    " 1\n");
	has("outlook_addin_graph_requests_total{op=\"get-event\",code=\"5xx\"} "
	    "1\n");
	has("outlook_addin_graph_requests_total{op=\"other\",code=\"200\"} "
	    "1\n");
	has("outlook_addin_unblu_requests_total{op=\"set-topic\",code=\"403\"} "
	    "1\n");
	has("outlook_addin_unblu_writes_total{op=\"set-topic\"} 1\n");
	hasnt("something");
}

static void
a_histogram_is_cumulative_and_has_sum_and_count(void **state)
{
	(void)state;
	metrics_sync_seconds(99);
	metrics_sync_seconds(100);
	metrics_sync_seconds(101);
	metrics_sync_seconds(7200 * 1000);
	metrics_sync_seconds(-5);
	written(&nothing);
	has("outlook_addin_sync_seconds_bucket{le=\"0.1\"} 3\n");
	has("outlook_addin_sync_seconds_bucket{le=\"0.25\"} 4\n");
	has("outlook_addin_sync_seconds_bucket{le=\"3600\"} 4\n");
	has("outlook_addin_sync_seconds_bucket{le=\"+Inf\"} 5\n");
	has("outlook_addin_sync_seconds_count 5\n");
	has("outlook_addin_sync_seconds_sum 7200.300000\n");
	metrics_store_commit_seconds(250);
	written(&nothing);
	has("outlook_addin_store_commit_seconds_bucket{le=\"0.00025\"} 1\n");
}

static void
gauges_that_are_not_known_are_left_out(void **state)
{
	static const char *const reasons[] = {"store", "a\"b", NULL};
	const struct metrics_gauges g = {
	    .work_rows = 100000,
	    .oldest_work_ms = 1500,
	    .dead_letters = 2,
	    .subscriptions_active = 3,
	    .nearest_expiry_ms = 3600500,
	    .renew_last_success_ms = INT64_C(1795422745123),
	    .credential_expiry_ms = INT64_C(1827222745000),
	    .renew_last_run_ms = INT64_C(1795422805000),
	    .renew_last_took_ms = 1500,
	    .renew_last = {[METRICS_RENEW_RENEWED] = 7},
	    .degraded = reasons,
	};

	const struct metrics_gauges unread = {
	    .unknown = true, .dry_run = true, .degraded = reasons};

	(void)state;
	written(&unread);
	hasnt("work_rows");
	hasnt("oldest_work");
	hasnt("dead_letters");
	hasnt("outlook_addin_mailboxes");
	hasnt("outlook_addin_subscription");
	hasnt("renew_last");
	hasnt("by=\"operator\"");
	has("outlook_addin_writes_paused{by=\"configuration\"} 1\n");
	has("outlook_addin_degraded{reason=\"store\"} 1\n");
	has("outlook_addin_store_commit_seconds_count ");
	written(&nothing);
	hasnt("nearest_expiry");
	hasnt("renew_last_success");
	hasnt("credential_expiry");
	hasnt("renew_last_run");
	hasnt("degraded{");
	written(&g);
	has("outlook_addin_work_rows 100000\n");
	has("outlook_addin_oldest_work_seconds 1.5\n");
	has("outlook_addin_subscriptions{state=\"active\"} 3\n");
	has("outlook_addin_subscription_nearest_expiry_seconds 3600.5\n");
	has("outlook_addin_credential_expiry_timestamp_seconds 1827222745\n");
	has("outlook_addin_renew_last_success_timestamp_seconds "
	    "1795422745.123\n");
	has("outlook_addin_renew_last_run_timestamp_seconds 1795422805\n");
	has("outlook_addin_renew_last_run_duration_seconds 1.5\n");
	has("outlook_addin_renew_last_run_mailboxes{result=\"renewed\"} 7\n");
	has("outlook_addin_renew_last_run_mailboxes{result=\"failed\"} 0\n");
	has("outlook_addin_degraded{reason=\"store\"} 1\n");
	has("outlook_addin_degraded{reason=\"a\\\"b\"} 1\n");
}

static void
every_metric_has_help_and_type_once_and_before_its_samples(void **state)
{
	const char *at = written(&nothing);
	char type[128] = "";

	(void)state;
	while (*at != '\0') {
		size_t len = strcspn(at, "\n");

		if (strncmp(at, "# TYPE ", 7) == 0) {
			size_t n = strcspn(at + 7, " ");

			assert_true(n < sizeof(type));
			memcpy(type, at + 7, n);
			type[n] = '\0';
		} else if (*at != '#') {
			assert_int_equal(strncmp(at, type, strlen(type)), 0);
		}
		at += len + 1;
	}
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
	    CASE(notifications_are_counted_by_result),
	    CASE(requests_are_counted_by_op_and_code),
	    CASE(a_histogram_is_cumulative_and_has_sum_and_count),
	    CASE(gauges_that_are_not_known_are_left_out),
	    CASE(every_metric_has_help_and_type_once_and_before_its_samples),
	};

	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
