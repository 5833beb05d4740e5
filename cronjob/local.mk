# cronjob/ - the renewal program.

bin_PROGRAMS += cronjob/outlook-addin-renew
cronjob_outlook_addin_renew_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/cronjob
cronjob_outlook_addin_renew_SOURCES = cronjob/main.c \
	cronjob/adoption.c cronjob/adoption.h \
	cronjob/crew.c cronjob/crew.h \
	cronjob/pass.c cronjob/pass.h \
	cronjob/summary.c cronjob/summary.h \
	cronjob/target.c cronjob/target.h \
	cronjob/tell.c cronjob/tell.h \
	cronjob/tenants.c cronjob/tenants.h \
	cronjob/upkeep.c cronjob/upkeep.h
cronjob_outlook_addin_renew_LDADD = $(LIB_ALL) $(LIB_LIBS)
