/* ctl/doctor.c - outlook-addinctl doctor: what is wrong, and what to do. */
#include "doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/url.h"
#include "live.h"

enum {
	TEXT_MAX = 1024,
	OUTPUT_MAX = 4 << 20,
	CLOCK_SKEW_MS = 60 * 1000, /* tokens bear 300 s */
};

static const char *const status_names[] = {
    [DOCTOR_OK] = "ok",
    [DOCTOR_SKIPPED] = "skipped",
    [DOCTOR_WARNING] = "warning",
    [DOCTOR_FAILED] = "failed",
};

void
doctor_add(struct doctor *d, const char *check, const char *subject,
    enum doctor_status status, const char *detail, const char *advice)
{
	json_t *one = json_pack("{s:s,s:s,s:s}", "check", check, "subject",
	    subject, "status", status_names[status]);

	/* Foreign text may be no UTF-8: then it is left out. */
	json_object_set_new(one, "detail", json_string(detail));
	if (advice[0] != '\0')
		json_object_set_new(one, "advice", json_string(advice));
	json_array_append_new(d->findings, one);
	d->failed += status == DOCTOR_FAILED;
	d->warnings += status == DOCTOR_WARNING;
}

void
doctor_addf(struct doctor *d, const char *check, const char *subject,
    enum doctor_status status, const char *advice, const char *fmt, ...)
{
	char detail[TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(detail, sizeof(detail), fmt, args);
	va_end(args);
	doctor_add(d, check, subject, status, detail, advice);
}

void
doctor_wait(struct doctor *d)
{
	struct err e = {0};

	if (loop_run(d->loop, &e) != 0)
		ctl_say("%s", e.text);
}

void
doctor_done(struct doctor *d)
{
	loop_stop(d->loop);
}

/* ---- one exchange ---- */

struct asking {
	struct doctor *d;
	void (*judge)(const struct http_reply *reply, void *arg);
	void *arg;
};

static void
answered(const struct http_reply *reply, void *arg)
{
	struct asking *a = arg;

	a->judge(reply, a->arg);
	doctor_done(a->d);
}

bool
doctor_ask(struct doctor *d, const char *check, struct http_request *req,
    void (*judge)(const struct http_reply *reply, void *arg), void *arg)
{
	struct asking a = {d, judge, arg};
	struct err e = {0};

	if (http_start(d->session->http, req, answered, &a, &e) == NULL) {
		doctor_add(d, check, buf_text(&req->url), DOCTOR_FAILED, e.text,
		    "correct the address in the configuration");
		http_request_clear(req);
		return false;
	}
	http_request_clear(req);
	doctor_wait(d);
	return true;
}

static void
compare_clocks(struct doctor *d, const char *host, int64_t date_ms)
{
	int64_t skew_ms = clock_wall_ms() - date_ms;
	int64_t distance_ms = skew_ms < 0 ? -skew_ms : skew_ms;

	if (date_ms == 0 || d->clock_told)
		return;
	d->clock_told = true;
	if (distance_ms <= CLOCK_SKEW_MS)
		doctor_addf(d, "clock", host, DOCTOR_OK, "",
		    "%lld s from that host's", (long long)(distance_ms / 1000));
	else
		doctor_addf(d, "clock", host, DOCTOR_FAILED,
		    "set this machine's clock and keep it by NTP: tokens and "
		    "subscriptions are refused by time",
		    "this machine's clock is %lld s %s",
		    (long long)(distance_ms / 1000),
		    skew_ms > 0 ? "ahead" : "behind");
}

/* By enum http_result. */
static const struct {
	const char *what;
	const char *advice;
} troubles[] = {
    [HTTP_DNS] = {"its name can not be resolved",
	"check the address in the configuration and this machine's DNS; "
	"behind a proxy set httpProxy"},
    [HTTP_CONNECT] = {"no connection",
	"check that it runs there, the firewall between, and httpProxy and "
	"noProxy"},
    [HTTP_TLS] = {"no trusted TLS connection",
	"check the certificate there; for an authority of your own set "
	"caFile"},
    [HTTP_TIMEOUT] = {"no answer in time",
	"check the firewall between and the load there"},
    [HTTP_BROKEN] = {"the connection broke",
	"check that this address speaks HTTP(S), and what stands between"},
    [HTTP_TOO_BIG] = {"an answer that is far too long",
	"check the address in the configuration"},
    [HTTP_REFUSED] = {"the request could not be made",
	"check the address in the configuration"},
    [HTTP_HELD] = {"not asked", "wait until Retry-After has passed"},
};

bool
doctor_reached(struct doctor *d, const char *check, const char *url,
    const struct http_reply *reply)
{
	struct url parts = {0};
	const char *host = url;

	if (url_parse(url, &parts, NULL) == 0)
		host = parts.host;
	if (reply->result != HTTP_DONE)
		doctor_addf(d, check, url, DOCTOR_FAILED,
		    troubles[reply->result].advice, "%s: %s",
		    troubles[reply->result].what, reply->message);
	else
		compare_clocks(d, host, reply->date_ms);
	url_clear(&parts);
	return reply->result == HTTP_DONE;
}

/* ---- the report ---- */

static void
print_finding(struct buf *out, const json_t *one)
{
	const char *status = json_str(one, "status");
	const char *detail = json_str(one, "detail");
	const char *advice = json_str(one, "advice");

	buf_printf(out, "%-8s %-14s ",
	    strcmp(status, "failed") == 0 ? "FAILED" : status,
	    json_str(one, "check"));
	live_add_text(out, json_str(one, "subject"));
	buf_puts(out, ": ");
	live_add_text(out, detail != NULL ? detail : "");
	if (advice != NULL)
		buf_printf(out, "\n%24s-> %s", "", advice);
	buf_putc(out, '\n');
}

static int
print_report(const struct doctor *d, bool as_json)
{
	size_t n = json_array_size(d->findings);
	struct buf out;

	buf_init(&out, OUTPUT_MAX);
	if (as_json) {
		json_t *doc = json_pack("{s:i,s:b,s:O}", "v", 1, "healthy",
		    d->failed == 0, "findings", d->findings);
		char *text = json_text(doc);

		buf_printf(&out, "%s\n", text);
		free(text);
		json_decref(doc);
	} else {
		for (size_t i = 0; i < n; i++)
			print_finding(&out, json_array_get(d->findings, i));
		if (d->failed == 0 && d->warnings == 0)
			buf_puts(&out, "nothing is wrong\n");
		else if (d->failed == 0)
			buf_printf(&out, "nothing has failed; warnings: %d\n",
			    d->warnings);
		else
			buf_printf(
			    &out, "%d of %zu findings: FAILED\n", d->failed, n);
	}
	fwrite(buf_text(&out), 1, out.len, stdout);
	buf_clear(&out);
	if (ctl_finish() != CTL_DONE)
		return CTL_FAILED;
	return d->failed == 0 ? CTL_DONE : CTL_FAILED;
}

/* ---- the command ---- */

static void
examine(struct doctor *d)
{
	doctor_add(
	    d, "configuration", d->config->path, DOCTOR_OK, "in order", "");
	doctor_local(d);
	if (!d->config->sync_enabled) {
		doctor_add(d, "server", "syncServerEnabled", DOCTOR_SKIPPED,
		    "false: only the add-in is served", "");
		doctor_addin(d);
		return;
	}
	doctor_graph(d);
	doctor_unblu(d);
	/* Behind those whose clock is not ours. */
	doctor_webhook(d);
	doctor_addin(d);
}

static int
run(struct ctl *ctl, int argc, char **argv)
{
	struct config config;
	struct doctor d = {.tenant = "", .user = ""};
	bool as_json = false;
	const struct ctl_option opts[] = {
	    {"--json", NULL, &as_json},
	    {"--tenant", &d.tenant, NULL},
	    {"--user", &d.user, NULL},
	    {NULL, NULL, NULL},
	};
	struct err e = {0};
	int code = CTL_DONE;

	if (ctl_parse(ctl, opts, argc, argv, NULL, 0, &code) < 0)
		return code;
	if ((d.tenant[0] == '\0') != (d.user[0] == '\0'))
		return ctl_misuse(ctl, "--tenant and --user go together");
	code = ctl_load(ctl, CONFIG_ROLE_ALL, &config);
	if (code != CTL_DONE)
		return code;
	if (d.tenant[0] != '\0' && config_tenant_index(&config, d.tenant) < 0) {
		ctl_say("--tenant %s is not one of tenantIds", d.tenant);
		config_clear(&config);
		return CTL_USAGE;
	}
	d.config = &config;
	d.loop = loop_new(&e);
	if (d.loop == NULL) {
		config_clear(&config);
		return ctl_fail("doctor", &e);
	}
	/* What is found is told in the report, not in lines of a log. */
	log_set_level(LOG_LEVEL_ERROR);
	d.session = session_new(d.loop, &config);
	d.findings = json_array();
	examine(&d);
	code = print_report(&d, as_json);
	json_decref(d.findings);
	store_close(d.store);
	session_free(d.session);
	loop_free(d.loop);
	config_clear(&config);
	return code;
}

const struct ctl_command ctl_doctor = {
    .name = "doctor",
    .usage = "[--json] [--tenant T --user U]",
    .summary = "Tries everything that has to work, and says what to do",
    .run = run,
};
