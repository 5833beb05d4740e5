/* ctl/manifest_xml.c - the add-in-only manifest (XML); see manifest.h.
 *
 * The order of elements matters everywhere. VersionOverrides 1.1 replaces 1.0
 * in the clients that know it, so Hosts and Resources are in both.
 * Source: reference pages of the manifest elements at learn.microsoft.com,
 * [MS-OWEMXML].
 */
#include "manifest.h"

#include <stdio.h>
#include <stdlib.h>

#include "xml.h"

#define OVERRIDES "http://schemas.microsoft.com/office/mailappversionoverrides"

static const int icon_sizes[] = {16, 20, 24, 32, 40, 48, 64, 80, 0};
/* For each of 25, 32 and 48: once, twice and three times. */
static const int mobile_sizes[] = {25, 32, 48, 0};
static const int mobile_pixels[] = {25, 32, 48, 50, 64, 75, 96, 144, 0};

/* An element whose value is a URL of the add-in. */
static void
add_url(struct xml *x, const struct manifest *m, const char *tag,
    const char *id, const char *path)
{
	char *url = config_public_url(m->config, path);

	if (id == NULL)
		xml_leaf(x, tag, NULL, "DefaultValue", url, NULL);
	else
		xml_leaf(x, tag, NULL, "id", id, "DefaultValue", url, NULL);
	free(url);
}

/* An element with a text of its own for each language. */
static void
add_text(
    struct xml *x, const char *tag, const char *prefix, int text, bool with_id)
{
	const struct manifest_text *t = &manifest_texts[text];
	char override[32];

	if (with_id)
		xml_open(x, tag, "id", t->id, "DefaultValue",
		    t->texts[MANIFEST_EN], NULL);
	else
		xml_open(x, tag, "DefaultValue", t->texts[MANIFEST_EN], NULL);
	snprintf(override, sizeof(override), "%sOverride", prefix);
	for (int i = 0; i < MANIFEST_LOCALES; i++)
		xml_leaf(x, override, NULL, "Locale", manifest_locales[i].tag,
		    "Value", t->texts[manifest_locales[i].language], NULL);
	xml_close(x, tag);
}

/* ---- the buttons ---- */

static void
add_icon(struct xml *x)
{
	char size[12], id[24];

	xml_open(x, "Icon", NULL);
	for (const int *s = icon_sizes; *s != 0; s++) {
		snprintf(size, sizeof(size), "%d", *s);
		snprintf(id, sizeof(id), "Icon.%d", *s);
		xml_leaf(x, "bt:Image", NULL, "size", size, "resid", id, NULL);
	}
	xml_close(x, "Icon");
}

/* Opens a button up to its action. */
static void
open_button(struct xml *x, const char *id, int label, int tip)
{
	const char *label_id = manifest_texts[label].id;

	xml_open(x, "Control", "xsi:type", "Button", "id", id, NULL);
	xml_leaf(x, "Label", NULL, "resid", label_id, NULL);
	xml_open(x, "Supertip", NULL);
	xml_leaf(x, "Title", NULL, "resid", label_id, NULL);
	xml_leaf(x, "Description", NULL, "resid", manifest_texts[tip].id, NULL);
	xml_close(x, "Supertip");
	add_icon(x);
}

static void
add_function(struct xml *x)
{
	xml_open(x, "Action", "xsi:type", "ExecuteFunction", NULL);
	xml_leaf(x, "FunctionName", "addUnbluConversation", NULL);
	xml_close(x, "Action");
	xml_close(x, "Control");
}

static void
add_pane(struct xml *x, const char *url_id)
{
	xml_open(x, "Action", "xsi:type", "ShowTaskpane", NULL);
	xml_leaf(x, "SourceLocation", NULL, "resid", url_id, NULL);
	xml_close(x, "Action");
	xml_close(x, "Control");
}

/* One function button: Outlook has no more in an organizer's form. */
static void
add_ribbon(struct xml *x, const struct manifest *m)
{
	xml_open(x, "ExtensionPoint", "xsi:type",
	    "AppointmentOrganizerCommandSurface", NULL);
	xml_open(x, "OfficeTab", "id", "TabDefault", NULL);
	xml_open(x, "Group", "id", "unbluGroup", NULL);
	xml_leaf(
	    x, "Label", NULL, "resid", manifest_texts[MANIFEST_GROUP].id, NULL);
	open_button(x, "unbluAddButton", MANIFEST_ADD, MANIFEST_ADD_TIP);
	add_function(x);
	open_button(x, "unbluPaneButton", MANIFEST_PANE, MANIFEST_PANE_TIP);
	add_pane(x, "Taskpane.Url");
	if (m->config->show_debug_pane) {
		open_button(
		    x, "unbluDebugButton", MANIFEST_DEBUG, MANIFEST_DEBUG_TIP);
		add_pane(x, "Debug.Url");
	}
	xml_close(x, "Group");
	xml_close(x, "OfficeTab");
	xml_close(x, "ExtensionPoint");
}

