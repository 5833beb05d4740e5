/* port/store_lane.h - lanes: the queued rows of one mailbox. */
#ifndef PORT_STORE_LANE_H
#define PORT_STORE_LANE_H

/*
 * A lane row holds the two GUIDs once, and head_ms, a lower bound of the
 * run_ms of its queued rows (INT64_MAX: none). "saturated" lanes have as many
 * rows in progress as one mailbox may; they are out of the ready index until
 * one of them has ended. So a claim looks at one index entry per row that it
 * takes, however long any mailbox's backlog is.
 */

#include "port/store_db.h"

/* Inside a transaction: the lane, made when it is new. The pointer holds until
 * the next call. NULL on failure. */
struct store_lane *store_lane_of(
    struct store *s, const char *tenant, const char *user, struct err *e);
/* There will be a row at run_ms: lowers head_ms. */
int store_lane_lower(
    struct store *s, struct store_lane *lane, int64_t run_ms, struct err *e);
/* After rows of it have changed: head_ms anew, not saturated. */
int store_lane_refresh(struct store *s, struct store_lane *lane, struct err *e);

#endif
