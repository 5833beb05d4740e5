/* rule/mention.c - see mention.h. */
#include "rule/mention.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"

enum { MENTION_PASSES = 4, MENTION_ENTITY_MAX = 10 };

static int
mention_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool
mention_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* "#38;" or "#x26;" behind the ampersand: the bytes it takes, 0: none. */
static size_t
mention_number(const char *text, uint32_t *out)
{
	bool hex = text[1] == 'x' || text[1] == 'X';
	size_t i = hex ? 2 : 1;
	size_t from = i;

	*out = 0;
	for (; i < MENTION_ENTITY_MAX; i++) {
		int digit = mention_hex(text[i]);

		if (digit < 0 || (!hex && digit > 9))
			break;
		*out = *out * (hex ? 16 : 10) + (uint32_t)digit;
	}
	return i > from && text[i] == ';' && *out > 0 && *out <= 0x10ffff
	    ? i + 1
	    : 0;
}

/* The entity at text (behind its ampersand): the bytes it takes, 0: none. */
static size_t
mention_entity(const char *text, uint32_t *out)
{
	static const struct {
		const char *name;
		char c;
	} named[] = {
	    {"amp;", '&'},
	    {"lt;", '<'},
	    {"gt;", '>'},
	    {"quot;", '"'},
	    {"apos;", '\''},
	};

	if (text[0] == '#')
		return mention_number(text, out);
	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		size_t len = strlen(named[i].name);

		if (strncasecmp(text, named[i].name, len) != 0)
			continue;
		*out = (uint32_t)named[i].c;
		return len;
	}
	return 0;
}

/* What stands at *in, decoded to out (at most as long); *in moves on. */
static size_t
mention_decode_one(const char **in, char out[4])
{
	const char *p = *in;
	uint32_t c;
	size_t used;

	if (p[0] == '%' && mention_hex(p[1]) >= 0 && mention_hex(p[2]) >= 0) {
		out[0] = (char)(mention_hex(p[1]) * 16 + mention_hex(p[2]));
		*in = p + 3;
		return out[0] != '\0';
	}
	if (p[0] == '&' && (used = mention_entity(p + 1, &c)) > 0) {
		*in = p + 1 + used;
		return text_put_code_point(c, out);
	}
	out[0] = p[0];
	*in = p + 1;
	return !mention_is_blank(p[0]);
}

/* Undoes one layer of disguise in place; false: there was none. What is
 * decoded is never longer than what stood there. */
static bool
mention_decode(char *text)
{
	const char *in = text;
	char *out = text;

	while (*in != '\0') {
		char piece[4];
		size_t len = mention_decode_one(&in, piece);

		memcpy(out, piece, len);
		out += len;
	}
	*out = '\0';
	return out != in;
}

static char *
mention_plain(const char *text)
{
	char *plain = mem_strdup(text);

	for (int i = 0; i < MENTION_PASSES && mention_decode(plain); i++)
		continue;
	return plain;
}

static bool
mention_has(const char *text, const char *what)
{
	size_t len = strlen(what);

	if (len == 0)
		return false;
	for (; *text != '\0'; text++)
		if (strncasecmp(text, what, len) == 0)
			return true;
	return false;
}

/* Both sides are laid bare, so that it does not matter who disguised what; each
 * layer is looked at, for what stands before a link may swallow a part of it.
 */
bool
mention_is_in(const char *text, const char *link, const char *conversation)
{
	char *bare = mention_plain(link);
	char *plain = mem_strdup(text);
	bool found = mention_has(plain, link);

	for (int i = 0; !found; i++) {
		found = mention_has(plain, bare) ||
		    mention_has(plain, conversation);
		if (i == MENTION_PASSES || !mention_decode(plain))
			break;
	}
	free(plain);
	free(bare);
	return found;
}
