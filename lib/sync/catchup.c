/* sync/catchup.c - CATCHUP work: asks whether the known events of a mailbox
 * that may still matter are as they were read last, for Graph sometimes goes
 * silent without a word. Ten links go into a $batch; whatever differs becomes
 * EVENT work, which alone decides and acts, and at its end the default
 * calendar is searched for events that are not known. A round that had to wait
 * goes on where it was; what was missed meanwhile is another round's. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/text.h"
#include "port/store_due.h"
#include "remote/graph.h"
#include "remote/graph_batch.h"
#include "rule/catchup.h"
#include "rule/retry.h"
#include "sync/engine.h"
#include "sync/task.h"

enum {
	CATCHUP_PARTS = 2, /* requests for each link: event and calendar */
	CATCHUP_LINKS = GRAPH_BATCH_MAX / CATCHUP_PARTS,
	CATCHUP_VISITS = 500, /* links looked at without a pause */
	CATCHUP_ADDS = 100, /* in one transaction */
	/* Outlook takes 10,000 requests about a mailbox in 10 minutes. */
	CATCHUP_ASKED = 2000,
	CATCHUP_REST_MS = 5 * 60 * 1000,
	CATCHUP_SEARCH_MS = 5 * 1000, /* while the whole mailbox is searched */
	CATCHUP_PATH_MAX = 4 * STORE_ID_MAX
};

/* A link that is asked about, and what was answered. */
struct catchup_member {
	char conversation[STORE_ID_MAX];
	char event[STORE_ID_MAX];
	char change_key[128];
	bool same_key;
	struct err answers[CATCHUP_PARTS];
};

struct catchup {
	struct task *task;
	struct store_round round;
	int64_t since_ms; /* an event that ended before is past */
	char read_to[STORE_ID_MAX]; /* the last link that was looked at */
	bool at_end;
	size_t visits, asked, different;
	struct catchup_member members[CATCHUP_LINKS];
	size_t count;
};

static void catchup_read(struct catchup *c);

static void
catchup_free(void *state)
{
	free(state);
}

/* Ends for now; goes on behind what is settled. */
static void
catchup_fail(struct catchup *c, const struct err *e)
{
	c->task->outcome.round = &c->round;
	task_fail(c->task, e);
}

/* The store's trouble is not the row's. */
static void
catchup_fail_store(struct catchup *c, const struct err *e)
{
	struct err why = *e;

	why.code = ERR_RETRY;
	task_fail(c->task, &why);
}

/* With this hint a 200 is not believed before the event is seen in a calendar.
 */
static void
catchup_look(struct catchup *c, const char *event, int64_t delay_ms)
{
	c->different++;
	task_add(c->task, STORE_WORK_EVENT, event, STORE_HINT_MISSED, delay_ms);
}

/* ---- which links? ---- */

static void
catchup_facts(const struct store_link *l, struct catchup_link *out)
{
	*out = (struct catchup_link){
	    .state = (enum link_state)l->state,
	    .seen = l->event[0] != '\0',
	    .series = strcmp(l->series, event_type_name(EVENT_MASTER)) == 0,
	    .unsettled = l->writing[0] != '\0' || l->last_error[0] != '\0' ||
		l->synced_ms == 0 || l->change_key[0] == '\0',
	    .end_ms = l->end_ms,
	};
}

static void
catchup_ask_for(struct catchup *c, const struct store_link *l)
{
	struct catchup_member *m = &c->members[c->count++];

	memset(m, 0, sizeof(*m));
	text_copy(m->conversation, sizeof(m->conversation), l->conversation);
	text_copy(m->event, sizeof(m->event), l->event);
	text_copy(m->change_key, sizeof(m->change_key), l->change_key);
}

