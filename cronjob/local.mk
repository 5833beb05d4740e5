# cronjob/ - the renewal program.

