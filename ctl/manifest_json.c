/* ctl/manifest_json.c - the unified manifest (JSON); see manifest.h.
 *
 * Outlook on the web and on Windows only, so without the mobile surface.
 * Source: schema v1.30 of the unified manifest for Microsoft 365.
 */
#include "manifest.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define SCHEMA                                                                 \
	"https://developer.microsoft.com/json-schemas/teams/v1.30/"            \
	"MicrosoftTeams.schema.json"
#define GROUP "extensions[0].ribbons[0].tabs[0].groups[0]"

static const int icon_sizes[] = {16, 20, 24, 32, 40, 48, 64, 80, 0};

static const char *
text(int id, enum manifest_language language)
{
	return manifest_texts[id].texts[language];
}

static json_t *
public_url(const struct manifest *m, const char *path)
{
	char *url = config_public_url(m->config, path);
	json_t *out = json_string(url);

	free(url);
	return out;
}

const char *
manifest_json_name(enum manifest_language language)
{
	static const char *const names[MANIFEST_LANGUAGES] = {
	    [MANIFEST_EN] = "manifest.json",
	    [MANIFEST_DE] = "manifest.de.json",
	    [MANIFEST_FR] = "manifest.fr.json",
	    [MANIFEST_IT] = "manifest.it.json",
	};

	return names[language];
}

static json_t *
locales(void)
{
	json_t *others = json_array();

	for (int i = 0; i < MANIFEST_LOCALES; i++)
		json_array_append_new(others,
		    json_pack("{s:s,s:s}", "languageTag",
			manifest_locales[i].tag, "file",
			manifest_json_name(manifest_locales[i].language)));
	return json_pack("{s:s,s:o}", "defaultLanguageTag", "en-US",
	    "additionalLanguages", others);
}

/* ---- the buttons ---- */

static json_t *
icons(const struct manifest *m)
{
	json_t *out = json_array();
	char path[64];

	for (const int *s = icon_sizes; *s != 0; s++) {
		snprintf(path, sizeof(path), "assets/icon-%d.png", *s);
		json_array_append_new(out,
		    json_pack(
			"{s:i,s:o}", "size", *s, "url", public_url(m, path)));
	}
	return out;
}

static void
add_button(json_t *controls, const struct manifest *m, const char *id,
    const char *action, int label, int tip)
{
	json_array_append_new(controls,
	    json_pack("{s:s,s:s,s:s,s:o,s:{s:s,s:s},s:s}", "id", id, "type",
		"button", "label", text(label, MANIFEST_EN), "icons", icons(m),
		"supertip", "title", text(label, MANIFEST_EN), "description",
		text(tip, MANIFEST_EN), "actionId", action));
}

static json_t *
ribbons(const struct manifest *m)
{
	json_t *controls = json_array();

	add_button(controls, m, "unbluAddButton", "addUnbluConversation",
	    MANIFEST_ADD, MANIFEST_ADD_TIP);
	add_button(controls, m, "unbluPaneButton", "openPane", MANIFEST_PANE,
	    MANIFEST_PANE_TIP);
	if (m->config->show_debug_pane)
		add_button(controls, m, "unbluDebugButton", "openDebugPane",
		    MANIFEST_DEBUG, MANIFEST_DEBUG_TIP);
	return json_pack("[{s:[s],s:[{s:s,s:[{s:s,s:s,s:o}]}]}]", "contexts",
	    "meetingDetailsOrganizer", "tabs", "builtInTabId", "TabDefault",
	    "groups", "id", "unbluGroup", "label",
	    text(MANIFEST_GROUP, MANIFEST_EN), "controls", controls);
}

/* ---- the runtimes ---- */

static json_t *
runtime(const struct manifest *m, const char *id, const char *page,
    const char *type, const char *action)
{
	return json_pack("{s:s,s:s,s:{s:o},s:s,s:[{s:s,s:s}]}", "id", id,
	    "type", "general", "code", "page", public_url(m, page), "lifetime",
	    "short", "actions", "id", action, "type", type);
}

static json_t *
runtimes(const struct manifest *m)
{
	json_t *out = json_array();
	json_t *launch;

	json_array_append_new(out,
	    runtime(m, "commands", "commands.html", "executeFunction",
		"addUnbluConversation"));
	json_array_append_new(
	    out, runtime(m, "pane", "taskpane.html", "openPage", "openPane"));
	if (m->config->show_debug_pane)
		json_array_append_new(out,
		    runtime(m, "debug", "taskpane.html?debug=1", "openPage",
			"openDebugPane"));
	if (m->config->manifest_send_check) {
		launch = runtime(m, "launch", "launchevent.html",
		    "executeFunction", "onAppointmentSend");
		json_object_set_new(json_object_get(launch, "code"), "script",
		    public_url(m, "js/launchevent.js"));
		json_array_append_new(out, launch);
	}
	return out;
}

