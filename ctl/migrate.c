/* ctl/migrate.c - outlook-addinctl migrate-store: the store of a running
 * installation goes to PostgreSQL. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl.h"
#include "live.h"
#include "port/store_move.h"

enum {
	LOCK_WAIT_MS = 10000,
	TERMINAL_MS = 100, /* between two looks of the counter */
	LINE_MS = 5000 /* between two lines, where there is no terminal */
};

struct teller {
	struct store_move_progress last;
	bool begun, terminal;
	bool counting; /* last has a table's rows */
	int64_t told_ms;
};

static const char *
phase_text(enum store_move_phase phase)
{
	switch (phase) {
	case STORE_MOVE_COPY:
		return "copying, the programs go on";
	case STORE_MOVE_HELD:
		return "the programs wait: copying what has changed, comparing";
	case STORE_MOVE_CLOSED:
		return "all equal, the old store is closed";
	case STORE_MOVE_DONE:
		return "the new store can be used";
	}
	return "";
}

/* On a terminal in the place of the one before. */
static void
tell_counter(struct teller *t, const char *end)
{
	const struct store_move_progress *p = &t->last;

	if (t->terminal)
		fputs("\r\033[K", stderr);
	fprintf(stderr,
	    "  %" PRId64 " of %" PRId64 " rows, %" PRId64 " changed there%s",
	    p->rows, p->total, p->changed, end);
	fflush(stderr);
}

/* Where a look at all tables has ended. */
static void
end_counter(struct teller *t)
{
	if (t->counting)
		tell_counter(t, "\n");
	t->counting = false;
}

static void
tell(const struct store_move_progress *p, void *arg)
{
	struct teller *t = arg;
	int64_t now_ms = clock_mono_ms();
	int64_t gap_ms = t->terminal ? TERMINAL_MS : LINE_MS;

	if (p->table[0] == '\0') {
		end_counter(t);
		if (!t->begun || t->last.phase != p->phase)
			fprintf(stderr, "%s\n", phase_text(p->phase));
		t->begun = true;
		t->told_ms = now_ms;
	}
	t->last = *p;
	t->counting = p->table[0] != '\0';
	if (!t->counting || now_ms - t->told_ms < gap_ms)
		return;
	t->told_ms = now_ms;
	tell_counter(t, t->terminal ? "" : "\n");
}

static void
print_sums(const struct store_move_result *r)
{
	for (size_t i = 0; i < r->count; i++)
		printf("%-14s %9" PRId64 "  %s\n", r->sums[i].table,
		    r->sums[i].rows,
		    r->sums[i].rows > 0 ? r->sums[i].digest : "-");
}

static void
print_dry(const struct store_move *m, const struct store_move_result *r)
{
	print_sums(r);
	printf("%" PRId64 " rows would be moved to %s%s; nothing was written\n",
	    r->rows, m->to, r->resumed ? ", where some are already" : "");
}

static void
print_done(const struct store_move *m, const struct store_move_result *r)
{
	if (r->was_done) {
		printf("the store was moved to %s before, nothing was left to "
		       "do\n",
		    m->to);
	} else {
		print_sums(r);
		printf("%" PRId64
		       " rows are in %s, every one compared; writers waited "
		       "%.1f s\n",
		    r->rows, m->to, (double)r->held_ms / 1000);
	}
	printf("%s is closed: no program works with it any more, and "
	       "notifications are answered 503 until\n"
	       "\"database\" is \"%s\"\n"
	       "everywhere and outlook-addin-fcgi was restarted\n",
	    m->from, m->to);
}

static int
move(const struct config *config, const char *to, bool dry)
{
	struct teller teller = {.terminal = isatty(STDERR_FILENO) == 1};
	struct store_move_result result;
	struct err e = {0};
	const struct store_move m = {
	    .from = config->database,
	    .to = to,
	    .lock_wait_ms = LOCK_WAIT_MS,
	    .now_ms = clock_wall_ms(),
	    .dry_run = dry,
	    .progress = tell,
	    .arg = &teller,
	};
	int rc = store_move(&m, &result, &e);

	if (rc != 0) {
		end_counter(&teller);
		return live_fail("migrate", &e);
	}
	if (dry)
		print_dry(&m, &result);
	else
		print_done(&m, &result);
	return ctl_finish();
}

static int
run(struct ctl *ctl, int argc, char **argv)
{
	bool dry = false;
	const struct ctl_option opts[] = {
	    {"-n", NULL, &dry},
	    {NULL, NULL, NULL},
	};
	const char *to = NULL;
	struct config config;
	int code = CTL_DONE;
	int count = ctl_parse(ctl, opts, argc, argv, &to, 1, &code);

	if (count < 0)
		return code;
	if (count == 0)
		return ctl_misuse(ctl, "migrate-store needs a PostgreSQL URL");
	ctl->quiet = true;
	code = ctl_load(ctl, CONFIG_ROLE_WEB, &config);
	if (code != CTL_DONE)
		return code;
	code = move(&config, to, dry);
	config_clear(&config);
	return code;
}

const struct ctl_command ctl_migrate = {
    .name = "migrate-store",
    .usage = "[-n] URL",
    .summary = "Moves the store to PostgreSQL while everything runs",
    .run = run,
};
