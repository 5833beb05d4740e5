# www/ - what nginx serves. One file a line; tests/style/www.tap compares the
# lists with the folders.

www_files =
nobase_dist_pkgdata_DATA += $(www_files)

# pages: outlook-addinctl render fills in officeJsUrl and the stamp, see docs/addin.md
www_files += www/index.html

# ES modules (js/launchevent.js: a plain script)

# style sheets

# texts of the pages, one file per language

# icons, made by scripts/icons

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
