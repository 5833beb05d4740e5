/* base/tz.c - see tz.h. Instants are Unix seconds in here. */
#include "base/tz.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/tz_posix.h"
#include "base/when.h"

enum {
	TZ_FILE_MAX = 256 * 1024,
	TZ_NAME_MAX = 64,
	TZ_TYPES_MAX = 256,
	TZ_HEADER = 44,
	/* More than any two offsets (RFC 8536: -25 h to +26 h) differ. */
	TZ_SPREAD_S = 52 * 3600
};

struct tz {
	size_t count;
	int64_t *changes; /* ascending */
	int32_t *offsets; /* in force from changes[i] on */
	int32_t first; /* before changes[0] */
	bool has_rule; /* for everything behind the last change */
	struct tz_posix rule;
};

/* A TZif block being read; never reads behind end. */
struct tz_reader {
	const unsigned char *at;
	const unsigned char *end;
};

static bool
take(struct tz_reader *r, size_t len, const unsigned char **out)
{
	if ((size_t)(r->end - r->at) < len)
		return false;
	*out = r->at;
	r->at += len;
	return true;
}

static uint32_t
big_endian_32(const unsigned char *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
	    (uint32_t)b[2] << 8 | b[3];
}

static int64_t
big_endian_64(const unsigned char *b)
{
	return (
	    int64_t)((uint64_t)big_endian_32(b) << 32 | big_endian_32(b + 4));
}

/* The six counts of a header (RFC 8536 3.1). */
struct tz_header {
	uint32_t isut, isstd, leap, time, type, chars;
	unsigned char version;
};

static bool
take_header(struct tz_reader *r, struct tz_header *h)
{
	const unsigned char *b;

	if (!take(r, TZ_HEADER, &b) || memcmp(b, "TZif", 4) != 0)
		return false;
	h->version = b[4];
	h->isut = big_endian_32(b + 20);
	h->isstd = big_endian_32(b + 24);
	h->leap = big_endian_32(b + 28);
	h->time = big_endian_32(b + 32);
	h->type = big_endian_32(b + 36);
	h->chars = big_endian_32(b + 40);
	/* The file is far smaller than this; no product overflows then. */
	return h->type >= 1 && h->type <= TZ_TYPES_MAX &&
	    h->time < TZ_FILE_MAX && h->chars < TZ_FILE_MAX &&
	    h->leap < TZ_FILE_MAX && h->isut < TZ_FILE_MAX &&
	    h->isstd < TZ_FILE_MAX;
}

/* The rest of a block: what follows the change times. */
static bool
take_block(struct tz_reader *r, const struct tz_header *h, size_t time_size,
    struct tz *z)
{
	const unsigned char *times;
	const unsigned char *indices;
	const unsigned char *types;
	const unsigned char *rest;

	if (!take(r, h->time * time_size, &times) ||
	    !take(r, h->time, &indices) || !take(r, h->type * 6, &types) ||
	    !take(r, h->chars + h->leap * (time_size + 4) + h->isstd + h->isut,
		&rest))
		return false;
	z->count = h->time;
	z->changes = mem_calloc(h->time, sizeof(z->changes[0]));
	z->offsets = mem_calloc(h->time, sizeof(z->offsets[0]));
	z->first = (int32_t)big_endian_32(types);
	for (uint32_t i = 0; i < h->time; i++) {
		z->changes[i] = time_size == 8
		    ? big_endian_64(times + (size_t)8 * i)
		    : (int32_t)big_endian_32(times + (size_t)4 * i);
		if (indices[i] >= h->type ||
		    (i > 0 && z->changes[i] <= z->changes[i - 1]))
			return false;
		z->offsets[i] =
		    (int32_t)big_endian_32(types + (size_t)6 * indices[i]);
	}
	for (uint32_t i = 0; i < h->type; i++) {
		int32_t offset = (int32_t)big_endian_32(types + (size_t)6 * i);

		if (offset < -25 * 3600 || offset > 26 * 3600)
			return false;
	}
	return true;
}

/* Steps over the 32-bit block that files of version 2 and later begin with. */
static bool
skip_block(struct tz_reader *r, const struct tz_header *h)
{
	const unsigned char *b;

	return take(r,
	    (size_t)h->time * 5 + (size_t)h->type * 6 + h->chars +
		(size_t)h->leap * 8 + h->isstd + h->isut,
	    &b);
}

/* "\n" rule "\n" (RFC 8536 3.3); an empty one says nothing. */
static bool
take_footer(struct tz_reader *r, struct tz *z)
{
	const unsigned char *end;
	char rule[128];
	size_t len;

	if (r->at == r->end || *r->at != '\n')
		return false;
	r->at++;
	end = memchr(r->at, '\n', (size_t)(r->end - r->at));
	if (end == NULL || (size_t)(end - r->at) >= sizeof(rule))
		return false;
	len = (size_t)(end - r->at);
	if (len == 0)
		return true;
	memcpy(rule, r->at, len);
	rule[len] = '\0';
	z->has_rule = tz_posix_parse(rule, &z->rule);
	return z->has_rule;
}

