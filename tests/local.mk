# tests/ - `make check` runs what needs nothing but the build; scripts/test adds
# the stories with nginx, the simulators and the browser.

TEST_EXTENSIONS = .tap
TAP_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
TAP_LOG_DRIVER = $(TAP_DRIVER)
LOG_COMPILER = $(SHELL) $(top_srcdir)/tests/unit/run
LOG_DRIVER = $(TAP_DRIVER)
AM_TESTS_ENVIRONMENT = CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; \
	TOP_BUILDDIR='$(abs_top_builddir)'; export TOP_BUILDDIR; \
	TOP_SRCDIR='$(abs_top_srcdir)'; export TOP_SRCDIR;

# Begun first, because they take longest: at the end of a parallel check the last
# one would run alone.
long_tests = tests/unit/test_store_fault tests/unit/test_http tests/unit/test_store_arrival
tap_long_tests = tests/rule/cron-oracle.tap tests/ctl/render.tap
if HAVE_CMOCKA
TESTS += $(long_tests)
endif
TESTS += $(tap_long_tests)

# One program per module, tests/unit/test_<module>.c.
unit_tests =
unit_tests += tests/unit/test_agent
unit_tests += tests/unit/test_buf
unit_tests += tests/unit/test_catchup
unit_tests += tests/unit/test_circuit
unit_tests += tests/unit/test_clock
unit_tests += tests/unit/test_config
unit_tests += tests/unit/test_config_place
tests_unit_test_config_place_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=access,--wrap=file_read
unit_tests += tests/unit/test_config_secret
unit_tests += tests/unit/test_credential
unit_tests += tests/unit/test_cron
unit_tests += tests/unit/test_engine
unit_tests += tests/unit/test_err
unit_tests += tests/unit/test_subscription
unit_tests += tests/unit/test_remote_graph
unit_tests += tests/unit/test_remote_signin
unit_tests += tests/unit/test_remote_unblu
unit_tests += tests/unit/test_verdict
unit_tests += tests/unit/test_invariants
unit_tests += tests/unit/test_odd_events
unit_tests += tests/unit/test_topic
unit_tests += tests/unit/test_plan
unit_tests += tests/unit/test_doubt
unit_tests += tests/unit/test_guard
unit_tests += tests/unit/test_graph_scan
unit_tests += tests/unit/test_event
unit_tests += tests/unit/test_file
unit_tests += tests/unit/test_instances
unit_tests += tests/unit/test_json
unit_tests += tests/unit/test_jws
unit_tests += tests/unit/test_jws_sign
EXTRA_DIST += tests/unit/test_certificate.h tests/unit/test_config.h tests/unit/test_remote.h
unit_tests += tests/unit/test_lease
unit_tests += tests/unit/test_log
unit_tests += tests/unit/test_look
tests_unit_test_look_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=store_link_by_event,--wrap=store_link_find \
	-Wl,--wrap=store_link_each,--wrap=store_mailbox_find \
	-Wl,--wrap=store_work_defer
unit_tests += tests/unit/test_loop
unit_tests += tests/unit/test_mem
unit_tests += tests/unit/test_mention
unit_tests += tests/unit/test_page
unit_tests += tests/unit/test_rand
unit_tests += tests/unit/test_remote_faults
unit_tests += tests/unit/test_retry
unit_tests += tests/unit/test_scan
unit_tests += tests/unit/test_scan_jansson
unit_tests += tests/unit/test_secret
unit_tests += tests/unit/test_series
unit_tests += tests/unit/test_session
unit_tests += tests/unit/test_share
unit_tests += tests/unit/test_siphash
unit_tests += tests/unit/test_store_beside
unit_tests += tests/unit/test_store_brake
unit_tests += tests/unit/test_store_compact
unit_tests += tests/unit/test_store_damage
unit_tests += tests/unit/test_store_dead
unit_tests += tests/unit/test_store_due
tests_unit_test_store_fault_SOURCES = tests/unit/test_store_fault.c \
	tests/unit/test_store_disk.c tests/unit/test_store_disk.h
