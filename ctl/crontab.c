/* ctl/crontab.c - see crontab.h. */
#include "crontab.h"

#include <string.h>

/* A word for sh; cron itself turns an unescaped % into a new line. */
static void
add_word(struct buf *out, const char *word)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz"
				    "0123456789_./:=@,+-";
	bool quote = word[0] == '\0' || word[strspn(word, plain)] != '\0';

	if (quote)
		buf_putc(out, '\'');
	for (; *word != '\0'; word++) {
		if (*word == '\'')
			buf_puts(out, "'\\''");
		else if (*word == '%')
			buf_puts(out, "'\\%'");
		else
			buf_putc(out, *word);
	}
	if (quote)
		buf_putc(out, '\'');
}

void
crontab_write(struct buf *out, const char *schedule, const char *program,
    const char *config, const char *database)
{
	buf_puts(out,
	    "# Renews the calendar subscriptions; for crontab(1) of the user "
	    "that runs\n"
	    "# outlook-addin-fcgi. A line CLIENT_SECRET_FILE=/path in front "
	    "names the secret.\n");
	buf_printf(out, "%s ", schedule);
	add_word(out, program);
	buf_puts(out, " --config ");
	add_word(out, config);
	if (database != NULL) {
		buf_puts(out, " --database ");
		add_word(out, database);
	}
	buf_putc(out, '\n');
}

void
crontab_add_field(struct buf *out, uint64_t bits, int low, int high, int width,
    const char *const *names)
{
	uint64_t all = 0;
	const char *sep = "";

	for (int i = low; i <= high; i++)
		all |= UINT64_C(1) << i;
	if ((bits & all) == all) {
		buf_putc(out, '*');
		return;
	}
	for (int i = low; i <= high; i++) {
		if ((bits & (UINT64_C(1) << i)) == 0)
			continue;
		if (names != NULL)
			buf_printf(out, "%s%s", sep, names[i]);
		else
			buf_printf(out, "%s%0*d", sep, width, i);
		sep = ",";
	}
}
