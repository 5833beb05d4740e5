# lib/ - one archive per layer, so that a link line shows what a program uses.

noinst_LIBRARIES += lib/libbase.a lib/librule.a lib/libport.a lib/libremote.a lib/libsync.a

lib_libbase_a_SOURCES = \
	lib/base/buf.c lib/base/buf.h \
	lib/base/clock.c lib/base/clock.h \
	lib/base/err.c lib/base/err.h \
	lib/base/file.c lib/base/file.h \
	lib/base/json.c lib/base/json.h \
	lib/base/jws.c lib/base/jws.h \
	lib/base/jws_sign.c lib/base/jws_sign.h \
	lib/base/log.c lib/base/log.h \
	lib/base/loop.c lib/base/loop.h \
	lib/base/loop_timer.c lib/base/loop_timer.h \
	lib/base/mem.c lib/base/mem.h \
	lib/base/page.c lib/base/page.h \
	lib/base/rand.c lib/base/rand.h \
	lib/base/scan.c lib/base/scan.h \
	lib/base/scan_string.c lib/base/scan_string.h \
	lib/base/scan_walk.c \
	lib/base/siphash.c lib/base/siphash.h \
	lib/base/secret.c lib/base/secret.h \
	lib/base/text.c lib/base/text.h \
	lib/base/tz.c lib/base/tz.h \
	lib/base/tz_posix.c lib/base/tz_posix.h \
	lib/base/url.c lib/base/url.h \
	lib/base/when.c lib/base/when.h

lib_librule_a_SOURCES = \
	lib/rule/bearer.c lib/rule/bearer.h \
	lib/rule/bearer_claims.c lib/rule/bearer_claims.h \
	lib/rule/notification.c lib/rule/notification.h \
	lib/rule/validation.c lib/rule/validation.h \
	lib/rule/circuit.c lib/rule/circuit.h \
	lib/rule/cron.c lib/rule/cron.h \
	lib/rule/retry.c lib/rule/retry.h \
	lib/rule/share.c lib/rule/share.h \
	lib/rule/throttle.c lib/rule/throttle.h

lib_libport_a_SOURCES = \
	lib/port/config.c lib/port/config.h \
	lib/port/config_file.c lib/port/config_file.h \
	lib/port/config_format.c lib/port/config_format.h \
	lib/port/config_format_network.c \
	lib/port/config_listen.c lib/port/config_listen.h \
	lib/port/config_report.c lib/port/config_report.h \
	lib/port/config_secret.c lib/port/config_secret.h \
	lib/port/config_settle.c lib/port/config_settle.h \
	lib/port/config_table.c lib/port/config_option.h \
	lib/port/config_value.c lib/port/config_value.h \
	lib/port/agent_map.c lib/port/agent_map.h \
	lib/port/credential.c lib/port/credential.h

lib_libport_a_SOURCES += \
	lib/port/store.c lib/port/store.h \
	lib/port/store_arrival.c lib/port/store_arrival.h \
	lib/port/store_audit.c \
	lib/port/store_brake.c lib/port/store_brake.h \
	lib/port/store_beside.h \
	lib/port/store_claim.c lib/port/store_claim.h \
	lib/port/store_claim_fold.c \
	lib/port/store_db.c lib/port/store_db.h \
	lib/port/store_dead.c \
	lib/port/store_driver.h \
	lib/port/store_due.c lib/port/store_due.h \
	lib/port/store_lane.c lib/port/store_lane.h \
	lib/port/store_link.c \
	lib/port/store_mailbox.c \
	lib/port/store_mark.c lib/port/store_mark.h \
	lib/port/store_mend.c lib/port/store_mend.h \
	lib/port/store_misc.c \
	lib/port/store_move.c lib/port/store_move.h \
	lib/port/store_move_copy.c \
	lib/port/store_move_open.c \
	lib/port/store_move_side.c \
	lib/port/store_move_table.c lib/port/store_move_table.h \
	lib/port/store_queue.c \
	lib/port/store_recover.c \
	lib/port/store_renewal.h \
	lib/port/store_replica.c lib/port/store_replica.h \
	lib/port/store_retain.c lib/port/store_retain.h \
	lib/port/store_round.c \
	lib/port/store_schema.c lib/port/store_schema.h \
	lib/port/store_sqlite.c lib/port/store_sqlite.h \
	lib/port/store_sqlite_compact.c lib/port/store_sqlite_conn.c \
	lib/port/store_sqlite_file.c \
	lib/port/store_sqlite_lock.c \
	lib/port/store_sqlite_upkeep.c \
	lib/port/store_subscription.c \
	lib/port/store_work.c lib/port/store_work.h

