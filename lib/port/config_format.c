/* port/config_format.c - see config_format.h. */
#include "port/config_format.h"

#include <ctype.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/tz.h"
#include "base/url.h"
#include "base/when.h"
#include "port/store_replica.h"
#include "rule/cron.h"

/* "wake.sock" lies beside the FastCGI socket and must fit as well. */
enum {
	FORMAT_SOCKET_MAX = sizeof(((struct sockaddr_un *)0)->sun_path) - 10,
	FORMAT_MATCH_MAX = 2000
};

bool
config_format_is_placeholder(const char *text)
{
	if (strlen(text) != 36)
		return false;
	for (int i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : !isalpha((unsigned char)text[i]))
			return false;
	}
	return !text_is_guid(text);
}

bool
config_format_has_control(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	for (; *s != '\0'; s++) {
		if (*s < 0x20 || *s == 0x7F)
			return true;
		/* U+0080 .. U+009F, U+2028 and U+2029 in UTF-8. */
		if (s[0] == 0xC2 && s[1] >= 0x80 && s[1] < 0xA0)
			return true;
		if (s[0] == 0xE2 && s[1] == 0x80 &&
		    (s[2] == 0xA8 || s[2] == 0xA9))
			return true;
	}
	return false;
}

/* Whether text has the ERE. */
static bool
matches(const char *pattern, const char *text)
{
	regex_t re;
	bool match;

	if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	match = regexec(&re, text, 0, NULL, 0) == 0;
	regfree(&re);
	return match;
}

int
config_format_check(
    const struct config_format *f, const char *text, struct err *e)
{
	size_t len = strlen(text);

	if (config_format_has_control(text))
		return err_set(e, ERR_INPUT,
		    "must not contain control characters or line breaks");
	/* What it has to be says more than how long it may be, but nothing
	 * without bounds is given to the matcher. */
	if (f->pattern != NULL && len <= FORMAT_MATCH_MAX &&
	    !matches(f->pattern, text))
		return err_set(e, ERR_INPUT, "must be %s", f->what);
	if (len > f->max)
		return err_set(
		    e, ERR_INPUT, "must not be longer than %zu bytes", f->max);
	return f->check == NULL ? 0 : f->check(text, e);
}

int
config_date_ms(const char *text, int64_t *out_ms)
{
	char when[32];

	if (strlen(text) != strlen("2027-03-31"))
		return -1;
	snprintf(when, sizeof(when), "%sT00:00:00Z", text);
	return when_parse_iso(when, false, out_ms);
}

static int
check_date(const char *text, struct err *e)
{
	int64_t day_ms;

	if (config_date_ms(text, &day_ms) != 0)
		return err_set(e, ERR_INPUT, "there is no such day");
	return 0;
}

static char *
settle_lower(const char *text)
{
	char *out = mem_strdup(text);

	for (char *s = out; *s != '\0'; s++)
		*s = (char)tolower((unsigned char)*s);
	return out;
}

static char *
settle_url(const char *text)
{
	size_t len = strlen(text);

	while (len > 0 && text[len - 1] == '/')
		len--;
	return mem_strndup(text, len);
}

/* "/" + the endpoint without its slashes; "" for the root. */
static char *
settle_endpoint(const char *text)
{
	size_t len;
	char *out;

	while (*text == '/')
		text++;
	len = strlen(text);
	while (len > 0 && text[len - 1] == '/')
		len--;
	if (len == 0)
		return mem_strdup("");
	out = mem_zalloc(len + 2);
	out[0] = '/';
	memcpy(out + 1, text, len);
	return out;
}

static int
check_web_url(const char *text, bool path_allowed, struct err *e)
{
	struct url u = {0};
	int rc = -1;

	if (url_parse(text, &u, e) != 0)
		return -1;
	if (u.query != NULL)
		err_set(e, ERR_INPUT, "must not have a query (?)");
	else if (!path_allowed && strcmp(u.path, "/") != 0)
		err_set(e, ERR_INPUT,
		    "must not have a path: only scheme, host and port");
	else if (strcmp(u.scheme, "http") == 0 && !url_is_loopback(&u))
		err_set(e, ERR_INPUT,
		    "must begin with https:// (http:// is accepted for "
		    "loopback addresses only)");
	else
		rc = 0;
	url_clear(&u);
	return rc;
}

