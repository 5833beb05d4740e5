/* sync/task.h - one row of the queue being worked on, and its outcome. */
#ifndef SYNC_TASK_H
#define SYNC_TASK_H

#include "sync/call.h"
#include "sync/session.h"

struct engine;
struct task;

enum { TASK_AUDITS = 3, TASK_INPUT_ATTEMPTS = 10 };

/* What becomes of the row. */
enum task_end {
	TASK_GOES_ON, /* an intermediate state is made durable */
	TASK_FINISH,
	TASK_DEFER,
	TASK_BURY
};

struct task_audit {
	const char *action, *outcome; /* static */
	char detail[160];
};

struct task_add {
	enum store_kind kind;
	unsigned hints;
	int64_t delay_ms;
	char *event; /* ours */
};

/* Everything that one transaction is to make durable. */
struct task_outcome {
	/* Asked first, inside the transaction: 1, 0 nothing of it is done and
	 * task.admitted tells, -1. NULL: nobody is asked. */
	int (*admit)(struct task *t, struct store *s, struct err *e);
	struct store_link *link; /* NULL: none to be saved */
	char conversation[STORE_ID_MAX]; /* for audits without a link */
	struct task_audit audits[TASK_AUDITS];
	size_t audit_count;
	struct task_add *adds;
	size_t add_count;
	char copy_event[STORE_ID_MAX]; /* "" none: recorded as a copy */
	char copy_over[STORE_ID_MAX]; /* "" none: the link's copy no longer */
	bool no_copy; /* the row's event does not exist: nobody's copy */
	bool park;
	char park_reason[STORE_REASON_MAX];
	int64_t park_until_ms;
	bool catch_up_done;
	const struct store_round *round; /* how far it is; NULL: not told */
	enum task_end end;
	int64_t until_ms; /* of TASK_DEFER */
	char reason[STORE_REASON_MAX];
};

struct task {
	struct engine *engine;
	struct session *session;
	struct store_work work;
	struct session_tenant *of; /* NULL: of none, or not configured */
	struct task_outcome outcome;
	struct session_commit commit;
	void (*then)(struct task *t); /* behind TASK_GOES_ON */
	struct call call;
	/* Of all requests of this task, and in its log lines: W3C Trace
	 * Context, 32 lower-case hex digits. */
	char trace[CALL_TRACE];
	int64_t started_ms;
	void *state; /* of the kind of work */
	void (*free_state)(void *state);
	/* The conversation that this task may change, "" none yet. */
	char conversation[STORE_ID_MAX];
	bool admitted; /* by outcome.admit(), the last time */
	bool scanning; /* searches a whole mailbox: few at a time */
	/* Of the engine: waits for the end of a batch, to begin; waits for its
	 * turn with one, to go on; has one under way; has to come later. */
	bool held;
	void (*turn)(struct task *t);
	bool in_batch;
	bool turned_away;
	TAILQ_ENTRY(task) link;
};

/* Starts a call of this task; the parts of call.h. */
void task_call(struct task *t, enum call_peer peer,
    int (*build)(struct http_request *req, void *arg, struct err *e),
    int (*parse)(const struct http_reply *reply, void *arg, struct err *e),
    void (*done)(const struct err *e, void *arg), void *arg);

/* Collect the outcome. Texts are copied and cut. */
void task_audit(struct task *t, const char *action, const char *outcome,
    const char *detail);
void task_add(struct task *t, enum store_kind kind, const char *event,
    unsigned hints, int64_t delay_ms);

/* Makes the outcome so far durable, then goes on with then(). */
void task_save(struct task *t, void (*then)(struct task *t));

/* The ends: the outcome is made durable together with the row's fate; the
 * task is freed behind that. */
void task_finish(struct task *t);
void task_defer(struct task *t, int64_t wait_ms, const char *reason);
void task_bury(struct task *t, const char *reason);
/* The end that *e asks for: hold, wait, park the mailbox, or bury; logged. */
void task_fail(struct task *t, const struct err *e);

/* Whether the mailbox may be asked: one that is parked waits for its time, one
 * that nobody follows is left alone. False: the task has ended. */
bool task_mailbox_is_well(struct task *t);
/* As that, of a mailbox that has been read. True: the task has ended. */
bool task_leaves_mailbox(struct task *t, const struct store_mailbox *box);
/* Whether another task is about the conversation; else it is this one's. */
bool task_takes_conversation(struct task *t, const char *conversation);

/* Now, for what is stored. */
int64_t task_now_ms(void);

/* The kinds of work: each starts and ends in one of the ends above. */
void look_start(struct task *t); /* STORE_WORK_EVENT */
void search_start(struct task *t); /* STORE_WORK_SEARCH */
void catchup_start(struct task *t);
void keys_start(struct task *t);
void followup_start(struct task *t); /* STORE_WORK_FOLLOW */
void linkwork_start(struct task *t); /* STORE_WORK_LINK */

#endif