if HAVE_POSTGRESQL
lib_libport_a_SOURCES += \
	lib/port/store_postgres.c lib/port/store_postgres.h \
	lib/port/store_postgres_append.c \
	lib/port/store_postgres_hold.c \
	lib/port/store_postgres_conn.c \
	lib/port/store_postgres_location.c
endif

lib_libport_a_SOURCES += \
	lib/port/metrics.c lib/port/metrics.h \
	lib/port/wake.c lib/port/wake.h

lib_libport_a_SOURCES += \
	lib/port/http.c lib/port/http.h \
	lib/port/http_exchange.c lib/port/http_exchange.h \
	lib/port/http_request.c

lib_librule_a_SOURCES += \
	lib/rule/catchup.c lib/rule/catchup.h \
	lib/rule/doubt.c lib/rule/doubt.h \
	lib/rule/event.c lib/rule/event.h \
	lib/rule/guard.c lib/rule/guard.h \
	lib/rule/lease.c lib/rule/lease.h \
	lib/rule/link.c lib/rule/link.h \
	lib/rule/mention.c lib/rule/mention.h \
	lib/rule/plan.c lib/rule/plan.h \
	lib/rule/policy.c lib/rule/policy.h \
	lib/rule/recurrence.c lib/rule/recurrence.h \
	lib/rule/renewal.c lib/rule/renewal.h \
	lib/rule/series.c lib/rule/series.h \
	lib/rule/subscription.c lib/rule/subscription.h

lib_libremote_a_SOURCES = \
	lib/remote/entra.c lib/remote/entra.h \
	lib/remote/entra_error.c \
	lib/remote/gateway.c lib/remote/gateway.h \
	lib/remote/graph.c lib/remote/graph.h \
	lib/remote/graph_batch.c lib/remote/graph_batch.h \
	lib/remote/graph_error.c \
	lib/remote/graph_instances.c lib/remote/graph_instances.h \
	lib/remote/graph_scan.c lib/remote/graph_scan.h \
	lib/remote/graph_subscription.c lib/remote/graph_subscription.h \
	lib/remote/reply.c lib/remote/reply.h \
	lib/remote/unblu.c lib/remote/unblu.h

lib_libsync_a_SOURCES = \
	lib/sync/adopt.c lib/sync/adopt.h \
	lib/sync/agent.c lib/sync/agent.h \
	lib/sync/call.c lib/sync/call.h \
	lib/sync/catchup.c \
	lib/sync/degraded.c lib/sync/degraded.h \
	lib/sync/engine.c lib/sync/engine.h \
	lib/sync/engine_clock.c lib/sync/engine_due.c lib/sync/engine_state.h \
	lib/sync/engine_replica.c \
	lib/sync/engine_turn.c \
	lib/sync/expiry.c lib/sync/expiry.h \
	lib/sync/follow.c lib/sync/follow.h \
	lib/sync/follow_claim.c \
	lib/sync/follow_replace.c \
	lib/sync/follow_trial.c \
	lib/sync/follow_terms.c lib/sync/follow_state.h \
	lib/sync/followup.c \
	lib/sync/leave.c lib/sync/leave.h \
	lib/sync/suspect.c lib/sync/suspect.h \
	lib/sync/unlisted.c lib/sync/unlisted.h \
	lib/sync/keys.c \
	lib/sync/lease.c lib/sync/lease.h \
	lib/sync/lease_scan.c lib/sync/lease_scan.h \
	lib/sync/look.c lib/sync/look.h \
	lib/sync/look_calendar.c \
	lib/sync/look_link.c \
	lib/sync/look_series.c \
	lib/sync/removal.c \
	lib/sync/removal_copy.c \
	lib/sync/renewals.c lib/sync/renewals.h \
	lib/sync/search.c \
	lib/sync/session.c lib/sync/session.h \
	lib/sync/signin.c lib/sync/signin.h \
	lib/sync/task.c lib/sync/task.h \
	lib/sync/token.c lib/sync/token.h \
	lib/sync/token_fetch.c lib/sync/token_fetch.h \
	lib/sync/verdict.c lib/sync/verdict_doubt.c \
	lib/sync/write.c

LIB_ALL = lib/libsync.a lib/libremote.a lib/libport.a lib/librule.a lib/libbase.a
LIB_LIBS = $(CURL_LIBS) $(JANSSON_LIBS) $(CRYPTO_LIBS) $(SQLITE_LIBS) $(LIBPQ_LIBS) -lpthread

# What a program links unless it says otherwise.
LDADD = $(LIB_ALL) $(LIB_LIBS) $(CMOCKA_LIBS)
