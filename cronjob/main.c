/* cronjob/main.c - outlook-addin-renew: one pass, or one at each firing. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/secret.h"
#include "base/tz.h"
#include "config.h"
#include "pass.h"
#include "port/config.h"
#include "rule/cron.h"

enum {
	MAIN_LOOK_MS = 60000, /* longest sleep: a clock that jumps is noticed */
	MAIN_PROBLEMS_MAX = 256 * 1024
};

struct arguments {
	struct config_override over;
	struct pass_options pass;
	bool loop;
};

struct program {
	struct arguments args;
	struct config config;
	struct loop *loop;
	struct loop_timer *timer; /* --loop: the next look at the clock */
	struct cron cron;
	struct tz *zone;
	int64_t next_ms; /* --loop: when the next pass is due (Unix ms) */
	struct pass *pass; /* under way, or NULL */
	int exit_code;
};

static const char usage_text[] =
    "usage: outlook-addin-renew [--config FILE] [--database URL] [-n] [-v]\n"
    "                           [--force] [--loop]\n"
    "\n"
    "Creates, renews and recreates the Graph subscriptions of the followed\n"
    "mailboxes: one pass, then it ends.\n"
    "\n"
    "  --config FILE   the configuration (default: the usual places)\n"
    "  --database URL  the store, instead of the configured one\n"
    "  -n              print what would be done and why, do nothing\n"
    "  -v              print a line for each mailbox touched\n"
    "  --force         count every followed mailbox as due\n"
    "  --loop          a pass whenever syncServerPollingCronInterval fires\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0 done or nothing due; 1 something failed and will be tried\n"
    "again; 2 wrong usage or configuration.\n";

/* 0 go on, 1 end well, -1 wrong usage. */
static int
read_arguments(int argc, char **argv, struct arguments *out)
{
	static const struct option options[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"database", required_argument, NULL, 'd'},
	    {"force", no_argument, NULL, 'f'},
	    {"loop", no_argument, NULL, 'l'},
	    {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'V'},
	    {NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "nvh", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			out->over.path = optarg;
			break;
		case 'd':
			out->over.database = optarg;
			break;
		case 'f':
			out->pass.force = true;
			break;
		case 'l':
			out->loop = true;
			break;
		case 'n':
			out->pass.dry_run = true;
			break;
		case 'v':
			out->pass.verbose = true;
			break;
		case 'h':
			fputs(usage_text, stdout);
			return 1;
		case 'V':
			puts("outlook-addin-renew " PACKAGE_VERSION);
			return 1;
		default:
			fputs("Try outlook-addin-renew --help\n", stderr);
			return -1;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "outlook-addin-renew: unexpected argument %s\n",
		    argv[optind]);
		return -1;
	}
	return 0;
}

static int
load_config(struct program *p)
{
	struct buf problems, warnings;
	struct err e = {0};
	int rc;

	buf_init(&problems, MAIN_PROBLEMS_MAX);
	buf_init(&warnings, MAIN_PROBLEMS_MAX);
	rc = config_load(&p->args.over, CONFIG_ROLE_RENEW, &p->config,
	    &problems, &warnings, &e);
	if (rc != 0)
		fprintf(stderr, "outlook-addin-renew: %s\n%s", e.text,
		    buf_text(&problems));
	else if (p->args.pass.verbose)
		fputs(buf_text(&warnings), stderr);
	buf_clear(&problems);
	buf_clear(&warnings);
	return rc;
}

/* Sleeps towards the next firing, never for longer than MAIN_LOOK_MS. */
static void
plan_next(struct program *p)
{
	int64_t now_ms = clock_wall_ms();
	int64_t wait_ms;

	p->next_ms = cron_next(&p->cron, p->zone, now_ms);
	wait_ms = p->next_ms - now_ms;
	loop_timer_set(
	    p->timer, wait_ms < MAIN_LOOK_MS ? wait_ms : MAIN_LOOK_MS);
}

/* What the pass does to single mailboxes is told with -v, or at debug level;
 * a log of one line a minute stays readable. */
static void
quiet(const struct program *p)
{
	if (p->config.log_level == LOG_LEVEL_INFO && !p->args.pass.verbose)
		log_set_level(LOG_LEVEL_WARNING);
}

static void
pass_done(const struct summary *sum, void *arg)
{
	struct program *p = arg;

	p->pass = NULL;
	p->exit_code = summary_exit_code(sum);
	/* the summary is the one line at info level; see quiet() */
	log_set_level(p->config.log_level);
	summary_log(sum);
	quiet(p);
	if (!p->args.loop)
		loop_stop(p->loop);
	else
		plan_next(p);
}

static void
start_pass(struct program *p)
{
	p->pass = pass_start(p->loop, &p->config, &p->args.pass, pass_done, p);
}

static void
look_at_clock(void *arg)
{
	struct program *p = arg;
	int64_t now_ms = clock_wall_ms();

	/* a clock set back by more than the interval plans anew */
	if (now_ms >= p->next_ms)
		start_pass(p);
	else
		plan_next(p);
}

static void
stop(int signo, void *arg)
{
	struct program *p = arg;

	(void)signo;
	/* what was under way is repeated by the next pass */
	p->exit_code = p->args.loop ? 0 : 1;
	loop_stop(p->loop);
}

static int
run(struct program *p, struct err *e)
{
	sigset_t signals;

	quiet(p);
	p->loop = loop_new(e);
	if (p->loop == NULL)
		return -1;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	if (loop_signals(p->loop, &signals, stop, p, e) != 0)
		return -1;
	p->timer = loop_timer_new(p->loop, look_at_clock, p);
	if (p->args.loop) {
		if (cron_parse(p->config.cron, &p->cron, e) != 0)
			return -1;
		p->zone = tz_load(NULL, e);
		if (p->zone == NULL)
			return -1;
	}
	/* at once: a container that was down may be late already */
	loop_timer_set(p->timer, 0);
	return loop_run(p->loop, e);
}

/* A server that is switched off need not be given what it signs in with. */
static bool
can_sign_in(const struct config *c)
{
	return c->client_secret != NULL ||
	    c->client_certificate_file[0] != '\0' ||
	    c->federated_token_file[0] != '\0';
}

int
main(int argc, char **argv)
{
	struct program p = {.exit_code = 1};
	struct err e = {0};
	int rc = read_arguments(argc, argv, &p.args);

	if (rc != 0)
		return rc > 0 ? 0 : 2;
	signal(SIGPIPE, SIG_IGN);
	log_init("outlook-addin-renew", NULL, LOG_LEVEL_INFO);
	if (!secret_guard_process())
		log_warning("hardening-incomplete");
	if (load_config(&p) != 0)
		return 2;
	log_set_level(p.config.log_level);
	if (!p.config.sync_enabled && !can_sign_in(&p.config)) {
		/* What is left at Graph runs out by itself. */
		log_info("renew-disabled",
		    LOG_STR("message", "syncServerEnabled is false"));
		p.exit_code = 0;
	} else if (run(&p, &e) != 0) {
		log_error("renew-failed", LOG_ERR(&e));
		p.exit_code = 1;
	}
	if (p.pass != NULL)
		pass_cancel(p.pass);
	loop_timer_free(p.timer);
	loop_free(p.loop);
	tz_free(p.zone);
	config_clear(&p.config);
	return p.exit_code;
}
