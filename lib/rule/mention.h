/* rule/mention.h - does a text mention a conversation? Pure. */
#ifndef RULE_MENTION_H
#define RULE_MENTION_H

#include <stdbool.h>

/*
 * Whether text (plain or HTML, in any disguise that links go through: HTML
 * entities, percent-encoding, also one inside the other as link scanners write
 * it, line breaks inside) has link or conversation in it, in any case. Either
 * may be "": not looked for. When in doubt it says yes.
 */
bool
mention_is_in(const char *text, const char *link, const char *conversation);

#endif