/* Stops behind what fits into a batch, or a transaction. */
static int
catchup_visit(const struct store_link *l, void *arg)
{
	struct catchup *c = arg;
	struct catchup_link facts;
	bool stop;

	text_copy(c->read_to, sizeof(c->read_to), l->conversation);
	catchup_facts(l, &facts);
	switch (catchup_need(&facts, c->since_ms)) {
	case CATCHUP_PASS:
		break;
	case CATCHUP_ASK:
		catchup_ask_for(c, l);
		break;
	case CATCHUP_LOOK:
		catchup_look(c, l->event, 0);
		break;
	}
	stop = ++c->visits >= CATCHUP_VISITS || c->count == CATCHUP_LINKS ||
	    c->task->outcome.add_count >= CATCHUP_ADDS;
	c->at_end = !stop;
	return stop;
}

/* ---- what does Graph say? ---- */

static int
catchup_build(struct http_request *req, void *arg, struct err *e)
{
	const struct catchup *c = arg;
	const char *user = c->task->work.user;
	struct graph_batch_item items[GRAPH_BATCH_MAX] = {{0}};
	struct buf paths[GRAPH_BATCH_MAX];
	size_t n = 0;

	(void)e;
	for (size_t i = 0; i < c->count; i++) {
		buf_init(&paths[n], CATCHUP_PATH_MAX);
		graph_event_glance_path(user, c->members[i].event, &paths[n++]);
		buf_init(&paths[n], CATCHUP_PATH_MAX);
		graph_calendar_path(user, c->members[i].event, &paths[n++]);
	}
	for (size_t i = 0; i < n; i++)
		items[i] = (struct graph_batch_item){
		    .method = "GET",
		    .path = buf_text(&paths[i]),
		    .prefer = GRAPH_PREFER,
		};
	graph_batch_request(c->task->session->config, "batch", items, n, req);
	for (size_t i = 0; i < n; i++)
		buf_clear(&paths[i]);
	return 0;
}

/* A key is stored as far as it fits. */
static bool
catchup_is_key(const struct catchup_member *m, const json_t *body)
{
	char key[sizeof(m->change_key)];

	text_copy(key, sizeof(key), graph_event_glance_read(body));
	return strcmp(key, m->change_key) == 0;
}

static void
catchup_take(size_t i, const struct graph_batch_answer *a, void *arg)
{
	struct catchup *c = arg;
	struct catchup_member *m = &c->members[i / CATCHUP_PARTS];
	struct err *e = &m->answers[i % CATCHUP_PARTS];

	*e = (struct err){.code = ERR_NONE, .retry_after_ms = -1};
	if (i % CATCHUP_PARTS == 0)
		m->same_key = catchup_is_key(m, a->body);
	if (a->status == 0 || a->status == 424)
		err_set(e, ERR_RETRY, "no answer for this member of the batch");
	else
		graph_judge_status(
		    a->status, a->body, a->retry_after_ms, GRAPH_EVENT, e);
	/* A fault that says when to come again is a fault all the same: it must
	 * not stop the round for ever. */
	if (a->status != 429 && e->code == ERR_BUSY)
		e->code = ERR_RETRY;
}

static enum catchup_verdict
catchup_verdict(const struct catchup_member *m)
{
	return catchup_judge(
	    m->answers[0].code, m->same_key, m->answers[1].code);
}

static int
catchup_parse(const struct http_reply *reply, void *arg, struct err *e)
{
	struct catchup *c = arg;

	if (graph_batch_reply(
		reply, c->count * CATCHUP_PARTS, catchup_take, c, e) != 0)
		return -1;
	for (size_t i = 0; i < c->count; i++)
		if (catchup_verdict(&c->members[i]) == CATCHUP_NO_TOKEN)
			return err_set(
			    e, ERR_AUTH, "token refused within a batch");
	return 0;
}

/* The longest wait that any member was told; < 0: none was throttled. */
static bool
catchup_is_throttled(const struct catchup *c, int64_t *wait_ms)
{
	bool any = false;

	*wait_ms = -1;
	for (size_t i = 0; i < c->count * CATCHUP_PARTS; i++) {
		const struct err *e =
		    &c->members[i / CATCHUP_PARTS].answers[i % CATCHUP_PARTS];

		if (e->code != ERR_BUSY)
			continue;
		any = true;
		if (e->retry_after_ms > *wait_ms)
			*wait_ms = e->retry_after_ms;
	}
	return any;
}

