/* fcgi/web_lookup.c - see web_lookup.h. */
#include "web_lookup.h"

#include <stdlib.h>
#include <string.h>

#include "base/jws.h"
#include "base/mem.h"
#include "base/text.h"

/*
 * A row never changes its id, clientState or mailbox, it is only removed.
 * A copy is therefore right as long as the row is there; when the store has
 * changed, the row is read again; both are looked at once a second.
 */
enum { LOOKUP_SLOTS = 4096, LOOKUP_FRESH_MS = 1000 };

struct lookup {
	int64_t version;
	int64_t version_ms; /* monotonic, when it was asked for */
	unsigned queries; /* so far; wraps */
	struct lookup_entry pending; /* of the last judged pending row */
	struct lookup_entry *slots[LOOKUP_SLOTS];
};

struct lookup *
lookup_new(void)
{
	return mem_zalloc(sizeof(struct lookup));
}

void
lookup_free(struct lookup *l)
{
	if (l == NULL)
		return;
	for (int i = 0; i < LOOKUP_SLOTS; i++)
		free(l->slots[i]);
	free(l);
}

void
lookup_begin(struct lookup *l, struct store *s, int64_t now_ms)
{
	/* It costs a read; a batch in between changes nothing. */
	if (l->version_ms != 0 && now_ms - l->version_ms < LOOKUP_FRESH_MS)
		return;
	l->version_ms = now_ms;
	l->version = store_data_version(s);
}

/* FNV-1a; ids of others are never put into the table, so nobody can choose
 * what collides. */
static size_t
lookup_slot(const char *id)
{
	uint32_t hash = 2166136261u;

	for (; *id != '\0'; id++)
		hash = (hash ^ (unsigned char)*id) * 16777619u;
	return hash % LOOKUP_SLOTS;
}

static void
lookup_fill(struct lookup_entry *out, const struct store_subscription *row,
    const char *id, int64_t version, int64_t now_ms)
{
	text_copy(out->subscription, sizeof(out->subscription), id);
	memcpy(out->tenant, row->tenant, sizeof(out->tenant));
	memcpy(out->user, row->user, sizeof(out->user));
	memcpy(out->client_state_hash, row->client_state_hash,
	    sizeof(out->client_state_hash));
	out->version = version;
	out->read_ms = now_ms;
}

/* 1 found, 0 not, -1 failed. */
static int
lookup_read(struct lookup *l, struct store *s, const char *id, int64_t now_ms,
    struct err *e)
{
	struct lookup_entry **slot = &l->slots[lookup_slot(id)];
	struct store_subscription row;
	int rc = store_subscription_by_id(s, id, &row, e);

	l->queries++;
	if (rc == 0 && *slot != NULL &&
	    strcmp((*slot)->subscription, id) == 0) {
		free(*slot);
		*slot = NULL;
	}
	if (rc <= 0)
		return rc;
	if (*slot == NULL)
		*slot = mem_zalloc(sizeof(**slot));
	lookup_fill(*slot, &row, id, l->version, now_ms);
	return 1;
}

static int
lookup_find(struct lookup *l, struct store *s, const char *id, int64_t now_ms,
    const struct lookup_entry **out, struct err *e)
{
	struct lookup_entry *known = l->slots[lookup_slot(id)];
	int rc = 1;

	if (known == NULL || strcmp(known->subscription, id) != 0 ||
	    (known->version != l->version &&
		now_ms - known->read_ms >= LOOKUP_FRESH_MS))
		rc = lookup_read(l, s, id, now_ms, e);
	*out = l->slots[lookup_slot(id)];
	return rc;
}

/* The row was committed before POST /subscriptions, its id was not. */
static int
lookup_find_pending(struct lookup *l, struct store *s,
    const struct notification *n, int64_t now_ms,
    const struct lookup_entry **out, struct err *e)
{
	struct store_subscription row;
	int rc;

	if (n->client_state_hash[0] == '\0')
		return 0;
	l->queries++;
	rc = store_subscription_by_client_state(
	    s, n->client_state_hash, &row, e);
	if (rc <= 0 || row.id[0] != '\0')
		return rc < 0 ? -1 : 0;
	lookup_fill(&l->pending, &row, "", l->version, now_ms);
	*out = &l->pending;
	return 1;
}

unsigned
lookup_queries(const struct lookup *l)
{
	return l->queries;
}

enum lookup_verdict
lookup_judge(struct lookup *l, struct store *s, const struct notification *n,
    int64_t now_ms, const struct lookup_entry **out, struct err *e)
{
	int rc = lookup_find(l, s, n->subscription, now_ms, out, e);

	if (rc == 0)
		rc = lookup_find_pending(l, s, n, now_ms, out, e);
	if (rc < 0)
		return LOOKUP_FAILED;
	if (rc == 0)
		return LOOKUP_UNKNOWN;
	if (n->client_state_hash[0] == '\0' ||
	    !jws_equal(n->client_state_hash, (*out)->client_state_hash,
		sizeof((*out)->client_state_hash)))
		return LOOKUP_WRONG_STATE;
	if (strcmp(n->tenant, (*out)->tenant) != 0)
		return LOOKUP_FOREIGN_TENANT;
	return LOOKUP_OURS;
}