static struct tz *
tz_from_file(const char *data, size_t len)
{
	struct tz_reader r;
	struct tz_header h;
	struct tz *z = mem_zalloc(sizeof(*z));
	bool good;

	r.at = (const unsigned char *)data;
	r.end = r.at + len;
	good = take_header(&r, &h);
	if (good && h.version >= '2')
		good = skip_block(&r, &h) && take_header(&r, &h) &&
		    take_block(&r, &h, 8, z) && take_footer(&r, z);
	else if (good)
		good = take_block(&r, &h, 4, z);
	if (!good) {
		tz_free(z);
		return NULL;
	}
	return z;
}

static struct tz *
tz_read(const char *path, struct err *e)
{
	char *data = NULL;
	size_t len;
	struct tz *z;

	if (file_read(path, TZ_FILE_MAX, &data, &len, e) != 0)
		return NULL;
	z = tz_from_file(data, len);
	if (z == NULL)
		err_set(e, ERR_CONFIG, "%s is no time zone file", path);
	free(data);
	return z;
}

/* "Area/Place": nothing that leads out of the folder. */
static bool
name_is_valid(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= TZ_NAME_MAX && name[0] != '/' &&
	    name[len - 1] != '/' && strstr(name, "//") == NULL &&
	    strspn(name,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789_+-/") == len;
}

static struct tz *
tz_load_name(const char *name, struct err *e)
{
	const char *folder = getenv("TZDIR");
	struct buf path;
	struct tz *z = NULL;

	if (!name_is_valid(name)) {
		err_set(e, ERR_INPUT, "\"%s\" is no time zone name", name);
		return NULL;
	}
	if (strcmp(name, "UTC") == 0)
		return mem_zalloc(sizeof(*z));
	buf_init(&path, 4096);
	buf_printf(&path, "%s/%s",
	    folder != NULL && folder[0] != '\0' ? folder
						: "/usr/share/zoneinfo",
	    name);
	z = tz_read(buf_text(&path), e);
	if (z == NULL)
		err_wrap(e, "time zone %s", name);
	buf_clear(&path);
	return z;
}

/* As tzset(3) reads TZ, but what it would silently take for UTC is refused. */
static struct tz *
tz_load_own(struct err *e)
{
	const char *name = getenv("TZ");
	struct tz_posix rule;
	struct err file_error = {0};
	struct tz *z;

	if (name == NULL) {
		z = tz_read("/etc/localtime", &file_error);
		return z != NULL ? z : mem_zalloc(sizeof(*z));
	}
	if (name[0] == ':')
		name++;
	if (name[0] == '\0')
		return mem_zalloc(sizeof(*z));
	if (name[0] == '/')
		return tz_read(name, e);
	z = tz_load_name(name, &file_error);
	if (z != NULL)
		return z;
	if (!tz_posix_parse(name, &rule)) {
		err_set(e, ERR_CONFIG, "TZ: %s", file_error.text);
		return NULL;
	}
	z = mem_zalloc(sizeof(*z));
	z->has_rule = true;
	z->rule = rule;
	return z;
}

struct tz *
tz_load(const char *name, struct err *e)
{
	return name != NULL ? tz_load_name(name, e) : tz_load_own(e);
}

void
tz_free(struct tz *z)
{
	if (z == NULL)
		return;
	free(z->changes);
	free(z->offsets);
	free(z);
}

/* The number of changes at or before s. */
static size_t
changes_until(const struct tz *z, int64_t s)
{
	size_t low = 0;
	size_t high = z->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (z->changes[middle] <= s)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* From the year 10000 on, which no time of ours reaches, nothing changes. */
static const int64_t tz_end_s = INT64_C(253402300800);

static int32_t
offset_at(const struct tz *z, int64_t s)
{
	size_t n;

	if (s > tz_end_s)
		s = tz_end_s;
	n = changes_until(z, s);

	if (n == z->count && z->has_rule)
		return tz_posix_offset(&z->rule, s);
	return n > 0 ? z->offsets[n - 1] : z->first;
}

/* The first instant after s at which the offset may change. */
static int64_t
next_change(const struct tz *z, int64_t s)
{
	size_t n = changes_until(z, s);

	if (n < z->count)
		return z->changes[n];
	return z->has_rule && s < tz_end_s ? tz_posix_next(&z->rule, s)
					   : INT64_MAX;
}

static int64_t
floor_seconds(int64_t ms)
{
	return ms / 1000 - (ms % 1000 < 0);
}

int32_t
tz_offset_at(const struct tz *z, int64_t ms)
{
	return z != NULL ? offset_at(z, floor_seconds(ms)) : 0;
}

int64_t
tz_next_change(const struct tz *z, int64_t ms)
{
	int64_t s = z != NULL ? next_change(z, floor_seconds(ms)) : INT64_MAX;

	return s > INT64_MAX / 1000 ? INT64_MAX : s * 1000;
}

int64_t
tz_day_start(const struct tz *z, int year, int month, int day)
{
	const struct when_utc civil = {
	    .year = year, .month = month, .day = day};
	int64_t local_ms = when_from_utc(&civil);
	int64_t from_ms = local_ms - (int64_t)TZ_SPREAD_S * 1000;

	/* The earliest instant whose local time is not before midnight: that
	 * is the moment of the change itself when midnight is skipped. */
	for (;;) {
		int64_t next_ms = tz_next_change(z, from_ms);
		int64_t ms =
		    local_ms - (int64_t)tz_offset_at(z, from_ms) * 1000;

		if (ms < from_ms)
			ms = from_ms;
		if (ms < next_ms)
			return ms;
		from_ms = next_ms;
	}
}
