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
