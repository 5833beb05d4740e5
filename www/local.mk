# www/ - what nginx serves. One file a line; tests/style/www.tap compares the
# lists with the folders.

www_files =
nobase_dist_pkgdata_DATA += $(www_files)

# pages: outlook-addinctl render fills in officeJsUrl and the stamp, see docs/addin.md
www_files += www/auth.html
www_files += www/commands.html
www_files += www/index.html
www_files += www/launchevent.html
www_files += www/taskpane.html

# ES modules (js/launchevent.js: a plain script)
www_files += www/js/app.js
www_files += www/js/auth.js
www_files += www/js/commands.js
www_files += www/js/errors.js
www_files += www/js/flow-again.js
www_files += www/js/flow-event-more.js
www_files += www/js/flow-event.js
www_files += www/js/flow-pane.js
www_files += www/js/flow.js
www_files += www/js/formats.js
www_files += www/js/invite-remove.js
www_files += www/js/launchevent.js
www_files += www/js/links-more.js
www_files += www/js/load.js
www_files += www/js/log-report.js
www_files += www/js/office-dialog.js
www_files += www/js/office-pane.js
www_files += www/js/outlook.js
www_files += www/js/pane-desk.js
www_files += www/js/pane-dom.js
www_files += www/js/pane-view.js
www_files += www/js/pane-words.js
www_files += www/js/pane.js
www_files += www/js/remote.js
www_files += www/js/retry.js
www_files += www/js/session-dialog.js
www_files += www/js/session-fault.js
www_files += www/js/session.js
www_files += www/js/taskpane.js
www_files += www/js/theme.js
www_files += www/js/unblu-more.js

# style sheets
www_files += www/css/addin.css

# texts of the pages, one file per language
www_files += www/strings/de.json
www_files += www/strings/en.json
www_files += www/strings/fr.json
www_files += www/strings/it.json
www_files += www/strings/more.de.json
www_files += www/strings/more.en.json
www_files += www/strings/more.fr.json
www_files += www/strings/more.it.json
www_files += www/strings/pane.de.json
www_files += www/strings/pane.en.json
www_files += www/strings/pane.fr.json
www_files += www/strings/pane.it.json

# icons, made by scripts/icons
www_files += www/assets/icon-128.png
www_files += www/assets/icon-16.png
www_files += www/assets/icon-192.png
www_files += www/assets/icon-20.png
www_files += www/assets/icon-24.png
www_files += www/assets/icon-32.png
www_files += www/assets/icon-40.png
www_files += www/assets/icon-48.png
www_files += www/assets/icon-64.png
www_files += www/assets/icon-80.png
www_files += www/assets/icon-96.png
www_files += www/assets/icon-mobile.svg
www_files += www/assets/icon-outline.svg
www_files += www/assets/icon-small.svg
www_files += www/assets/icon.svg
www_files += www/assets/mobile-144.png
www_files += www/assets/mobile-25.png
www_files += www/assets/mobile-32.png
www_files += www/assets/mobile-48.png
www_files += www/assets/mobile-50.png
www_files += www/assets/mobile-64.png
www_files += www/assets/mobile-75.png
www_files += www/assets/mobile-96.png
www_files += www/assets/outline-32.png

# MSAL, which is not in the repository: see scripts/msal
msal = www/vendor/msal-browser.min.js
www_files += www/vendor/msal-browser.LICENSE.txt
nobase_nodist_pkgdata_DATA += $(msal)
CLEANFILES += $(msal)
$(msal): scripts/msal scripts/msal.sha256 package-lock.json
	$(AM_V_GEN)$(srcdir)/scripts/msal $@ '$(with_msal)'
clean-local:
	rm -rf npm npm.log share
# a build without the network
AM_DISTCHECK_CONFIGURE_FLAGS = --with-msal='$(abs_builddir)/$(msal)'
distcheck-hook: $(msal)
