# tests/ - `make check` runs what needs nothing but the build; scripts/test adds
# the stories with nginx, the simulators and the browser.

TEST_EXTENSIONS = .tap
TAP_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
TAP_LOG_DRIVER = $(TAP_DRIVER)
LOG_DRIVER = $(TAP_DRIVER)
AM_TESTS_ENVIRONMENT = CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; \
	TOP_BUILDDIR='$(abs_top_builddir)'; export TOP_BUILDDIR; \
	TOP_SRCDIR='$(abs_top_srcdir)'; export TOP_SRCDIR;

# One program per module, tests/unit/test_<module>.c.
unit_tests =
unit_tests += tests/unit/test_target
tests_unit_test_target_SOURCES = tests/unit/test_target.c cronjob/target.c
tests_unit_test_target_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/cronjob

if HAVE_CMOCKA
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
endif

# Scripts that print TAP and need no network and no other program of ours
# than those just built.
tap_tests = tests/style/layers.tap tests/style/format.tap
TESTS += $(tap_tests)
EXTRA_DIST += $(tap_tests)

# The harness with real nginx and the simulators; scripts/test runs the stories.
EXTRA_DIST += tests/package.json tests/lib tests/story tests/torture tests/bench
stack_env = TOP_BUILDDIR='$(abs_top_builddir)' TOP_SRCDIR='$(abs_top_srcdir)'

# The long forms; KILLS, SEED, ROUNDS and SECONDS may be given.
KILLS = 300
SEED = 20261123
ROUNDS = 7
SECONDS = 10
torture: all
	$(stack_env) node $(srcdir)/tests/torture/kill.js $(KILLS) $(SEED)
	$(stack_env) node $(srcdir)/tests/torture/fsync.js 2000
	$(stack_env) node $(srcdir)/tests/torture/inject.js 20

bench: all
	$(stack_env) node $(srcdir)/tests/bench/bench.js $(ROUNDS) $(SECONDS)

.PHONY: torture bench
