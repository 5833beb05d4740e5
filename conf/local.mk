# conf/ - sample configuration and its schema.