static void
add_mobile(struct xml *x)
{
	char size[12], scale[12], id[24];

	xml_open(x, "MobileFormFactor", NULL);
	xml_leaf(x, "FunctionFile", NULL, "resid", "Commands.Url", NULL);
	xml_open(x, "ExtensionPoint", "xsi:type",
	    "MobileOnlineMeetingCommandSurface", NULL);
	xml_open(x, "Control", "xsi:type", "MobileButton", "id",
	    "unbluMobileButton", NULL);
	xml_leaf(
	    x, "Label", NULL, "resid", manifest_texts[MANIFEST_ADD].id, NULL);
	xml_open(x, "Icon", "xsi:type", "bt:MobileIconList", NULL);
	for (const int *s = mobile_sizes; *s != 0; s++) {
		for (int times = 1; times <= 3; times++) {
			snprintf(size, sizeof(size), "%d", *s);
			snprintf(scale, sizeof(scale), "%d", times);
			snprintf(id, sizeof(id), "Mobile.%d", *s * times);
			xml_leaf(x, "bt:Image", NULL, "size", size, "scale",
			    scale, "resid", id, NULL);
		}
	}
	xml_close(x, "Icon");
	add_function(x);
	xml_close(x, "ExtensionPoint");
	xml_close(x, "MobileFormFactor");
}

/* ---- the send-time check ---- */

static void
add_runtime(struct xml *x)
{
	xml_open(x, "Runtimes", NULL);
	xml_open(x, "Runtime", "resid", "Launch.Url", NULL);
	xml_leaf(x, "Override", NULL, "type", "javascript", "resid",
	    "Launch.Js", NULL);
	xml_close(x, "Runtime");
	xml_close(x, "Runtimes");
}

static void
add_send_check(struct xml *x)
{
	xml_open(x, "ExtensionPoint", "xsi:type", "LaunchEvent", NULL);
	xml_open(x, "LaunchEvents", NULL);
	xml_leaf(x, "LaunchEvent", NULL, "Type", "OnAppointmentSend",
	    "FunctionName", "onAppointmentSend", "SendMode", "PromptUser",
	    NULL);
	xml_close(x, "LaunchEvents");
	xml_leaf(x, "SourceLocation", NULL, "resid", "Launch.Url", NULL);
	xml_close(x, "ExtensionPoint");
}

/* ---- the resources ---- */

static void
add_images(struct xml *x, const struct manifest *m, const char *kind,
    const char *file, const int *sizes)
{
	char id[24], path[64];

	for (const int *s = sizes; *s != 0; s++) {
		snprintf(id, sizeof(id), "%s.%d", kind, *s);
		snprintf(path, sizeof(path), "assets/%s-%d.png", file, *s);
		add_url(x, m, "bt:Image", id, path);
	}
}

static void
add_strings(
    struct xml *x, const struct manifest *m, const char *tag, bool of_long)
{
	xml_open(x, tag, NULL);
	for (int i = 0; i < MANIFEST_TEXTS; i++) {
		bool debug = i == MANIFEST_DEBUG || i == MANIFEST_DEBUG_TIP;

		if (manifest_texts[i].id != NULL &&
		    manifest_texts[i].is_long == of_long &&
		    (!debug || m->config->show_debug_pane))
			add_text(x, "bt:String", "bt:", i, true);
	}
	xml_close(x, tag);
}

static void
add_resources(struct xml *x, const struct manifest *m, bool whole)
{
	const struct config *c = m->config;

	xml_open(x, "Resources", NULL);
	xml_open(x, "bt:Images", NULL);
	add_images(x, m, "Icon", "icon", icon_sizes);
	if (whole && c->manifest_mobile)
		add_images(x, m, "Mobile", "mobile", mobile_pixels);
	xml_close(x, "bt:Images");
	xml_open(x, "bt:Urls", NULL);
	add_url(x, m, "bt:Url", "Commands.Url", "commands.html");
	add_url(x, m, "bt:Url", "Taskpane.Url", "taskpane.html");
	if (c->show_debug_pane)
		add_url(x, m, "bt:Url", "Debug.Url", "taskpane.html?debug=1");
	if (whole && c->manifest_send_check) {
		add_url(x, m, "bt:Url", "Launch.Url", "launchevent.html");
		add_url(x, m, "bt:Url", "Launch.Js", "js/launchevent.js");
	}
	xml_close(x, "bt:Urls");
	add_strings(x, m, "bt:ShortStrings", false);
	add_strings(x, m, "bt:LongStrings", true);
	xml_close(x, "Resources");
}