/* ---- what follows? ---- */

/* Of two answers that have the code, that with the longer wait. */
static const struct err *
catchup_answer(const struct catchup_member *m, enum err_code code)
{
	const struct err *a = &m->answers[0], *b = &m->answers[1];
	bool second = b->code == code && b->retry_after_ms > a->retry_after_ms;

	return a->code == code && !second ? a : b;
}

/* True: the member is settled. Else *why is why not. */
static bool
catchup_settle(
    struct catchup *c, const struct catchup_member *m, struct err *why)
{
	switch (catchup_verdict(m)) {
	case CATCHUP_SAME:
		return true;
	case CATCHUP_AGAIN:
		/* Once more; then it is that event's own affair. */
		if (c->task->work.attempts == 0) {
			*why = *catchup_answer(m, ERR_RETRY);
			return false;
		}
		catchup_look(c, m->event,
		    retry_wait_ms(catchup_answer(m, ERR_RETRY), 0,
			rand_below(UINT64_MAX)));
		return true;
	case CATCHUP_THROTTLED:
		*why = *catchup_answer(m, ERR_BUSY);
		return false;
	case CATCHUP_NO_MAILBOX:
		*why = *catchup_answer(m, ERR_MAILBOX);
		return false;
	case CATCHUP_DIFFERS:
	case CATCHUP_NO_TOKEN: /* the whole batch has failed with it */
		break;
	}
	catchup_look(c, m->event, 0);
	return true;
}

/* Links are settled in their order up to the first that is not. */
static void
catchup_settle_all(struct catchup *c)
{
	struct task *t = c->task;
	struct err why = {.code = ERR_NONE, .retry_after_ms = -1};
	int64_t wait_ms;
	size_t i = 0;

	for (; i < c->count && catchup_settle(c, &c->members[i], &why); i++)
		text_copy(c->round.after, sizeof(c->round.after),
		    c->members[i].conversation);
	if (i > 0)
		c->asked += i;
	if (catchup_is_throttled(c, &wait_ms))
		call_keep_throttle(
		    t->session, t->work.tenant, t->work.user, &wait_ms);
	if (why.code == ERR_NONE) {
		t->work.attempts = 0;
		c->count = 0;
		text_copy(c->round.after, sizeof(c->round.after), c->read_to);
		catchup_read(c);
		return;
	}
	if (i > 0)
		t->work.attempts = 0;
	if (why.code == ERR_BUSY)
		why.retry_after_ms = wait_ms;
	catchup_fail(c, &why);
}

static void
catchup_answered(const struct err *e, void *arg)
{
	struct catchup *c = arg;

	engine_batch_end(c->task->engine, c->task);
	if (e->code == ERR_NONE) {
		catchup_settle_all(c);
		return;
	}
	if (e->code != ERR_REFUSED && e->code != ERR_INPUT) {
		catchup_fail(c, e);
		return;
	}
	/* Whoever does not take a batch is asked for each event. */
	log_warning("catch-up-batch-refused",
	    LOG_STR("tenant", c->task->work.tenant),
	    LOG_STR("mailbox", c->task->work.user), LOG_ERR(e));
	for (size_t i = 0; i < c->count; i++)
		catchup_look(c, c->members[i].event, 0);
	c->count = 0;
	text_copy(c->round.after, sizeof(c->round.after), c->read_to);
	catchup_read(c);
}

static void
catchup_ask(struct task *t)
{
	struct catchup *c = t->state;

	if (engine_is_searched(t->engine, t)) {
		engine_batch_end(t->engine, t);
		t->outcome.round = &c->round;
		task_defer(t,
		    CATCHUP_SEARCH_MS + (int64_t)rand_below(CATCHUP_SEARCH_MS),
		    "the mailbox is being searched");
		return;
	}
	task_call(t, CALL_GRAPH, catchup_build, catchup_parse, catchup_answered,
	    t->state);
}

