/* port/config.c - see config.h. */
#include "port/config.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/url.h"
#include "port/config_option.h"
#include "port/config_report.h"
#include "port/config_secret.h"
#include "port/config_settle.h"
#include "port/config_value.h"

enum { CONFIG_FILE_MAX = 1 << 20 };

/* Where it is looked for when nobody says; the last two are the original's. */
static const char *const config_places[] = {
    "/etc/outlook-addin/addin.json",
    "/home/node/app/addin/configuration/addin.json",
    "/home/node/app/addin/config/addin.json",
};

enum { PLACE_COUNT = sizeof(config_places) / sizeof(config_places[0]) };

/* The file to read, or NULL when there is none. Borrowed. */
static const char *
find_file(const struct config_override *over, struct config_report *r)
{
	const char *env = getenv("OUTLOOK_ADDIN_CONFIG");

	if (over != NULL && over->path != NULL)
		return over->path;
	if (env != NULL && env[0] != '\0')
		return env;
	for (int i = 0; i < PLACE_COUNT; i++) {
		/* A file that exists but may not be read is ours to report. */
		if (access(config_places[i], F_OK) == 0 || errno == EACCES)
			return config_places[i];
	}
	config_problem(r, "$",
	    "no configuration found: give --config FILE, set "
	    "OUTLOOK_ADDIN_CONFIG, or make %s (also looked for: %s, %s)",
	    config_places[0], config_places[1], config_places[2]);
	return NULL;
}

/* The document, an object; NULL when it could not be read. */
static json_t *
read_document(const char *path, struct config_report *r)
{
	struct err e = {0};
	json_t *doc = NULL;
	char *text = NULL;
	size_t len = 0;

	if (file_read(path, CONFIG_FILE_MAX, &text, &len, &e) != 0) {
		config_problem(r, "$", "%s", e.text);
		return NULL;
	}
	if (strspn(text, " \t\r\n") == len)
		config_problem(r, "$", "the file is empty");
	else if (strncmp(text, "\xEF\xBB\xBF", 3) == 0)
		config_problem(r, "$",
		    "line 1 column 1: the file begins with a byte order mark; "
		    "save it as UTF-8 without one");
	else if ((doc = json_load_strict(text, len, &e)) == NULL)
		config_problem(r, "$", "%s", e.text);
	free(text);
	if (doc != NULL && !json_is_object(doc)) {
		config_problem(r, "$", "must be an object: { ... }");
		json_decref(doc);
		doc = NULL;
	}
	return doc;
}

static void
report_unknown(const char *key, struct config_report *r)
{
	const struct config_option *near = config_option_near(key);
	char path[CONFIG_PATH_MAX];

	config_path(path, key);
	if (config_secret_is_name(key))
		config_problem(r, path,
		    "secrets do not belong into this file: give them in the "
		    "environment");
	else if (near != NULL)
		config_problem(
		    r, path, "unknown key; did you mean %s?", near->key);
	else if (r->strict)
		config_problem(r, path, "unknown key");
	else
		config_warning(r, path, "unknown key, ignored");
}

/* Every member of the document; seen is per option of the table. */
static void
read_members(json_t *doc, struct config *c, bool *seen, struct config_report *r)
{
	const char *key;
	json_t *value;

	json_object_foreach(doc, key, value)
	{
		const struct config_option *o = config_option_find(key);
		char path[CONFIG_PATH_MAX];

		if (strcmp(key, "$schema") == 0)
			continue; /* for editors */
		if (o == NULL) {
			report_unknown(key, r);
			continue;
		}
		seen[o - config_options] = true;
		config_path(path, key);
		if (!config_value_read(o, value, path, c, r))
			r->refused[o - config_options] = true;
	}
}

static void
fill_defaults(struct config *c, const bool *seen, struct config_report *r)
{
	for (size_t i = 0; i < config_option_count; i++) {
		const struct config_option *o = &config_options[i];
		char path[CONFIG_PATH_MAX];

		config_path(path, o->key);
		if (!seen[i] && (o->flags & CONFIG_REQUIRED) != 0)
			config_problem(r, path, "is required%s%s",
			    o->source == NULL ? "" : ": give ",
			    o->source == NULL ? "" : o->source);
		if (!seen[i] || r->refused[i])
			config_value_default(o, c);
	}
}

/* A value from the command line or the environment takes the file's place. */
static void
apply_override(const char *key, const char *option, const char *value,
    struct config *c, struct config_report *r)
{
	const struct config_option *o = config_option_find(key);
	json_t *v;

	if (value == NULL)
		return;
	v = json_string(value);
	config_value_clear(o, c);
	if (v == NULL)
		config_problem(r, option, "must be UTF-8");
	if (v == NULL || !config_value_read(o, v, option, c, r)) {
		r->refused[o - config_options] = true;
		config_value_default(o, c);
	}
	json_decref(v);
}

/* Its value, NULL for none or an empty one. */
static const char *
set_variable(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

static void
load_document(json_t *doc, const struct config_override *over, unsigned roles,
    struct config *c, struct config_report *r)
{
	bool *seen = mem_calloc(config_option_count, sizeof(seen[0]));

	r->refused = mem_calloc(config_option_count, sizeof(r->refused[0]));
	read_members(doc, c, seen, r);
	fill_defaults(c, seen, r);
	if (over == NULL || over->database == NULL)
		apply_override("database", "OUTLOOK_ADDIN_DATABASE",
		    set_variable("OUTLOOK_ADDIN_DATABASE"), c, r);
	if (over != NULL) {
		apply_override("database", "--database", over->database, c, r);
		apply_override("fastcgiListen", "--listen", over->listen, c, r);
	}
	config_settle(c, roles, r);
	config_secrets_read(c, roles, r);
	free(r->refused);
	free(seen);
}

int
config_load(const struct config_override *over, unsigned roles,
    struct config *out, struct buf *problems, struct buf *warnings,
    struct err *e)
{
	struct config_report r = {.problems = problems,
	    .warnings = warnings,
	    .strict = over != NULL && over->strict};
	struct config c = {0};
	json_t *doc = NULL;
	const char *path = find_file(over, &r);

	if (path != NULL)
		doc = read_document(path, &r);
	if (doc != NULL) {
		c.path = mem_strdup(path);
		load_document(doc, over, roles, &c, &r);
	}
	json_decref(doc);
	if (r.problem_count > 0) {
		config_clear(&c);
		return err_set(e, ERR_CONFIG, "%s: %d mistake%s",
		    path == NULL ? "configuration" : path, r.problem_count,
		    r.problem_count == 1 ? "" : "s");
	}
	*out = c;
	return 0;
}

void
config_clear(struct config *c)
{
	for (size_t i = 0; i < config_option_count; i++)
		config_value_clear(&config_options[i], c);
	secret_free(c->client_secret);
	secret_free(c->gateway_secret);
	free(c->client_secret_file);
	free(c->gateway_secret_file);
	free(c->unblu_api_url);
	free(c->path);
	free(c->run_dir);
	free(c->wake_path);
	memset(c, 0, sizeof(*c));
}

int
config_tenant_index(const struct config *c, const char *tenant)
{
	for (size_t i = 0; i < c->tenant_ids.count; i++) {
		if (strcmp(c->tenant_ids.items[i], tenant) == 0)
			return (int)i;
	}
	return -1;
}

char *
config_public_url(const struct config *c, const char *path)
{
	char *base = url_join(c->deployment_url, c->base);
	char *out = url_join(base, path);

	free(base);
	return out;
}