/* ---- the document ---- */

static void
add_requirements(struct xml *x)
{
	xml_open(x, "Requirements", NULL);
	xml_open(x, "bt:Sets", "DefaultMinVersion", "1.3", NULL);
	xml_leaf(x, "bt:Set", NULL, "Name", "Mailbox", NULL);
	xml_close(x, "bt:Sets");
	xml_close(x, "Requirements");
}

static void
add_hosts(struct xml *x, const struct manifest *m, bool whole)
{
	const struct config *c = m->config;

	xml_open(x, "Hosts", NULL);
	xml_open(x, "Host", "xsi:type", "MailHost", NULL);
	if (whole && c->manifest_send_check)
		add_runtime(x);
	xml_open(x, "DesktopFormFactor", NULL);
	if (whole)
		xml_leaf(x, "SupportsSharedFolders", "true", NULL);
	xml_leaf(x, "FunctionFile", NULL, "resid", "Commands.Url", NULL);
	add_ribbon(x, m);
	if (whole && c->manifest_send_check)
		add_send_check(x);
	xml_close(x, "DesktopFormFactor");
	if (whole && c->manifest_mobile)
		add_mobile(x);
	xml_close(x, "Host");
	xml_close(x, "Hosts");
}

static void
add_overrides(struct xml *x, const struct manifest *m)
{
	xml_open(x, "VersionOverrides", "xmlns", OVERRIDES, "xsi:type",
	    "VersionOverridesV1_0", NULL);
	add_requirements(x);
	add_hosts(x, m, false);
	add_resources(x, m, false);
	xml_open(x, "VersionOverrides", "xmlns", OVERRIDES "/1.1", "xsi:type",
	    "VersionOverridesV1_1", NULL);
	add_requirements(x);
	add_hosts(x, m, true);
	add_resources(x, m, true);
	xml_close(x, "VersionOverrides");
	xml_close(x, "VersionOverrides");
}

/* For clients without VersionOverrides: the pane alone. */
static void
add_base(struct xml *x, const struct manifest *m)
{
	xml_open(x, "AppDomains", NULL);
	xml_leaf(x, "AppDomain", m->origin, NULL);
	xml_leaf(x, "AppDomain", m->login_origin, NULL);
	xml_close(x, "AppDomains");
	xml_open(x, "Hosts", NULL);
	xml_leaf(x, "Host", NULL, "Name", "Mailbox", NULL);
	xml_close(x, "Hosts");
	xml_open(x, "Requirements", NULL);
	xml_open(x, "Sets", NULL);
	xml_leaf(x, "Set", NULL, "Name", "Mailbox", "MinVersion", "1.3", NULL);
	xml_close(x, "Sets");
	xml_close(x, "Requirements");
	xml_open(x, "FormSettings", NULL);
	xml_open(x, "Form", "xsi:type", "ItemEdit", NULL);
	xml_open(x, "DesktopSettings", NULL);
	add_url(x, m, "SourceLocation", NULL, "taskpane.html");
	xml_close(x, "DesktopSettings");
	xml_close(x, "Form");
	xml_close(x, "FormSettings");
	xml_leaf(x, "Permissions", "ReadWriteItem", NULL);
	xml_leaf(x, "Rule", NULL, "xsi:type", "ItemIs", "ItemType",
	    "Appointment", "FormType", "Edit", NULL);
	xml_leaf(x, "DisableEntityHighlighting", "false", NULL);
}

void
manifest_xml(const struct manifest *m, const char *version, struct buf *out)
{
	struct xml x;

	xml_begin(&x, out);
	xml_open(&x, "OfficeApp", "xmlns",
	    "http://schemas.microsoft.com/office/appforoffice/1.1", "xmlns:xsi",
	    "http://www.w3.org/2001/XMLSchema-instance", "xmlns:bt",
	    "http://schemas.microsoft.com/office/officeappbasictypes/1.0",
	    "xsi:type", "MailApp", NULL);
	xml_leaf(&x, "Id", m->config->addin_id, NULL);
	xml_leaf(&x, "Version", version, NULL);
	xml_leaf(&x, "ProviderName", m->provider, NULL);
	xml_leaf(&x, "DefaultLocale", "en-US", NULL);
	add_text(&x, "DisplayName", "", MANIFEST_NAME, false);
	add_text(&x, "Description", "", MANIFEST_DESCRIPTION, false);
	add_url(&x, m, "IconUrl", NULL, "assets/icon-64.png");
	add_url(&x, m, "HighResolutionIconUrl", NULL, "assets/icon-128.png");
	xml_leaf(&x, "SupportUrl", NULL, "DefaultValue", m->support_url, NULL);
	add_base(&x, m);
	add_overrides(&x, m);
	xml_close(&x, "OfficeApp");
}
