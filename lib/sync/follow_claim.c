/* sync/follow_claim.c - see follow_state.h: the claim that keeps everybody else
 * from the subscription of the mailbox. */
#include "base/clock.h"
#include "rule/renewal.h"
#include "sync/follow_state.h"

enum {
	/* Longer than what lies between two looks at it: four requests, one of
	 * which fetches a token first. */
	FOLLOW_CLAIM_MS = 120 * 1000
};

/* 1: somebody decided, or Graph's last answer, that this mailbox is not to be
 * asked for now; the result says so. 0 not, -1. */
static int
follow_read_mailbox(struct follow *f, struct store *s, struct err *e)
{
	struct store_mailbox box;
	int rc = store_mailbox_find(s, f->tenant, f->user, &box, e);

	if (rc < 0)
		return -1;
	f->parked = rc == 1 && box.state == STORE_MAILBOX_PARKED;
	if (rc == 0 || box.state == STORE_MAILBOX_UNFOLLOWED) {
		f->result.outcome = FOLLOW_KEPT;
		return 1;
	}
	if (!f->parked || !renewal_parked_waits(box.retry_ms, clock_wall_ms()))
		return 0;
	f->result.outcome = FOLLOW_PARKED;
	f->result.due_ms = box.retry_ms;
	err_set(&f->result.err, ERR_MAILBOX, "%s", box.reason);
	return 1;
}

/* Taken, or taken for longer; result.due_ms is when it is over, or that of the
 * one who has it. */
int
follow_apply_hold(struct store *s, void *arg, struct err *e)
{
	struct follow *f = arg;
	int64_t now_ms = clock_wall_ms();
	int rc = store_mailbox_claim(s, f->tenant, f->user, f->session->owner,
	    now_ms, now_ms + FOLLOW_CLAIM_MS, &f->result.due_ms, e);

	f->claimed = rc == 1;
	return rc < 0 ? -1 : 0;
}

bool
follow_still_holds(struct follow *f)
{
	if (!f->claimed)
		follow_end(f, FOLLOW_BUSY, f->result.due_ms);
	return f->claimed;
}

int
follow_apply_claim(struct store *s, void *arg, struct err *e)
{
	struct follow *f = arg;
	int rc;

	f->result.due_ms = 0;
	err_clear(&f->result.err);
	rc = follow_read_mailbox(f, s, e);
	if (rc < 0)
		return -1;
	f->left_alone = rc == 1;
	if (f->left_alone)
		return 0;
	if (follow_apply_hold(s, f, e) != 0)
		return -1;
	rc = store_subscription_of(s, f->tenant, f->user, &f->sub, e);
	if (rc < 0)
		return -1;
	f->has_sub = rc == 1 && f->sub.granted_ms > 0;
	return 0;
}
