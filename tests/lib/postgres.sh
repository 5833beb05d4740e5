#!/bin/sh
# tests/lib/postgres.sh - a PostgreSQL of a test's own.
#
#   postgres.sh start DIR [SETTING...]   a new one in DIR (made by us, absolute);
#                                        prints its URL; "-c name=value" settings
#   postgres.sh again DIR [SETTING...]   starts it again, after a stop or a crash
#   postgres.sh stop DIR                 at once, nothing is written any more; DIR stays
#   postgres.sh template DIR             makes DIR/data, a cluster that start copies when
#                                        POSTGRES_TEMPLATE names it: initdb takes a second
#
# It listens on a socket in DIR and, with PGPORT set, on 127.0.0.1. It is stopped by
# its process id. PostgreSQL does not run as root: then it is nobody's.
set -eu

command=$1 dir=$2
shift 2

bin=
for at in $(dirname "$(command -v initdb || echo /nowhere/initdb)") /usr/lib/postgresql/*/bin; do
	[ -x "$at/initdb" ] && [ -x "$at/postgres" ] && bin=$at
done
[ -n "$bin" ] || { echo "postgres.sh: PostgreSQL is not installed" >&2; exit 77; }

as() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	else
		"$@"
	fi
}

launch() {
	listen=
	[ -z "${PGPORT:-}" ] || listen=127.0.0.1
	(
		cd "$dir"
		# By exec: a shell keeps what it redirects for a function alone, and so would the server.
		exec </dev/null >>"$dir/log" 2>&1
		# Of a session of its own, so that nobody else's signal ends it.
		as setsid "$bin/postgres" -D "$dir/data" -k "$dir" -c listen_addresses="$listen" \
			-p "${PGPORT:-5432}" -c fsync=off -c full_page_writes=off -c max_connections=200 \
			-c shared_buffers=16MB -c logging_collector=off "$@" &
	)
	tries=0
	until as "$bin/pg_isready" -q -h "$dir" -p "${PGPORT:-5432}" -U outlook; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || { tail -n 20 "$dir/log" >&2; exit 1; }
		sleep 0.05
	done
}

end() {
	[ -f "$dir/data/postmaster.pid" ] || return 0
	pid=$(head -n 1 "$dir/data/postmaster.pid")
	kill -QUIT "$pid" 2>/dev/null || return 0
	tries=0
	while kill -0 "$pid" 2>/dev/null && [ $tries -lt 400 ]; do
		tries=$((tries + 1))
		sleep 0.05
	done
}

cluster() {
	mkdir -p "$dir"
	[ "$(id -u)" != 0 ] || chown 65534:65534 "$dir"
	chmod 755 "$dir"
	if [ -n "${POSTGRES_TEMPLATE:-}" ]; then
		cp -a "$POSTGRES_TEMPLATE" "$dir/data"
	else
		as "$bin/initdb" -D "$dir/data" -A trust -U outlook -E UTF8 --locale=C.UTF-8 --no-sync \
			>"$dir/log" 2>&1 || { cat "$dir/log" >&2; exit 1; }
	fi
}

case $command in
template) unset POSTGRES_TEMPLATE; cluster ;;
start)
	cluster
	launch "$@"
	as "$bin/createdb" -h "$dir" -p "${PGPORT:-5432}" -U outlook outlook
	echo "postgresql://outlook@/outlook?host=$dir&port=${PGPORT:-5432}"
	;;
again) launch "$@" ;;
stop) end ;;
*) exit 2 ;;
esac