static int
check_url(const char *text, struct err *e)
{
	return check_web_url(text, true, e);
}

static int
check_root(const char *text, struct err *e)
{
	return check_web_url(text, false, e);
}

static int
check_proxy(const char *text, struct err *e)
{
	struct url u = {0};
	bool bare;

	if (url_parse(text, &u, e) != 0)
		return -1;
	bare = u.query == NULL && strcmp(u.path, "/") == 0;
	url_clear(&u);
	return bare ? 0
		    : err_set(e, ERR_INPUT,
			  "must be scheme, host and port only, such as "
			  "http://proxy.example.com:3128");
}

/* The original's documentation describes it as an id, so one is accepted;
 * what it says beyond "common" is never used. */
static int
check_authority(const char *text, struct err *e)
{
	if (strcmp(text, "common") == 0 || text_is_guid(text))
		return 0;
	return check_web_url(text, true, e);
}

static int
check_dots(const char *text, struct err *e)
{
	const char *s = text;

	while (*s != '\0') {
		size_t len = strcspn(s, "/");

		if ((len == 1 && s[0] == '.') ||
		    (len == 2 && s[0] == '.' && s[1] == '.'))
			return err_set(e, ERR_INPUT,
			    "must not contain the segments . and ..");
		s += len;
		s += strspn(s, "/");
	}
	return 0;
}

/* nginx has its own locations there. */
static int
check_endpoint(const char *text, struct err *e)
{
	const char *name = text + strspn(text, "/");
	size_t len = strcspn(name, "/");

	if (name[len + strspn(name + len, "/")] == '\0' &&
	    ((len == 4 && strncmp(name, "live", len) == 0) ||
		(len == 5 && strncmp(name, "ready", len) == 0)))
		return err_set(e, ERR_INPUT,
		    "must not be live or ready: these are the health routes");
	return check_dots(text, e);
}

/* Headers that the call to Unblu needs for itself. */
static int
check_header(const char *text, struct err *e)
{
	static const char *const taken[] = {"accept", "accept-encoding",
	    "authorization", "connection", "content-encoding", "content-length",
	    "content-type", "cookie", "expect", "host", "proxy-authorization",
	    "te", "trailer", "transfer-encoding", "upgrade", "user-agent",
	    NULL};

	for (int i = 0; taken[i] != NULL; i++) {
		if (strcasecmp(taken[i], text) == 0)
			return err_set(e, ERR_INPUT,
			    "must not be %s: calls to Unblu use this header",
			    taken[i]);
	}
	return 0;
}

static int
check_not_blank(const char *text, struct err *e)
{
	return text_is_visible(text)
	    ? 0
	    : err_set(e, ERR_INPUT, "must not be blank");
}

static int
check_cron(const char *text, struct err *e)
{
	struct cron cron;

	return cron_parse(text, &cron, e);
}

static int
check_socket(const char *text, struct err *e)
{
	const char *path = text + strlen("unix:");

	if (strlen(path) > FORMAT_SOCKET_MAX)
		return err_set(e, ERR_INPUT,
		    "must have a path of at most %d bytes",
		    (int)FORMAT_SOCKET_MAX);
	if (path[strlen(path) - 1] == '/')
		return err_set(e, ERR_INPUT, "must name a file, not a folder");
	return check_dots(path, e);
}

static int
check_database(const char *text, struct err *e)
{
	if (strncmp(text, "sqlite:", 7) != 0)
		return store_check_database(text, e);
	if (text[strlen(text) - 1] == '/')
		return err_set(e, ERR_INPUT, "must name a file, not a folder");
	return check_dots(text + strlen("sqlite:"), e);
}

static int
check_zone(const char *text, struct err *e)
{
	struct tz *z = tz_load(text, e);

	if (z == NULL)
		return -1;
	tz_free(z);
	return 0;
}

