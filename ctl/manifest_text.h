/* ctl/manifest_text.h - what the manifests say to people, in four languages. */
#ifndef CTL_MANIFEST_TEXT_H
#define CTL_MANIFEST_TEXT_H

#include <stdbool.h>

enum manifest_language {
	MANIFEST_EN,
	MANIFEST_DE,
	MANIFEST_FR,
	MANIFEST_IT,
	MANIFEST_LANGUAGES
};

enum manifest_text_id {
	MANIFEST_NAME,
	MANIFEST_DESCRIPTION,
	MANIFEST_GROUP,
	MANIFEST_ADD,
	MANIFEST_ADD_TIP,
	MANIFEST_PANE,
	MANIFEST_PANE_TIP,
	MANIFEST_DEBUG,
	MANIFEST_DEBUG_TIP,
	MANIFEST_TEXTS
};

struct manifest_text {
	const char *id; /* of the resource; NULL: none */
	bool is_long; /* up to 250 characters instead of 125 (label: 32) */
	const char *texts[MANIFEST_LANGUAGES];
};

extern const struct manifest_text manifest_texts[MANIFEST_TEXTS];

/* A full tag for each place: a language alone is not understood everywhere.
 * English is the default and not among them. */
struct manifest_locale {
	const char *tag;
	enum manifest_language language;
};

enum { MANIFEST_LOCALES = 7 };
extern const struct manifest_locale manifest_locales[MANIFEST_LOCALES];

#endif
