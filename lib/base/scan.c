/* base/scan.c - the check of a whole text; scan_walk.c reads what passed. */
#include "base/scan.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "base/rand.h"
#include "base/scan_string.h"

/* A key's place in the text, for the exact comparison. */
struct scan_key {
	uint64_t print;
	uint32_t offset; /* of the first byte behind the opening quote */
	uint32_t len : 31;
	bool escaped : 1;
};

static pthread_once_t seed_once = PTHREAD_ONCE_INIT;
static uint64_t seed[2];

static void
seed_make(void)
{
	rand_bytes(seed, sizeof(seed));
}

/* An open container. */
struct scan_frame {
	bool is_object;
	uint16_t first_key; /* where its keys begin in scanner.keys */
};

struct scanner {
	const char *text;
	const char *end;
	const char *at;
	const struct scan_limits *limits;
	size_t values;
	int depth;
	int depth_max;
	size_t members_max;
	size_t key_count; /* of all open objects together */
	struct scan_frame frames[SCAN_DEPTH_MAX];
	struct scan_key keys[SCAN_KEYS_MAX];
};

static void
skip_blanks(struct scanner *s)
{
	const char *at = s->at;

	while (at < s->end &&
	    (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
		at++;
	s->at = at;
}

static bool
is_digit(const struct scanner *s)
{
	return s->at < s->end && *s->at >= '0' && *s->at <= '9';
}

/* At least one digit. */
static bool
skip_digits(struct scanner *s)
{
	if (!is_digit(s))
		return false;
	while (is_digit(s))
		s->at++;
	return true;
}

/* RFC 8259 section 6. */
static enum scan_result
check_number(struct scanner *s)
{
	if (*s->at == '-')
		s->at++;
	if (s->at < s->end && *s->at == '0')
		s->at++;
	else if (!skip_digits(s))
		return SCAN_SYNTAX;
	if (s->at < s->end && *s->at == '.') {
		s->at++;
		if (!skip_digits(s))
			return SCAN_SYNTAX;
	}
	if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
		s->at++;
		if (s->at < s->end && (*s->at == '+' || *s->at == '-'))
			s->at++;
		if (!skip_digits(s))
			return SCAN_SYNTAX;
	}
	return SCAN_OK;
}

static enum scan_result
check_word(struct scanner *s, const char *word)
{
	for (; *word != '\0'; word++, s->at++) {
		if (s->at == s->end || *s->at != *word)
			return SCAN_SYNTAX;
	}
	return SCAN_OK;
}

/* The string that s->at, its opening quote, begins. */
static enum scan_result
check_string(struct scanner *s, struct scan_value *v)
{
	const char *start = s->at + 1;

	v->type = SCAN_STRING;
	v->start = start;
	if (!scan_string_check(start, s->end, &s->at, &v->escaped))
		return SCAN_SYNTAX;
	v->len = (size_t)(s->at - start);
	s->at++;
	return SCAN_OK;
}

static bool
key_equals(const struct scanner *s, const struct scan_key *k,
    const struct scan_value *v)
{
	struct scan_value old = {
	    SCAN_STRING, s->text + k->offset, k->len, k->escaped};

	return scan_string_same(&old, v);
}

/* The same for the life of the process, and known to nobody else. */
static const uint64_t *
scan_seed(void)
{
	pthread_once(&seed_once, seed_make);
	return seed;
}

/* Notes a key of the innermost object. */
static enum scan_result
add_key(struct scanner *s, const struct scan_value *v)
{
	size_t first = s->frames[s->depth - 1].first_key;
	uint64_t print = scan_string_print(v, scan_seed());
	struct scan_key *k;

	for (size_t i = first; i < s->key_count; i++) {
		if (s->keys[i].print == print &&
		    key_equals(s, &s->keys[i], v)) {
			s->at = v->start - 1;
			return SCAN_DUPLICATE;
		}
	}
	if (s->key_count - first == s->members_max ||
	    s->key_count == SCAN_KEYS_MAX)
		return SCAN_COUNT;
	k = &s->keys[s->key_count++];
	k->print = print;
	k->offset = (uint32_t)(v->start - s->text);
	k->len = (uint32_t)v->len;
	k->escaped = v->escaped;
	return SCAN_OK;
}

/* A member's name and colon, up to its value. */
static enum scan_result
check_key(struct scanner *s)
{
	struct scan_value key;
	enum scan_result rc;

	skip_blanks(s);
	if (s->at == s->end || *s->at != '"')
		return SCAN_SYNTAX;
	rc = check_string(s, &key);
	if (rc == SCAN_OK)
		rc = add_key(s, &key);
	if (rc != SCAN_OK)
		return rc;
	skip_blanks(s);
	if (s->at == s->end || *s->at != ':')
		return SCAN_SYNTAX;
	s->at++;
	return SCAN_OK;
}

/*
 * Opens the container that s->at begins. *more tells whether a value must
 * follow; an empty one is closed at once.
 */
static enum scan_result
open_container(struct scanner *s, bool *more)
{
	bool is_object = *s->at == '{';
	struct scan_frame *f;

	if (s->depth == s->depth_max)
		return SCAN_DEPTH;
	f = &s->frames[s->depth];
	f->is_object = is_object;
	f->first_key = (uint16_t)s->key_count;
	s->at++;
	skip_blanks(s);
	*more = s->at == s->end || *s->at != (is_object ? '}' : ']');
	if (!*more) {
		s->at++;
		return SCAN_OK;
	}
	s->depth++;
	return is_object ? check_key(s) : SCAN_OK;
}

/* One value; of a container that is not empty only the beginning. */
static enum scan_result
check_value(struct scanner *s, bool *more)
{
	struct scan_value v;

	*more = false;
	skip_blanks(s);
	if (s->at == s->end)
		return SCAN_SYNTAX;
	if (s->values++ == s->limits->values)
		return SCAN_COUNT;
	switch (*s->at) {
	case '"':
		return check_string(s, &v);
	case '{':
	case '[':
		return open_container(s, more);
	case 't':
		return check_word(s, "true");
	case 'f':
		return check_word(s, "false");
	case 'n':
		return check_word(s, "null");
	default:
		return check_number(s);
	}
}

/* Behind a value: closes what ends here. *more: another value must follow. */
static enum scan_result
after_value(struct scanner *s, bool *more)
{
	*more = false;
	while (s->depth > 0) {
		struct scan_frame *f = &s->frames[s->depth - 1];

		skip_blanks(s);
		if (s->at == s->end)
			return SCAN_SYNTAX;
		if (*s->at == ',') {
			s->at++;
			*more = true;
			return f->is_object ? check_key(s) : SCAN_OK;
		}
		if (*s->at != (f->is_object ? '}' : ']'))
			return SCAN_SYNTAX;
		s->at++;
		s->key_count = f->first_key;
		s->depth--;
	}
	return SCAN_OK;
}

static enum scan_result
check_text(struct scanner *s)
{
	enum scan_result rc;
	bool more;

	do {
		rc = check_value(s, &more);
		if (rc == SCAN_OK && !more)
			rc = after_value(s, &more);
		if (rc != SCAN_OK)
			return rc;
	} while (more);
	skip_blanks(s);
	return s->at == s->end ? SCAN_OK : SCAN_SYNTAX;
}

enum scan_result
scan_check(const char *text, size_t len, const struct scan_limits *limits,
    struct scan_value *top, size_t *where)
{
	struct scanner s; /* 66 KiB, of which only what is used is touched */
	enum scan_result rc;

	s.text = s.at = text;
	s.end = text + len;
	s.limits = limits;
	s.values = 0;
	s.depth = 0;
	s.depth_max =
	    limits->depth < SCAN_DEPTH_MAX ? limits->depth : SCAN_DEPTH_MAX;
	s.members_max = limits->members < SCAN_MEMBERS_MAX ? limits->members
							   : SCAN_MEMBERS_MAX;
	s.key_count = 0;
	rc = len > SCAN_TEXT_MAX ? SCAN_COUNT : check_text(&s);
	if (where != NULL)
		*where = (size_t)(s.at - text);
	if (rc == SCAN_OK)
		scan_value_at(text, s.end, top);
	return rc;
}