unit_tests += tests/unit/test_store_link
unit_tests += tests/unit/test_store_lock
tests_unit_test_store_lock_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=statfs
unit_tests += tests/unit/test_store_fold
unit_tests += tests/unit/test_store_mailbox
unit_tests += tests/unit/test_store_mend
if HAVE_POSTGRESQL
unit_tests += tests/unit/test_store_move
unit_tests += tests/unit/test_store_postgres
tests_unit_test_store_postgres_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=clock_mono_ms,--wrap=loop_wait_fd
endif
unit_tests += tests/unit/test_store_move_refused
unit_tests += tests/unit/test_store_pending
unit_tests += tests/unit/test_store_queue
unit_tests += tests/unit/test_store_recover
unit_tests += tests/unit/test_store_replica
unit_tests += tests/unit/test_store_rows
unit_tests += tests/unit/test_store_sqlite
unit_tests += tests/unit/test_store_share
unit_tests += tests/unit/test_store_work
EXTRA_DIST += tests/unit/test_store_move.h tests/unit/test_store.h tests/unit/test_store_shared.h tests/unit/test_store_sqlite.h
unit_tests += tests/unit/test_template
tests_unit_test_template_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/ctl
tests_unit_test_template_LDADD = ctl/libctl.a $(LDADD)
unit_tests += tests/unit/test_relay
tests_unit_test_relay_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/ctl
tests_unit_test_relay_LDADD = ctl/libctl.a $(LDADD)
unit_tests += tests/unit/test_site
tests_unit_test_site_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/ctl
tests_unit_test_site_LDADD = ctl/libctl.a $(LDADD)
unit_tests += tests/unit/test_kubernetes
tests_unit_test_kubernetes_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/ctl
tests_unit_test_kubernetes_LDADD = ctl/libctl.a $(LDADD)
unit_tests += tests/unit/test_text
unit_tests += tests/unit/test_renewal
unit_tests += tests/unit/test_throttle
unit_tests += tests/unit/test_tz
unit_tests += tests/unit/test_url
unit_tests += tests/unit/test_when
unit_tests += tests/unit/test_target
tests_unit_test_target_SOURCES = tests/unit/test_target.c cronjob/target.c
tests_unit_test_target_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/cronjob
unit_tests += tests/unit/test_bearer
unit_tests += tests/unit/test_confine
unit_tests += tests/unit/test_frame
unit_tests += tests/unit/test_metrics
unit_tests += tests/unit/test_notification
unit_tests += tests/unit/test_validation
unit_tests += tests/unit/test_wake
unit_tests += tests/unit/test_web_conn
tests_unit_test_confine_SOURCES = tests/unit/test_confine.c fcgi/confine.c \
	fcgi/confine_filter.c
tests_unit_test_confine_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_test_frame_SOURCES = tests/unit/test_frame.c fcgi/frame.c
tests_unit_test_frame_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_test_web_conn_SOURCES = tests/unit/test_web_conn.c fcgi/web_conn.c \
	fcgi/frame.c
tests_unit_test_web_conn_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)

if HAVE_CMOCKA
check_PROGRAMS += $(long_tests) $(unit_tests)
TESTS += $(unit_tests)
endif

# Scripts that print TAP and need no network and no other program of ours
# than those just built.
tap_tests = tests/style/layers.tap tests/style/format.tap tests/style/www.tap
TESTS += $(tap_tests)
EXTRA_DIST += $(tap_long_tests) $(tap_tests) tests/unit/run

# cron against an independent implementation.
check_PROGRAMS += tests/rule/cron_firings
EXTRA_DIST += tests/rule/cron_oracle.py

# One fuzz target per parser: with --enable-fuzzing for libFuzzer, else with a
# driver that replays the corpus.
fuzz_targets = tests/fuzz/fuzz_cron tests/fuzz/fuzz_json tests/fuzz/fuzz_jws \
	tests/fuzz/fuzz_scan tests/fuzz/fuzz_url tests/fuzz/fuzz_when
fuzz_targets += tests/fuzz/fuzz_announce tests/fuzz/fuzz_bearer \
	tests/fuzz/fuzz_frame tests/fuzz/fuzz_notification \
	tests/fuzz/fuzz_validation
check_PROGRAMS += $(fuzz_targets)
EXTRA_DIST += tests/fuzz/replay.tap tests/fuzz/corpus
if FUZZING
fuzz_driver =
fuzz_ldflags = $(AM_LDFLAGS) $(FUZZ_ENGINE)
else
fuzz_driver = tests/fuzz/replay.c
fuzz_ldflags = $(AM_LDFLAGS)
TESTS += tests/fuzz/replay.tap
endif
tests_fuzz_fuzz_bearer_SOURCES = tests/fuzz/fuzz_bearer.c tests/fuzz/fuzz.h $(fuzz_driver)
tests_fuzz_fuzz_bearer_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_notification_SOURCES = tests/fuzz/fuzz_notification.c tests/fuzz/fuzz.h $(fuzz_driver)
tests_fuzz_fuzz_notification_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_validation_SOURCES = tests/fuzz/fuzz_validation.c tests/fuzz/fuzz.h $(fuzz_driver)
tests_fuzz_fuzz_validation_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_announce_SOURCES = tests/fuzz/fuzz_announce.c tests/fuzz/fuzz.h \
	fcgi/web_announce.c $(fuzz_driver)
