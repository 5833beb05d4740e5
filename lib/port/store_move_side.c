/* port/store_move_side.c - a table's rows, one side. See store_move_table.h. */
#include <stdlib.h>
#include <string.h>

#include "base/jws.h"
#include "port/store_move_table.h"

enum {
	STORE_MOVE_PAGE_BYTES = 64 * 1024 * 1024,
	STORE_MOVE_DIGEST = 64 /* of the rows before, in front of each row */
};

void
store_move_side_init(struct store_move_side *side)
{
	buf_init(&side->rows, STORE_MOVE_PAGE_BYTES);
	buf_init(&side->older, STORE_MOVE_PAGE_BYTES);
}

void
store_move_side_clear(struct store_move_side *side)
{
	buf_clear(&side->rows);
	buf_clear(&side->older);
}

void
store_move_side_begin(struct store_move_side *side, struct store *s,
    const struct store_move_table *table)
{
	side->s = s;
	side->table = table;
	side->count = side->next = 0;
	side->begun = side->ended = false;
	side->passed = 0;
	memset(side->digest, '0', STORE_MOVE_DIGEST);
	side->digest[STORE_MOVE_DIGEST] = '\0';
}

/* The key of the last row that was read; it stays where it is. */
static void
store_move_side_bind(
    const struct store_move_side *side, struct store_value *out)
{
	const struct store_move_table *t = side->table;

	for (size_t i = 0; i < t->key_count; i++) {
		const char *text =
		    side->older.data + side->at[side->count - 1][t->keys[i]];

		out[i] = t->columns[t->keys[i]].number
		    ? STORE_INT(strtoll(text, NULL, 10))
		    : STORE_TEXT(text);
	}
}

static int
store_move_side_take(
    struct store_move_side *side, struct store_cursor *cur, struct err *e)
{
	static const char room[STORE_MOVE_DIGEST];
	size_t row = side->count;

	buf_add(&side->rows, room, sizeof(room));
	for (size_t i = 0; i < side->table->column_count; i++) {
		const char *text = side->s->driver->text(cur, (int)i);

		side->at[row][i] = side->rows.len;
		buf_add(&side->rows, text, strlen(text) + 1);
	}
	side->end[row] = side->rows.len;
	side->count++;
	if (side->rows.failed)
		return err_set(e, ERR_INPUT,
		    "store: the rows of %s are too "
		    "large",
		    side->table->name);
	return 0;
}

static int
store_move_side_fetch(struct store_move_side *side, struct err *e)
{
	const struct store_driver *driver = side->s->driver;
	const struct store_move_table *t = side->table;
	struct store_value key[STORE_MOVE_KEYS] = {{0}};
	struct buf rows = side->rows;
	struct store_cursor *cur;
	int rc;

	side->rows = side->older;
	side->older = rows;
	if (side->begun)
		store_move_side_bind(side, key);
	buf_reset(&side->rows);
	cur = store_db_query(side->s, side->begun ? t->next_sql : t->first_sql,
	    key, side->begun ? t->key_count : 0, e);
	if (cur == NULL)
		return -1;
	side->begun = true;
	side->count = side->next = 0;
	while (
	    side->count < STORE_MOVE_PAGE && (rc = driver->step(cur, e)) == 1)
		if (store_move_side_take(side, cur, e) != 0) {
			rc = -1;
			break;
		}
	driver->finish(cur);
	side->ended = side->count < STORE_MOVE_PAGE;
	return rc < 0 ? -1 : 0;
}

int
store_move_side_look(struct store_move_side *side, struct err *e)
{
	if (side->next == side->count && !side->ended &&
	    store_move_side_fetch(side, e) != 0)
		return -1;
	return side->next < side->count;
}

const char *
store_move_side_value(const struct store_move_side *side, size_t column)
{
	return side->rows.data + side->at[side->next][column];
}

void
store_move_side_pass(struct store_move_side *side)
{
	char *row = side->rows.data + side->at[side->next][0];
	size_t len = side->end[side->next] - side->at[side->next][0];

	row -= STORE_MOVE_DIGEST;
	memcpy(row, side->digest, STORE_MOVE_DIGEST);
	jws_sha256_hex(row, len + STORE_MOVE_DIGEST, side->digest);
	side->passed++;
	side->next++;
}

int
store_move_side_compare(
    const struct store_move_side *a, const struct store_move_side *b)
{
	const struct store_move_table *t = a->table;
	int order = 0;

	for (size_t i = 0; order == 0 && i < t->key_count; i++) {
		const char *x = store_move_side_value(a, t->keys[i]);
		const char *y = store_move_side_value(b, t->keys[i]);
		int64_t m = strtoll(x, NULL, 10), n = strtoll(y, NULL, 10);

		order = t->columns[t->keys[i]].number ? (m > n) - (m < n)
						      : strcmp(x, y);
	}
	return order;
}

bool
store_move_side_equals(
    const struct store_move_side *a, const struct store_move_side *b)
{
	size_t first_a = a->at[a->next][0], first_b = b->at[b->next][0];
	size_t len = a->end[a->next] - first_a;

	return len == b->end[b->next] - first_b &&
	    memcmp(a->rows.data + first_a, b->rows.data + first_b, len) == 0;
}
