# docs/ - manual pages and guides.
