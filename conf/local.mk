# conf/ - sample configuration and its schema.

nobase_dist_pkgdata_DATA += conf/addin.schema.json
EXTRA_DIST += conf/addin.json
# For Prometheus and Grafana; see docs/runbook.md.
nobase_dist_pkgdata_DATA += conf/prometheus/outlook-addin.rules.yml \
	conf/prometheus/outlook-addin.test.yml \
	conf/prometheus/outlook-addin-days.test.yml \
	conf/prometheus/scrape.yml conf/grafana/outlook-addin.json
# packaging: scripts/package
EXTRA_DIST += conf/debian conf/systemd conf/nginx-site.conf
# scripts/image and kubectl apply -k
EXTRA_DIST += conf/container conf/kubernetes

# The sample becomes the configuration only where there is none.
addin_json = $(DESTDIR)$(sysconfdir)/outlook-addin/addin.json
install-data-local:
	$(MKDIR_P) '$(DESTDIR)$(sysconfdir)/outlook-addin'
	test -e '$(addin_json)' || \
		$(INSTALL_DATA) '$(srcdir)/conf/addin.json' '$(addin_json)'
uninstall-local:
	! cmp -s '$(srcdir)/conf/addin.json' '$(addin_json)' || rm -f '$(addin_json)'
	-rmdir '$(DESTDIR)$(sysconfdir)/outlook-addin'
