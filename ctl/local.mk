# ctl/ - the operator's tool.


# Everything but main(), so that tests and fuzz targets can link it.
noinst_LIBRARIES += ctl/libctl.a
ctl_libctl_a_CPPFLAGS = $(AM_CPPFLAGS) $(ZLIB_CFLAGS) -DBINDIR='"$(bindir)"'
ctl_libctl_a_SOURCES = \
	ctl/audit.c \
	ctl/backup.c \
	ctl/check.c \
	ctl/crontab.c ctl/crontab.h \
	ctl/ctl.c ctl/ctl.h \
	ctl/dead.c \
	ctl/deletion.c \
	ctl/doctor.c ctl/doctor.h \
	ctl/doctor_graph.c \
	ctl/doctor_local.c \
	ctl/doctor_peers.c \
	ctl/fcgi_client.c ctl/fcgi_client.h \
	ctl/forget.c \
	ctl/health.c \
	ctl/keys.c ctl/keys.h \
	ctl/kubernetes.c ctl/kubernetes.h \
	ctl/listing.c ctl/listing.h \
	ctl/live.c ctl/live.h \
	ctl/mailbox.c \
	ctl/manifest.c ctl/manifest.h \
	ctl/manifest_json.c \
	ctl/manifest_text.c ctl/manifest_text.h \
	ctl/manifest_version.c ctl/manifest_version.h \
	ctl/manifest_xml.c \
	ctl/metrics.c \
	ctl/migrate.c \
	ctl/print.c \
	ctl/render.c \
	ctl/render_nginx.c ctl/render_nginx.h \
	ctl/render_public.c ctl/render_public.h \
	ctl/render_relay.c ctl/render_relay.h \
	ctl/render_site.c ctl/render_site.h \
	ctl/render_tree.c ctl/render_tree.h \
	ctl/resync.c \
	ctl/selection.c ctl/selection.h \
	ctl/site.c ctl/site.h \
	ctl/site_gzip.c \
	ctl/site_lean.c \
	ctl/status.c \
	ctl/status_doc.c ctl/status_doc.h \
	ctl/systemd.c ctl/systemd.h \
	ctl/template.c ctl/template.h \
	ctl/writes.c \
	ctl/xml.c ctl/xml.h

bin_PROGRAMS += ctl/outlook-addinctl
ctl_outlook_addinctl_SOURCES = ctl/main.c
ctl_outlook_addinctl_LDADD = ctl/libctl.a $(LIB_ALL) $(LIB_LIBS) $(ZLIB_LIBS)

# render finds its templates from its own place: an installed program in
# $(pkgdatadir), a built one in this copy of what would be there.
all-local: share/outlook-addin.stamp
share/outlook-addin.stamp: $(nobase_dist_pkgdata_DATA) $(nobase_nodist_pkgdata_DATA) Makefile
	@rm -rf share/outlook-addin
	$(AM_V_GEN)for file in $(nobase_dist_pkgdata_DATA) $(nobase_nodist_pkgdata_DATA); do \
		$(MKDIR_P) "share/outlook-addin/$$(dirname "$$file")" && \
		if test -f "$$file"; then from=$$file; else from='$(srcdir)'/$$file; fi && \
		$(INSTALL_DATA) "$$from" "share/outlook-addin/$$file" || exit 1; \
	done && : >$@
