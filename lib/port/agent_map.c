/* port/agent_map.c - see agent_map.h. */
#include "port/agent_map.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

enum { AGENT_MAP_MAX = 4 << 20, AGENT_SHOWN = 60 };

struct agent_map {
	json_t *names; /* by lower-case key */
};

bool
agent_name_is_fit(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len >= AGENT_NAME_MAX || name[0] == ' ' ||
	    name[len - 1] == ' ')
		return false;
	for (size_t i = 0; i < len; i++)
		if (name[i] < 0x20 || name[i] > 0x7E)
			return false;
	return true;
}

/* Yours. */
static char *
agent_key(const char *text)
{
	char *out = mem_strdup(text);

	for (char *at = out; *at != '\0'; at++)
		*at = (char)tolower((unsigned char)*at);
	return out;
}

static int
agent_map_add(
    struct agent_map *m, const char *name, json_t *value, struct err *e)
{
	int shown = (int)text_cut_bytes(name, AGENT_SHOWN);
	const char *text = json_string_value(value);
	char *key;
	int rc = -1;

	if (text == NULL || !agent_name_is_fit(text))
		return err_set(e, ERR_CONFIG,
		    "the name of %.*s must be a text of 1 to %d printable "
		    "ASCII characters",
		    shown, name, AGENT_NAME_MAX - 1);
	key = agent_key(name);
	if (key[0] == '\0' || json_object_get(m->names, key) != NULL)
		err_set(e, ERR_CONFIG, "%.*s stands there twice, or is empty",
		    shown, name);
	else
		rc = json_object_set(m->names, key, value);
	free(key);
	return rc;
}

static int
agent_map_fill(struct agent_map *m, json_t *doc, struct err *e)
{
	const char *name;
	json_t *value;

	if (!json_is_object(doc))
		return err_set(e, ERR_CONFIG, "must be an object: { ... }");
	json_object_foreach(doc, name, value)
	{
		if (agent_map_add(m, name, value, e) != 0)
			return -1;
	}
	return 0;
}

struct agent_map *
agent_map_read(const char *path, struct err *e)
{
	struct agent_map *m = NULL;
	json_t *doc = NULL;
	char *text = NULL;
	size_t len = 0;

	if (file_read(path, AGENT_MAP_MAX, &text, &len, e) != 0)
		goto out;
	m = mem_zalloc(sizeof(*m));
	m->names = json_object();
	doc = json_load_strict(text, len, e);
	if (doc == NULL || agent_map_fill(m, doc, e) != 0) {
		agent_map_free(m);
		m = NULL;
		err_wrap(e, "%s", path);
	}
out:
	if (m == NULL && e != NULL)
		e->code = ERR_CONFIG;
	json_decref(doc);
	free(text);
	return m;
}

void
agent_map_free(struct agent_map *m)
{
	if (m == NULL)
		return;
	json_decref(m->names);
	free(m);
}

size_t
agent_map_count(const struct agent_map *m)
{
	return m != NULL ? json_object_size(m->names) : 0;
}

const char *
agent_map_find(const struct agent_map *m, const char *key)
{
	const char *found;
	char *lower;

	if (m == NULL)
		return NULL;
	lower = agent_key(key);
	found = json_str(m->names, lower);
	free(lower);
	return found;
}
