/* port/store_schema.c - see store_schema.h; docs/store.md explains the tables.
 */
#include "port/store_schema.h"

#include <inttypes.h>

/*
 * A released step is never edited; a change is a new step at the end.
 *
 * work: rows are appended (the id only rises, so the first id is the oldest
 * row), the two GUIDs of the mailbox are told once, in lane, and the index of
 * queued rows holds two numbers: an added row touches as few pages as it can.
 *
 * arrival: on PostgreSQL a web that is older than the store still appends to it
 * (store_work_append() looks at no version). So a step may only add columns
 * with a default, and what older programs put there keeps its meaning.
 */
static const char *const store_schema_steps[STORE_SCHEMA_VERSION] = {
    "CREATE TABLE lane ("
    " id INTEGER PRIMARY KEY,"
    " tenant TEXT NOT NULL,"
    " user_id TEXT NOT NULL,"
    " head_ms BIGINT NOT NULL,"
    " saturated INTEGER NOT NULL,"
    " UNIQUE (user_id, tenant));"
    "CREATE INDEX lane_ready ON lane (head_ms) WHERE saturated = 0;"

    "CREATE TABLE work ("
    " id INTEGER PRIMARY KEY,"
    " lane BIGINT NOT NULL,"
    " kind INTEGER NOT NULL,"
    " event TEXT NOT NULL,"
    " generation BIGINT NOT NULL,"
    " hints INTEGER NOT NULL,"
    " claimed_hints INTEGER NOT NULL,"
    " first_seen_ms BIGINT NOT NULL,"
    " due_ms BIGINT NOT NULL,"
    " not_before_ms BIGINT NOT NULL,"
    " run_ms BIGINT NOT NULL,"
    " claimed INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL,"
    " suspect INTEGER NOT NULL,"
    " crashes INTEGER NOT NULL,"
    " reason TEXT NOT NULL,"
    " UNIQUE (lane, event, kind));"
    "CREATE INDEX work_queued ON work (lane, run_ms) WHERE claimed = 0;"
    "CREATE INDEX work_claimed ON work (lane) WHERE claimed = 1;"
    "CREATE INDEX work_suspect ON work (id) WHERE suspect = 1;"

    "CREATE TABLE arrival ("
    " id INTEGER PRIMARY KEY,"
    " tenant TEXT NOT NULL,"
    " user_id TEXT NOT NULL,"
    " kind INTEGER NOT NULL,"
    " event TEXT NOT NULL,"
    " hints INTEGER NOT NULL,"
    " at_ms BIGINT NOT NULL,"
    " due_ms BIGINT NOT NULL);"

    "CREATE TABLE dead ("
    " id INTEGER PRIMARY KEY,"
    " tenant TEXT NOT NULL,"
    " user_id TEXT NOT NULL,"
    " kind INTEGER NOT NULL,"
    " event TEXT NOT NULL,"
    " generation BIGINT NOT NULL,"
    " hints INTEGER NOT NULL,"
    " first_seen_ms BIGINT NOT NULL,"
    " due_ms BIGINT NOT NULL,"
    " not_before_ms BIGINT NOT NULL,"
    " attempts INTEGER NOT NULL,"
    " crashes INTEGER NOT NULL,"
    " last_reason TEXT NOT NULL,"
    " died_ms BIGINT NOT NULL,"
    " reason TEXT NOT NULL,"
    " UNIQUE (user_id, tenant, event, kind));"

    "CREATE TABLE mailbox ("
    " tenant TEXT NOT NULL,"
    " user_id TEXT NOT NULL,"
    " upn TEXT NOT NULL,"
    " state INTEGER NOT NULL,"
    " reason TEXT NOT NULL,"
    " retry_ms BIGINT NOT NULL,"
    " since_ms BIGINT NOT NULL,"
    " catch_up_ms BIGINT NOT NULL,"
    " PRIMARY KEY (tenant, user_id));"

    "CREATE TABLE subscription ("
    " client_state_hash TEXT PRIMARY KEY,"
    " tenant TEXT NOT NULL,"
    " user_id TEXT NOT NULL,"
    " id TEXT NOT NULL,"
    " granted_ms BIGINT NOT NULL,"
    " expires_ms BIGINT NOT NULL,"
    " requested_life_ms BIGINT NOT NULL,"
    " created_ms BIGINT NOT NULL,"
    " notification_url TEXT NOT NULL,"
    " resource TEXT NOT NULL);"
    "CREATE INDEX subscription_mailbox ON subscription (user_id, tenant);"
    "CREATE INDEX subscription_id ON subscription (id);"

    "CREATE TABLE link ("
    " conversation TEXT PRIMARY KEY,"
    " tenant TEXT NOT NULL,"
    " user_id TEXT NOT NULL,"
    " source_id TEXT NOT NULL,"
    " event TEXT NOT NULL,"
    " state INTEGER NOT NULL,"
    " shared INTEGER NOT NULL,"
    " verified INTEGER NOT NULL,"
    " agent TEXT NOT NULL,"
    " topic TEXT NOT NULL,"
    " start_ms BIGINT NOT NULL,"
    " written INTEGER NOT NULL,"
    " writing TEXT NOT NULL,"
    " end_ms BIGINT NOT NULL,"
    " time_zone TEXT NOT NULL,"
    " change_key TEXT NOT NULL,"
    " series TEXT NOT NULL,"
    " created_ms BIGINT NOT NULL,"
    " announced_ms BIGINT NOT NULL,"
    " synced_ms BIGINT NOT NULL,"
    " gone_since_ms BIGINT NOT NULL,"
    " searches INTEGER NOT NULL,"
    " last_error TEXT NOT NULL);"
    "CREATE INDEX link_event ON link (user_id, tenant, event);"
    "CREATE INDEX link_mailbox ON link (user_id, tenant, conversation);"

    "CREATE TABLE copy ("
    " conversation TEXT NOT NULL,"
    " tenant TEXT NOT NULL,"
    " user_id TEXT NOT NULL,"
    " event TEXT NOT NULL,"
    " PRIMARY KEY (conversation, user_id, tenant, event));"

    "CREATE TABLE audit ("
    " id INTEGER PRIMARY KEY,"
    " at_ms BIGINT NOT NULL,"
    " tenant TEXT NOT NULL,"
    " user_id TEXT NOT NULL,"
    " event TEXT NOT NULL,"
    " conversation TEXT NOT NULL,"
    " action TEXT NOT NULL,"
    " outcome TEXT NOT NULL,"
    " detail TEXT NOT NULL);"
    "CREATE INDEX audit_at ON audit (at_ms);"
    "CREATE INDEX audit_deletion ON audit (tenant, at_ms)"
    " WHERE action = 'delete' AND outcome = 'done';"

    "CREATE TABLE throttle ("
    " scope TEXT PRIMARY KEY,"
    " until_ms BIGINT NOT NULL);"
    "CREATE TABLE signing_keys ("
    " id INTEGER PRIMARY KEY,"
    " keys_json TEXT NOT NULL,"
    " fetched_ms BIGINT NOT NULL);"
    "CREATE TABLE lease ("
    " name TEXT PRIMARY KEY,"
    " owner TEXT NOT NULL,"
    " until_ms BIGINT NOT NULL);"
    "CREATE TABLE fact ("
    " name TEXT PRIMARY KEY,"
    " fact TEXT NOT NULL,"
    " at_ms BIGINT NOT NULL);",

    /* 2: what is due without a notification; mailboxes from before have a
     * first catch-up to come, announced links their lease. And what is first
     * in line of each tenant. */
    "ALTER TABLE link ADD COLUMN"
    " occurrence_end_ms BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE link ADD COLUMN"
    " empty_searches INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE link ADD COLUMN"
    " empty_search_ms BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE link ADD COLUMN check_ms BIGINT NOT NULL DEFAULT 0;"
    "CREATE INDEX link_check ON link (check_ms) WHERE check_ms > 0;"
    /* The deletions under way, for the brake. */
    "ALTER TABLE link ADD COLUMN writing_ms BIGINT NOT NULL DEFAULT 0;"
    "CREATE INDEX link_deleting ON link (tenant) WHERE writing = 'delete';"
    "ALTER TABLE mailbox ADD COLUMN check_ms BIGINT NOT NULL DEFAULT 0;"
    "CREATE INDEX mailbox_check ON mailbox (check_ms) WHERE state = 0;"
    "ALTER TABLE mailbox ADD COLUMN round_ms BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE mailbox ADD COLUMN"
    " round_generation BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE mailbox ADD COLUMN round_after TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE mailbox ADD COLUMN email TEXT NOT NULL DEFAULT '';"
    "UPDATE mailbox SET check_ms = 1 WHERE state = 0;"
    "CREATE INDEX lane_tenant ON lane (tenant, head_ms)"
    " WHERE saturated = 0;"
    "UPDATE link SET check_ms = 1 WHERE state = 0;"
    /* When the renewal has to look at a mailbox; at all of them, once. */
    "ALTER TABLE mailbox ADD COLUMN renew_ms BIGINT NOT NULL DEFAULT 1;"
    "CREATE INDEX mailbox_renew ON mailbox (renew_ms, tenant, user_id)"
    " WHERE renew_ms > 0;"
    /* Narrow, so that counting the mailboxes reads few pages. */
    "CREATE INDEX mailbox_state ON mailbox (state);"
    /* What a subscription was made for, beside its URL. */
    "ALTER TABLE subscription ADD COLUMN"
    " application TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE subscription ADD COLUMN addin TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE subscription ADD COLUMN"
    " no_lifecycle INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX subscription_expiry ON subscription (expires_ms)"
    " WHERE granted_ms > 0;"
    /* What the clock alone asked for, behind however many notifications. */
    "CREATE INDEX work_catchup ON work (run_ms) WHERE kind = 3;"
    "CREATE INDEX work_link ON work (run_ms) WHERE kind = 4;"
    /* Who works on it, where several syncs share the queue. */
    "ALTER TABLE work ADD COLUMN claimed_by BIGINT NOT NULL DEFAULT 0;"
    "CREATE TABLE replica ("
    " id INTEGER PRIMARY KEY,"
    " name TEXT NOT NULL,"
    " until_ms BIGINT NOT NULL);"
    /* The other store, once this one was moved, or is what one was moved to. */
    "CREATE TABLE moved ("
    " id TEXT PRIMARY KEY,"
    " peer TEXT NOT NULL,"
    " at_ms BIGINT NOT NULL);",
};

