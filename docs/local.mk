# docs/ - manual pages and guides.
dist_doc_DATA += docs/demo.md docs/demo.png
dist_doc_DATA += docs/addin.md docs/configuration.md
dist_man_MANS += docs/man/outlook-addinctl.1 docs/man/addin.json.5
dist_man_MANS += docs/man/outlook-addin-fcgi.8 docs/man/outlook-addin-renew.8
dist_doc_DATA += docs/store.md
dist_doc_DATA += docs/dependencies.md docs/reliability.md
dist_doc_DATA += docs/performance.md
dist_doc_DATA += docs/runbook.md
dist_doc_DATA += docs/install.md docs/upgrade.md docs/data.md
dist_doc_DATA += docs/deployment.md