static json_t *
extension(const struct manifest *m)
{
	json_t *out = json_pack("{s:{s:[s],s:[{s:s,s:s}]},s:o,s:o}",
	    "requirements", "scopes", "mail", "capabilities", "name", "Mailbox",
	    "minVersion", "1.3", "runtimes", runtimes(m), "ribbons",
	    ribbons(m));

	if (m->config->manifest_send_check)
		json_object_set_new(out, "autoRunEvents",
		    json_pack("[{s:{s:[{s:s,s:s}]},s:[{s:s,s:s,s:{s:s}}]}]",
			"requirements", "capabilities", "name", "Mailbox",
			"minVersion", "1.12", "events", "type",
			"appointmentSending", "actionId", "onAppointmentSend",
			"options", "sendMode", "promptUser"));
	return out;
}

/* ---- the documents ---- */

/* What a human reads in the list of add-ins. */
static void
add_presentation(json_t *doc, const struct manifest *m)
{
	const char *name = text(MANIFEST_NAME, MANIFEST_EN);
	const char *what = text(MANIFEST_DESCRIPTION, MANIFEST_EN);

	json_object_set_new(doc, "developer",
	    json_pack("{s:s,s:s,s:s,s:s}", "name", m->provider, "websiteUrl",
		m->support_url, "privacyUrl", m->support_url, "termsOfUseUrl",
		m->support_url));
	json_object_set_new(
	    doc, "name", json_pack("{s:s,s:s}", "short", name, "full", name));
	json_object_set_new(doc, "description",
	    json_pack("{s:s,s:s}", "short", what, "full", what));
	json_object_set_new(doc, "icons",
	    json_pack("{s:s,s:s}", "outline", "assets/outline-32.png", "color",
		"assets/icon-192.png"));
	json_object_set_new(doc, "accentColor", json_string("#17808a"));
}

static void
add_document(struct buf *out, json_t *doc)
{
	char *dump = json_dumps(doc, JSON_INDENT(2));

	buf_printf(out, "%s\n", dump);
	free(dump);
	json_decref(doc);
}

void
manifest_json(const struct manifest *m, const char *version, struct buf *out)
{
	json_t *doc = json_pack("{s:s,s:s,s:s,s:s,s:o}", "$schema", SCHEMA,
	    "manifestVersion", "1.30", "version", version, "id",
	    m->config->addin_id, "localizationInfo", locales());

	add_presentation(doc, m);
	json_object_set_new(doc, "validDomains", json_pack("[s]", m->host));
	json_object_set_new(doc, "authorization",
	    json_pack("{s:{s:[{s:s,s:s}]}}", "permissions", "resourceSpecific",
		"name", "MailboxItem.ReadWrite.User", "type", "Delegated"));
	json_object_set_new(doc, "extensions", json_pack("[o]", extension(m)));
	add_document(out, doc);
}

/* The label and the tip of the n-th button. */
static void
add_button_texts(
    json_t *doc, int n, int label, int tip, enum manifest_language language)
{
	const char *const parts[] = {
	    "label", "supertip.title", "supertip.description"};
	char key[128];

	for (int i = 0; i < 3; i++) {
		snprintf(
		    key, sizeof(key), GROUP ".controls[%d].%s", n, parts[i]);
		json_object_set_new(
		    doc, key, json_string(text(i < 2 ? label : tip, language)));
	}
}

void
manifest_json_texts(
    const struct manifest *m, enum manifest_language language, struct buf *out)
{
	json_t *doc = json_object();
	json_t *name = json_string(text(MANIFEST_NAME, language));
	json_t *what = json_string(text(MANIFEST_DESCRIPTION, language));

	json_object_set(doc, "name.short", name);
	json_object_set_new(doc, "name.full", name);
	json_object_set(doc, "description.short", what);
	json_object_set_new(doc, "description.full", what);
	json_object_set_new(
	    doc, GROUP ".label", json_string(text(MANIFEST_GROUP, language)));
	add_button_texts(doc, 0, MANIFEST_ADD, MANIFEST_ADD_TIP, language);
	add_button_texts(doc, 1, MANIFEST_PANE, MANIFEST_PANE_TIP, language);
	if (m->config->show_debug_pane)
		add_button_texts(
		    doc, 2, MANIFEST_DEBUG, MANIFEST_DEBUG_TIP, language);
	add_document(out, doc);
}