int
store_schema_admit(int64_t version, struct err *e)
{
	if (version > STORE_SCHEMA_VERSION)
		return err_set(e, ERR_NEWER,
		    "the store has version %" PRId64
		    ", made by a newer program; this one knows %d",
		    version, STORE_SCHEMA_VERSION);
	return 0;
}

/* For the one who has to know that everything before was lost. */
static int
store_schema_note_birth(struct store *s, struct err *e)
{
	static const char sql[] =
	    "INSERT INTO fact (name, fact, at_ms) VALUES ($1, $2, $3)";
	struct store_value values[] = {STORE_TEXT("store-created"),
	    STORE_TEXT(""), STORE_INT(s->opened_ms)};
	struct store_cursor *cur = s->driver->query(s->conn, sql, values, 3, e);
	int rc;

	if (cur == NULL)
		return -1;
	rc = s->driver->step(cur, e);
	s->driver->finish(cur);
	return rc;
}

int
store_schema_migrate(struct store *s, int64_t version, struct err *e)
{
	for (int64_t at = version; at < STORE_SCHEMA_VERSION; at++) {
		if (s->driver->script(s->conn, store_schema_steps[at], e) != 0)
			return err_wrap(
			    e, "migrate the store from version %" PRId64, at);
	}
	if (version == 0 && store_schema_note_birth(s, e) != 0)
		return -1;
	return s->driver->set_version(
	    s->conn, s->mark != 0 ? s->mark : STORE_SCHEMA_VERSION, e);
}