/* ---- the round ---- */

static void
catchup_go_on(struct task *t)
{
	catchup_read(t->state);
}

static void
catchup_save(struct catchup *c)
{
	c->visits = 0;
	c->task->outcome.round = &c->round;
	task_save(c->task, catchup_go_on);
}

static void
catchup_begin_round(struct catchup *c)
{
	c->round.begun_ms = c->task->work.first_seen_ms;
	c->round.generation = c->task->work.generation;
	c->round.after[0] = c->read_to[0] = '\0';
	c->at_end = false;
}

static void
catchup_end(struct catchup *c)
{
	struct task *t = c->task;

	log_info("catch-up", LOG_STR("tenant", t->work.tenant),
	    LOG_STR("mailbox", t->work.user), LOG_INT("events", c->asked),
	    LOG_INT("lookedAt", c->different));
	if (c->round.generation != t->work.generation) {
		catchup_begin_round(c);
		catchup_save(c);
		return;
	}
	/* The round asks for known events only. One request finds, by their
	 * property, those that nobody told of. */
	task_add(t, STORE_WORK_SEARCH, "", 0, 0);
	t->outcome.catch_up_done = true;
	task_finish(t);
}

static void
catchup_read(struct catchup *c)
{
	struct task *t = c->task;
	struct err e = {.code = ERR_NONE, .retry_after_ms = -1};

	if (c->at_end) {
		catchup_end(c);
		return;
	}
	if (t->outcome.add_count > 0 || c->visits >= CATCHUP_VISITS) {
		catchup_save(c);
		return;
	}
	if (c->asked >= CATCHUP_ASKED) {
		t->outcome.round = &c->round;
		task_defer(t, CATCHUP_REST_MS, "goes on in a while");
		return;
	}
	if (t->session->store == NULL)
		err_set(&e, ERR_RETRY, "the store is closed");
	c->at_end = true;
	if (e.code != ERR_NONE ||
	    store_link_each_after(t->session->store, t->work.tenant,
		t->work.user, c->read_to, catchup_visit, c, &e) != 0) {
		catchup_fail_store(c, &e);
		return;
	}
	if (c->count > 0) {
		engine_batch_begin(t->engine, t, catchup_ask);
		return;
	}
	text_copy(c->round.after, sizeof(c->round.after), c->read_to);
	if (t->outcome.add_count > 0 || !c->at_end)
		catchup_save(c);
	else
		catchup_end(c);
}

/* ---- start ---- */

/* 1 it is to be caught up with, 0 not (now), the task has ended; -1. */
static int
catchup_look_at_mailbox(struct catchup *c, struct err *e)
{
	struct task *t = c->task;
	struct store_mailbox box;
	int rc = store_mailbox_find(
	    t->session->store, t->work.tenant, t->work.user, &box, e);

	if (rc < 0)
		return -1;
	if (rc == 1 && task_leaves_mailbox(t, &box))
		return 0;
	return 1;
}

void
catchup_start(struct task *t)
{
	struct catchup *c = mem_zalloc(sizeof(*c));
	struct err e = {.code = ERR_NONE, .retry_after_ms = -1};
	int rc = -1;

	c->task = t;
	c->since_ms = task_now_ms() - t->session->policy.catch_up_past_ms;
	t->state = c;
	t->free_state = catchup_free;
	if (t->session->store == NULL)
		err_set(&e, ERR_RETRY, "the store is closed");
	else
		rc = catchup_look_at_mailbox(c, &e);
	if (rc == 1)
		rc = store_round_find(t->session->store, t->work.tenant,
			 t->work.user, &c->round, &e) < 0
		    ? -1
		    : 1;
	if (rc < 0) {
		catchup_fail_store(c, &e);
	} else if (rc == 1) {
		/* That of a row that is no more is nobody's. */
		if (c->round.begun_ms != t->work.first_seen_ms)
			catchup_begin_round(c);
		text_copy(c->read_to, sizeof(c->read_to), c->round.after);
		catchup_read(c);
	}
}
