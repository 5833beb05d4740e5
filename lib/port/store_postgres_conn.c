/* port/store_postgres_conn.c - the connection, and one statement over it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "port/store_postgres.h"

enum { STORE_POSTGRES_INT = 20, STORE_POSTGRES_TEXT = 25 }; /* type ids */

/* ---- errors ---- */

struct store_postgres_state {
	const char *prefix; /* of an SQLSTATE */
	enum err_code code;
	bool drop; /* another connection may be better */
};

/* Everything else is passing: it is tried again. Never ERR_INPUT, which would
 * have the store moved aside. */
static const struct store_postgres_state store_postgres_states[] = {
    {"25006", ERR_FULL, true}, /* read-only: a server that has failed over */
    {"53100", ERR_FULL, false}, /* disk full */
    {"53", ERR_RETRY, false}, /* out of memory, of connections */
    {"57", ERR_RETRY, false}, /* shutting down, starting, cancelled */
    {"28", ERR_CONFIG, true}, /* who are you? */
    {"3D", ERR_CONFIG, true}, /* no such database */
    {"42501", ERR_CONFIG, false}, /* no right to it */
    {"22", ERR_REFUSED, false}, /* a value it can not hold */
};

static void
store_postgres_judge(const char *state, enum err_code *code, bool *drop)
{
	*code = ERR_RETRY;
	*drop = false;
	for (size_t i = 0; i <
	     sizeof(store_postgres_states) / sizeof(store_postgres_states[0]);
	     i++) {
		const struct store_postgres_state *s =
		    &store_postgres_states[i];

		if (strncmp(state, s->prefix, strlen(s->prefix)) != 0)
			continue;
		*code = s->code;
		*drop = s->drop;
		return;
	}
}

/* The first line of what libpq or the server says. */
static int
store_postgres_fail(
    struct err *e, enum err_code code, const char *what, const char *message)
{
	return err_set(e, code, "store: %s: %.*s", what,
	    (int)strcspn(message, "\n"), message);
}

void
store_postgres_drop(struct store_conn *c)
{
	PQfinish(c->db);
	c->db = NULL;
	c->change_count++;
}

static void
store_postgres_result_failed(
    struct store_conn *c, const PGresult *r, struct err *e)
{
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	enum err_code code;
	bool drop;

	if (state == NULL)
		state = "";
	/* No such table: it has been emptied, or is another database. */
	if (strcmp(state, "42P01") == 0)
		c->set_up = false;
	store_postgres_judge(state, &code, &drop);
	store_postgres_fail(e, code, "PostgreSQL", PQresultErrorMessage(r));
	if (drop || PQstatus(c->db) != CONNECTION_OK)
		store_postgres_drop(c);
}

/* ---- connecting ---- */

static void
store_postgres_hush(void *arg, const char *message)
{
	(void)arg;
	(void)message;
}

static int
store_postgres_check_server(struct store_conn *c, struct err *e)
{
	const char *encoding = PQparameterStatus(c->db, "server_encoding");

	if (PQserverVersion(c->db) < 140000)
		return err_set(e, ERR_CONFIG,
		    "store: PostgreSQL 14 or later is needed, this is %d",
		    PQserverVersion(c->db) / 10000);
	if (encoding != NULL && strcmp(encoding, "UTF8") != 0)
		return err_set(e, ERR_CONFIG,
		    "store: the database's encoding is %s, it must be UTF8",
		    encoding);
	return 0;
}

/* What a refused connection says has no SQLSTATE of its own in libpq, which
 * has a line for each address that it has tried. *message: that which an
 * operator can do something about, else the first. */
static enum err_code
store_postgres_connect_code(const char **message)
{
	static const char *const for_operators[] = {"authentication failed",
	    "does not exist", "no password supplied", "pg_hba.conf",
	    "certificate verify failed", "does not support SSL",
	    "certificate file", "private key file", "does not match host name"};
	const char *found;

	for (size_t i = 0; i < sizeof(for_operators) / sizeof(for_operators[0]);
	     i++)
		if ((found = strstr(*message, for_operators[i])) != NULL) {
			while (found > *message && found[-1] != '\n')
				found--;
			*message = found;
			return ERR_CONFIG;
		}
	return ERR_RETRY;
}

static int
store_postgres_try(struct store_conn *c, struct err *e)
{
	struct store_postgres_options o;

	if (store_postgres_options_read(c->location, c->flags, &o, e) != 0)
		return -1;
	c->db = PQconnectdbParams(o.keyword, o.value, 0);
	store_postgres_options_clear(&o);
	if (c->db == NULL)
		return err_set(e, ERR_RETRY, "store: out of memory");
	PQsetNoticeProcessor(c->db, store_postgres_hush, NULL);
	if (PQstatus(c->db) != CONNECTION_OK) {
		const char *message = PQerrorMessage(c->db);
		enum err_code code = store_postgres_connect_code(&message);

		return store_postgres_fail(e, code, "PostgreSQL", message);
	}
	/* Sending has an end, too, with a server that does not read. */
	if (PQsetnonblocking(c->db, 1) != 0)
		return store_postgres_fail(
		    e, ERR_RETRY, "PostgreSQL", PQerrorMessage(c->db));
	return store_postgres_check_server(c, e);
}

