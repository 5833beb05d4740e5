# docs/ - manual pages and guides.
dist_doc_DATA += docs/demo.md
