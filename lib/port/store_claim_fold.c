/* port/store_claim_fold.c - see store_claim.h. */
#include "port/store_claim.h"

static const struct store_field store_claim_look_fields[] = {
    STORE_MEMBER(STORE_FIELD_INT64, store_claim_look, suspects),
    STORE_MEMBER(STORE_FIELD_INT64, store_claim_look, head_ms),
    STORE_MEMBER(STORE_FIELD_INT64, store_claim_look, arrival_ms),
    STORE_MEMBER(STORE_FIELD_INT64, store_claim_look, first_arrival),
    STORE_MEMBER(STORE_FIELD_INT64, store_claim_look, last_arrival),
};

int
store_claim_look(struct store *s, struct store_claim_look *out, struct err *e)
{
	static const char sql[] =
	    "SELECT (SELECT count(*) FROM work WHERE suspect = 1),"
	    " COALESCE((SELECT head_ms FROM lane WHERE saturated = 0"
	    " ORDER BY head_ms LIMIT 1), $1),"
	    " COALESCE((SELECT due_ms FROM arrival ORDER BY id LIMIT 1), $1),"
	    " COALESCE((SELECT id FROM arrival ORDER BY id LIMIT 1), 0),"
	    " COALESCE((SELECT id FROM arrival ORDER BY id DESC LIMIT 1), 0)";

	return store_db_row(s, sql, STORE_WITH(STORE_INT(INT64_MAX)),
		   store_claim_look_fields, 5, out, e) == 1
	    ? 0
	    : -1;
}

int
store_claim_fold(struct store *s, struct store_claim_look *look, int64_t now_ms,
    struct err *e)
{
	int count = store_arrival_fold(s, e);

	if (s->fold_until == 0)
		s->fold_until = look->last_arrival;
	if (count < 0 || store_claim_look(s, look, e) != 0)
		return -1;
	/* What is there is in another one's hands. */
	s->fold_elsewhere = count == 0 && look->first_arrival != 0;
	if (count > 0 && look->first_arrival != 0 &&
	    look->first_arrival <= s->fold_until)
		return 0;
	s->fold_until = 0;
	s->folded_ms = now_ms;
	return 1;
}

bool
store_claim_must_fold(
    const struct store *s, const struct store_claim_look *look, int64_t now_ms)
{
	if (look->first_arrival == 0)
		return false;
	return s->fold_until != 0 || look->arrival_ms <= now_ms ||
	    now_ms < s->folded_ms ||
	    now_ms - s->folded_ms >= STORE_ARRIVAL_FOLD_MS;
}

int
store_work_fold(struct store *s, int64_t now_ms, struct err *e)
{
	struct store_claim_look look = {0};
	int rc;

	if (s->driver->hold == NULL)
		return 0;
	if (store_claim_look(s, &look, e) != 0)
		return -1;
	if (!store_claim_must_fold(s, &look, now_ms))
		return 0;
	if (store_begin_beside(s, NULL, 0, e) != 0)
		return -1;
	rc = store_claim_fold(s, &look, now_ms, e);
	if (rc < 0) {
		store_rollback(s);
		return -1;
	}
	return store_commit(s, e) != 0 ? -1 : rc == 0;
}
