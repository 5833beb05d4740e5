/* ctl/systemd.c - see systemd.h. */
#include "systemd.h"

#include <stdint.h>
#include <string.h>

#include "crontab.h"

static void
add_event(
    struct buf *out, const struct cron *c, uint32_t days, uint8_t weekdays)
{
	static const char *const names[] = {
	    "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

	buf_puts(out, "OnCalendar=");
	if ((weekdays & 0x7F) != 0x7F) {
		crontab_add_field(out, weekdays, 0, 6, 1, names);
		buf_putc(out, ' ');
	}
	buf_puts(out, "*-");
	crontab_add_field(out, c->months, 1, 12, 2, NULL);
	buf_putc(out, '-');
	crontab_add_field(out, days, 1, 31, 2, NULL);
	buf_putc(out, ' ');
	crontab_add_field(out, c->hours, 0, 23, 2, NULL);
	buf_putc(out, ':');
	crontab_add_field(out, c->minutes, 0, 59, 2, NULL);
	buf_puts(out, ":00\n");
}

void
systemd_write_calendar(struct buf *out, const struct cron *c)
{
	bool either = !c->day_star && !c->weekday_star;

	/* cron: when both are restricted one of them is enough. */
	add_event(out, c, c->days, either ? 0x7F : c->weekdays);
	if (either)
		add_event(out, c, UINT32_MAX, c->weekdays);
}

/* A word of ExecStart=, see systemd.service(5): % and $ are special even in
 * quotes. */
static void
add_word(struct buf *out, const char *word)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz"
				    "0123456789_./:=@,+-";
	bool quote = word[0] == '\0' || word[strspn(word, plain)] != '\0';

	if (quote)
		buf_putc(out, '"');
	for (; *word != '\0'; word++) {
		if (*word == '"' || *word == '\\')
			buf_putc(out, '\\');
		if (*word == '%' || *word == '$')
			buf_putc(out, *word);
		buf_putc(out, *word);
	}
	if (quote)
		buf_putc(out, '"');
}

void
systemd_write_units(struct buf *out, const struct cron *cron,
    const char *program, const char *config, const char *database,
    bool by_secret)
{
	buf_puts(out,
	    "# outlook-addin-renew.service\n"
	    "# User= has to be the user that runs outlook-addin-fcgi");
	buf_puts(out,
	    by_secret ? "; LoadCredential= names\n"
			"# the file with the client secret.\n"
		      : ".\n");
	buf_puts(out,
	    "[Unit]\n"
	    "Description=Renew the calendar subscriptions of the Outlook "
	    "add-in\n"
	    "Wants=network-online.target\n"
	    "After=network-online.target\n"
	    "\n"
	    "[Service]\n"
	    "Type=oneshot\n"
	    "User=outlook-addin\n");
	if (by_secret)
		buf_puts(out,
		    "LoadCredential=CLIENT_SECRET:"
		    "/etc/outlook-addin/CLIENT_SECRET\n");
	buf_puts(out, "ExecStart=");
	add_word(out, program);
	buf_puts(out, " --config ");
	add_word(out, config);
	if (database != NULL) {
		buf_puts(out, " --database ");
		add_word(out, database);
	}
	buf_puts(out,
	    "\n\n"
	    "# outlook-addin-renew.timer\n"
	    "[Unit]\n"
	    "Description=Renew the calendar subscriptions of the Outlook "
	    "add-in\n"
	    "\n"
	    "[Timer]\n");
	systemd_write_calendar(out, cron);
	buf_puts(out,
	    "AccuracySec=1s\n"
	    "Persistent=true\n"
	    "\n"
	    "[Install]\n"
	    "WantedBy=timers.target\n");
}