int
store_postgres_connect(struct store_conn *c, struct err *e)
{
	if (c->db != NULL)
		return 0;
	if (c->failed_ms == 0 ||
	    clock_mono_ms() - c->failed_ms >= STORE_POSTGRES_AGAIN_MS) {
		err_clear(&c->refusal);
		if (store_postgres_try(c, &c->refusal) == 0) {
			c->failed_ms = 0;
			c->set_up = false;
			return 0;
		}
		store_postgres_drop(c);
		c->failed_ms = clock_mono_ms();
	}
	/* Until it is tried again, why has not changed. */
	if (e != NULL)
		*e = c->refusal;
	return -1;
}

/* ---- a statement ---- */

struct store_postgres_params {
	Oid types[STORE_PARAMS_MAX];
	const char *values[STORE_PARAMS_MAX];
	char numbers[STORE_PARAMS_MAX][24];
	char *cleaned[STORE_PARAMS_MAX]; /* ours, or NULL */
};

/* One text that the server can not hold would fail the transaction, and all
 * that others have put into it, again and again. */
static const char *
store_postgres_clean(const char *text, char **cleaned)
{
	size_t cap;

	*cleaned = NULL;
	if (text == NULL || text_is_utf8(text, strlen(text)))
		return text;
	cap = 3 * strlen(text) + 1;
	*cleaned = mem_calloc(cap, 1);
	text_copy_utf8(*cleaned, cap, text);
	return *cleaned;
}

static void
store_postgres_bind(struct store_postgres_params *out,
    const struct store_value *params, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bool is_int = params[i].type == STORE_VALUE_INT;

		out->types[i] =
		    is_int ? STORE_POSTGRES_INT : STORE_POSTGRES_TEXT;
		snprintf(out->numbers[i], sizeof(out->numbers[i]), "%lld",
		    (long long)params[i].num);
		out->values[i] = store_postgres_clean(
		    is_int ? out->numbers[i] : params[i].text,
		    &out->cleaned[i]);
	}
}

static int
store_postgres_send(struct store_conn *c, const char *sql,
    const struct store_value *params, size_t count)
{
	struct store_postgres_params bound = {.cleaned = {NULL}};
	int sent;

	if (params == NULL && count == 0)
		return PQsendQuery(c->db, sql);
	store_postgres_bind(&bound, params, count);
	sent = PQsendQueryParams(
	    c->db, sql, (int)count, bound.types, bound.values, NULL, NULL, 0);
	for (size_t i = 0; i < count; i++)
		free(bound.cleaned[i]);
	return sent;
}

/* 0 once all is sent and a result can be taken without waiting. What it says
 * meanwhile is taken, or it would stop to listen. */
static int
store_postgres_wait(struct store_conn *c, int64_t until_ms, struct err *e)
{
	int unsent;

	while ((unsent = PQflush(c->db)) != 0 || PQisBusy(c->db)) {
		int64_t left_ms = until_ms - clock_mono_ms();

		if (unsent < 0)
			return store_postgres_fail(
			    e, ERR_RETRY, "PostgreSQL", PQerrorMessage(c->db));
		if (left_ms <= 0)
			return err_set(e, ERR_RETRY,
			    "store: PostgreSQL did not answer in time");
		if (loop_wait_fd(PQsocket(c->db), unsent > 0, left_ms, e) < 0)
			return -1;
		if (!PQconsumeInput(c->db))
			return store_postgres_fail(
			    e, ERR_RETRY, "PostgreSQL", PQerrorMessage(c->db));
	}
	return 0;
}

/* All results; the last one, or the first that is an error. */
static int
store_postgres_collect(
    struct store_conn *c, int64_t until_ms, PGresult **out, struct err *e)
{
	PGresult *next;

	*out = NULL;
	for (;;) {
		if (store_postgres_wait(c, until_ms, e) != 0)
			return -1;
		next = PQgetResult(c->db);
		if (next == NULL)
			return 0;
		if (*out != NULL && PQresultStatus(*out) == PGRES_FATAL_ERROR) {
			PQclear(next);
			continue;
		}
		PQclear(*out);
		*out = next;
	}
}

PGresult *
store_postgres_ask(struct store_conn *c, const char *sql,
    const struct store_value *params, size_t count, int64_t wait_ms,
    struct err *e)
{
	PGresult *r = NULL;
	ExecStatusType status;

	/* Inside a transaction a new connection would be another one. */
	if (c->in_transaction && c->db == NULL) {
		err_set(e, ERR_RETRY, "store: the connection was lost");
		return NULL;
	}
	if (store_postgres_connect(c, e) != 0)
		return NULL;
	if (!store_postgres_send(c, sql, params, count)) {
		store_postgres_fail(
		    e, ERR_RETRY, "PostgreSQL", PQerrorMessage(c->db));
		store_postgres_drop(c);
		return NULL;
	}
	if (store_postgres_collect(c, clock_mono_ms() + wait_ms, &r, e) != 0) {
		PQclear(r);
		store_postgres_drop(c);
		return NULL;
	}
	status = PQresultStatus(r);
	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
		return r;
	store_postgres_result_failed(c, r, e);
	PQclear(r);
	return NULL;
}
