# scripts/ - the two commands and what they call.

EXTRA_DIST += scripts/demo scripts/test scripts/clean-root scripts/lib.sh scripts/build-packages \
	scripts/run-packages scripts/demo-packages scripts/test-packages scripts/msal scripts/msal.sha256 \
	scripts/icons
EXTRA_DIST += scripts/package scripts/package-packages scripts/image scripts/release-check
