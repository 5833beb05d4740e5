/* port/config_format.h - the forms that texts in addin.json can have. */
#ifndef PORT_CONFIG_FORMAT_H
#define PORT_CONFIG_FORMAT_H

#include "port/config_option.h"

extern const struct config_format config_format_text; /* free text */
extern const struct config_format config_format_topic; /* not blank */
extern const struct config_format config_format_word; /* no blanks */
extern const struct config_format config_format_guid;
extern const struct config_format config_format_url; /* https, or loopback */
extern const struct config_format config_format_root; /* url without path */
extern const struct config_format config_format_proxy; /* any http(s) host */
extern const struct config_format config_format_authority;
extern const struct config_format config_format_endpoint;
extern const struct config_format config_format_api_path;
extern const struct config_format config_format_cron;
extern const struct config_format config_format_date; /* YYYY-MM-DD */
extern const struct config_format config_format_path; /* absolute */
extern const struct config_format config_format_socket; /* unix:PATH */
extern const struct config_format config_format_listen; /* [address:]port */
extern const struct config_format config_format_database;
extern const struct config_format config_format_frame; /* CSP host source */
extern const struct config_format config_format_network; /* IP, or CIDR */
extern const struct config_format config_format_no_proxy;
extern const struct config_format config_format_header; /* a field name */
extern const struct config_format config_format_zone; /* IANA */

/* Names of invitationTexts: "en", "de-CH". */
extern const struct config_format config_format_locale;

/* The beginning of that day in UTC (Unix ms) of a config_format_date: 0, or -1
 * when there is no such day. */
int config_date_ms(const char *text, int64_t *out_ms);

/* A GUID whose digits are all one letter each, as in examples: a value that
 * somebody has still to fill in. */
bool config_format_is_placeholder(const char *text);

/* Whether text contains a control character (C0, DEL, C1) or a line or
 * paragraph separator. */
bool config_format_has_control(const char *text);

#endif