tests_fuzz_fuzz_announce_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_announce_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_frame_SOURCES = tests/fuzz/fuzz_frame.c tests/fuzz/fuzz.h \
	fcgi/frame.c fcgi/front.c $(fuzz_driver)
tests_fuzz_fuzz_frame_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_frame_LDADD = $(LDADD) $(FCGI_LIBS)
tests_fuzz_fuzz_frame_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_cron_SOURCES = tests/fuzz/fuzz_cron.c tests/fuzz/fuzz.h $(fuzz_driver)
tests_fuzz_fuzz_cron_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_json_SOURCES = tests/fuzz/fuzz_json.c tests/fuzz/fuzz.h $(fuzz_driver)
tests_fuzz_fuzz_json_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_jws_SOURCES = tests/fuzz/fuzz_jws.c tests/fuzz/fuzz.h $(fuzz_driver)
tests_fuzz_fuzz_jws_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_scan_SOURCES = tests/fuzz/fuzz_scan.c tests/fuzz/fuzz.h $(fuzz_driver)
tests_fuzz_fuzz_scan_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_url_SOURCES = tests/fuzz/fuzz_url.c tests/fuzz/fuzz.h $(fuzz_driver)
tests_fuzz_fuzz_url_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_when_SOURCES = tests/fuzz/fuzz_when.c tests/fuzz/fuzz.h $(fuzz_driver)
tests_fuzz_fuzz_when_LDFLAGS = $(fuzz_ldflags)

# The harness with real nginx and the simulators; scripts/test runs the stories.
EXTRA_DIST += tests/package.json tests/lib tests/package tests/postgres tests/story tests/torture tests/bench tests/walk tests/web
stack_env = TOP_BUILDDIR='$(abs_top_builddir)' TOP_SRCDIR='$(abs_top_srcdir)'

# The long forms; what stands before each may be given.
KILLS = 300
SEED = 20261123
ROUNDS = 7
SECONDS = 10
torture: all
	$(stack_env) node $(srcdir)/tests/torture/kill.js $(KILLS) $(SEED)
	$(stack_env) node $(srcdir)/tests/torture/fsync.js 2000
	$(stack_env) node $(srcdir)/tests/torture/inject.js 20
	$(MAKE) $(AM_MAKEFLAGS) tests/sync/storetool
	$(stack_env) node $(srcdir)/tests/torture/renew-kill.js 1000 $(SEED)
	$(stack_env) node $(srcdir)/tests/torture/year.js 365 $(SEED)
	$(stack_env) node $(srcdir)/tests/torture/replicas.js 200 $(SEED)
	$(stack_env) node $(srcdir)/tests/torture/restart.js 100 $(SEED)

# Random walks, one process for each seed; needs --enable-test-hooks.
SEEDS = 200
FIRST = 1
STEPS = 400
WALKS = 2
soak: all
	$(stack_env) node $(srcdir)/tests/walk/walk.js --first $(FIRST) --seeds $(SEEDS) --steps $(STEPS) --jobs $(WALKS)

bench: all
	$(stack_env) node $(srcdir)/tests/bench/bench.js $(ROUNDS) $(SECONDS)
	$(stack_env) node $(srcdir)/tests/bench/storm.js
	$(stack_env) node $(srcdir)/tests/bench/islands.js
	$(stack_env) node $(srcdir)/tests/bench/latency.js
	$(stack_env) node $(srcdir)/tests/bench/replicas.js
	$(stack_env) node $(srcdir)/tests/bench/work.js
	$(MAKE) $(AM_MAKEFLAGS) tests/sync/storetool
	$(stack_env) node $(srcdir)/tests/bench/renewals.js

.PHONY: torture soak bench

# What the engine tests put into the store.
check_PROGRAMS += tests/sync/storetool

# outlook-addinctl: the configuration, what it prints, what it renders.
tap_tests += tests/ctl/config.tap tests/ctl/print.tap tests/ctl/msal.tap
EXTRA_DIST += tests/cases/config tests/ctl/ctl.test.js tests/ctl/nginx.test.js tests/ctl/nginx-site.js tests/ctl/serving.test.js tests/ctl/operator.test.js tests/ctl/manifest.test.js tests/ctl/icons.test.js \
	tests/ctl/data.test.js tests/ctl/repair.test.js tests/ctl/runbook.test.js tests/ctl/systemd.test.js tests/ctl/world.js
check_PROGRAMS += tests/ctl/seed

EXTRA_DIST += tests/demo tests/www
