# fcgi/ - supervisor, web and sync: one program.

libexec_PROGRAMS += fcgi/outlook-addin-fcgi
fcgi_outlook_addin_fcgi_SOURCES = \
	fcgi/child.c fcgi/child.h \
	fcgi/confine.c fcgi/confine.h \
	fcgi/confine_filter.c fcgi/confine_filter.h \
	fcgi/frame.c fcgi/frame.h \
	fcgi/front.c fcgi/front.h \
	fcgi/inspect.c fcgi/inspect.h \
	fcgi/listen.c fcgi/listen.h \
	fcgi/main.c \
	fcgi/supervisor.c fcgi/supervisor.h \
	fcgi/sync_main.c fcgi/sync_main.h \
	fcgi/web.c fcgi/web.h \
	fcgi/web_accept.c fcgi/web_accept.h \
	fcgi/web_announce.c fcgi/web_announce.h \
	fcgi/web_answer.c fcgi/web_answer.h \
	fcgi/web_batch.c fcgi/web_worker.h \
	fcgi/web_commit.c fcgi/web_commit.h \
	fcgi/web_conn.c fcgi/web_conn.h \
	fcgi/web_gauges.c \
	fcgi/web_health.c \
	fcgi/web_job.c fcgi/web_job.h \
	fcgi/web_limit.c fcgi/web_limit.h \
	fcgi/web_links.c \
	fcgi/web_links_show.c fcgi/web_links_show.h \
	fcgi/web_links_store.c \
	fcgi/web_lookup.c fcgi/web_lookup.h \
	fcgi/web_loop.c fcgi/web_loop.h \
	fcgi/web_routes.c \
	fcgi/web_unknown.c \
	fcgi/web_webhook.c
fcgi_outlook_addin_fcgi_LDADD = $(LIB_ALL) $(FCGI_LIBS) $(LIB_LIBS)
