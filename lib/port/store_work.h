/* port/store_work.h - what the files about the work table share. */
#ifndef PORT_STORE_WORK_H
#define PORT_STORE_WORK_H

#include "port/store_lane.h"

/* Columns of a work row, in the order of store_work_fields. */
#define STORE_WORK_COLUMNS                                                     \
	"work.kind, work.event, work.generation, work.hints,"                  \
	" work.first_seen_ms, work.due_ms, work.not_before_ms,"                \
	" work.attempts, work.crashes, work.reason"
enum { STORE_WORK_FIELD_COUNT = 10 };
extern const struct store_field store_work_fields[STORE_WORK_FIELD_COUNT];

/* So many notifications about one event. */
struct store_raise {
	struct store_hint_item item;
	int64_t times;
	int64_t first_seen_ms;
	int64_t due_ms;
};
/* Inside a transaction: makes or raises the queue row. */
int store_work_raise(
    struct store *s, const struct store_raise *raise, struct err *e);

/* Inside a transaction: takes a row that is in progress under this handle's
 * fence out of the table and tells what it has become meanwhile. 1, 0 (none
 * is), -1. */
int store_work_take_out(struct store *s, struct store_lane *lane,
    const struct store_work *w, struct store_work *now, struct err *e);

/* Inside a transaction: rows in progress that belong to no living replica are
 * queued again; crashed: as suspects. Their number is added to *count (may be
 * NULL). */
int store_work_requeue(
    struct store *s, bool crashed, int64_t *count, struct err *e);

/* Puts it back as a new row: generation and hints of now, due at due_ms. */
int store_work_put_back(struct store *s, struct store_lane *lane,
    const struct store_work *now, int64_t now_ms, int64_t due_ms,
    struct err *e);

#endif