const struct config_format config_format_text = {
    .name = "text",
    .what = "text without control characters",
    .max = 2000,
};
const struct config_format config_format_topic = {
    .name = "text",
    .what = "text without control characters",
    .max = 2000,
    .check = check_not_blank,
};
const struct config_format config_format_word = {
    .name = "word",
    .what = "a text without blanks",
    .pattern = "^[^ ]+$",
    .max = 1000,
};
const struct config_format config_format_guid = {
    .name = "GUID",
    .what = "a GUID such as 3f2b1c9e-5a64-4c0f-9d1e-7b8a6c5d4e3f",
    .pattern = "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-"
	       "[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$",
    .max = 36,
    .settle = settle_lower,
};
const struct config_format config_format_url = {
    .name = "URL",
    .what = "an absolute URL beginning with https://",
    .pattern = "^[Hh][Tt][Tt][Pp][Ss]?://[^ ]+$",
    .max = 1000,
    .check = check_url,
    .settle = settle_url,
};
const struct config_format config_format_root = {
    .name = "URL without path",
    .what = "an absolute URL beginning with https://, without a path",
    .pattern = "^[Hh][Tt][Tt][Pp][Ss]?://[^/? ]+/?$",
    .max = 1000,
    .check = check_root,
    .settle = settle_url,
};
const struct config_format config_format_proxy = {
    .name = "proxy URL",
    .what = "a URL such as http://proxy.example.com:3128",
    .pattern = "^[Hh][Tt][Tt][Pp][Ss]?://[^/? ]+/?$",
    .max = 1000,
    .check = check_proxy,
    .settle = settle_url,
};
const struct config_format config_format_authority = {
    .name = "authority",
    .what = "\"common\" or a URL that ends in /common",
    .pattern = "^(common|[Hh][Tt][Tt][Pp][Ss]?://[^ ]+|[0-9A-Fa-f-]{36})$",
    .max = 1000,
    .check = check_authority,
};
const struct config_format config_format_endpoint = {
    .name = "URL path",
    .what = "a path such as addin: letters, digits and . _ ~ - between "
	    "single slashes, or / for none",
    .pattern = "^(/|/?[A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*/?)$",
    .max = 200,
    .check = check_endpoint,
    .settle = settle_endpoint,
};
const struct config_format config_format_api_path = {
    .name = "URL path",
    .what = "a path such as /app/rest/v4",
    .pattern = "^(/|/?[A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*/?)$",
    .max = 200,
    .check = check_dots,
    .settle = settle_endpoint,
};
const struct config_format config_format_cron = {
    .name = "cron expression",
    .what = "a cron expression of five fields",
    .max = 200,
    .check = check_cron,
};
const struct config_format config_format_path = {
    .name = "absolute path",
    .what = "an absolute path, beginning with /",
    .pattern = "^/",
    .max = 1000,
};
const struct config_format config_format_socket = {
    .name = "socket",
    .what = "unix: and an absolute path of letters, digits and . _ + - /",
    .pattern = "^unix:/[A-Za-z0-9._+/-]+$",
    .max = 200,
    .check = check_socket,
};
const struct config_format config_format_database = {
    .name = "database",
    .what = "sqlite: and an absolute path, or a postgresql:// URL",
    .pattern = "^(sqlite:/.+|postgres(ql)?://.+)$",
    .max = 1000,
    .check = check_database,
};
const struct config_format config_format_frame = {
    .name = "origin",
    .what = "an origin such as https://outlook.office.com or "
	    "https://*.example.com",
    .pattern = "^https://([*][.])?[A-Za-z0-9-]+([.][A-Za-z0-9-]+)*"
	       "(:[0-9]{1,5})?$",
    .max = 300,
};
const struct config_format config_format_header = {
    .name = "header name",
    .what = "the name of an HTTP header: letters, digits and -",
    .pattern = "^[A-Za-z0-9-]+$",
    .max = 64,
    .check = check_header,
};
const struct config_format config_format_zone = {
    .name = "time zone",
    .what = "an IANA time zone such as Europe/Zurich",
    .pattern = "^[A-Za-z0-9._+-]+(/[A-Za-z0-9._+-]+)*$",
    .max = 64,
    .check = check_zone,
};
const struct config_format config_format_date = {
    .name = "date",
    .what = "a date such as 2027-03-31",
    .pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    .max = 10,
    .check = check_date,
};
const struct config_format config_format_locale = {
    .name = "locale",
    .what = "a language such as en or de-CH",
    .pattern = "^[a-z]{2,3}(-[A-Z]{2})?$",
    .max = 6,
};
