# The alternative to outlook-addin-renew.timer, for a host without systemd: each
# minute, since a run with nothing due does next to nothing. What fits another
# syncServerPollingCronInterval tells: outlook-addinctl print crontab
CREDENTIALS_DIRECTORY=/etc/outlook-addin
* * * * * outlook-addin test -d /run/systemd/system || exec outlook-addin-renew
