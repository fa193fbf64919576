#!/bin/sh
# Does what the official image does with POSTGRES_USER, POSTGRES_DB, POSTGRES_PASSWORD and its _FILE.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    password=${POSTGRES_PASSWORD:-}
    if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then password=$(cat "$POSTGRES_PASSWORD_FILE"); fi
    mkdir -p "$PGDATA"
    printf '%s' "$password" >/tmp/password
    initdb --username "$POSTGRES_USER" --pwfile /tmp/password --auth-local trust --auth-host scram-sha-256 >/dev/null
    rm /tmp/password
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    pg_ctl -w -o "-c listen_addresses= -k /tmp" start >/dev/null
    createdb -h /tmp -U "$POSTGRES_USER" "$POSTGRES_DB" || true
    pg_ctl -w stop >/dev/null
fi
exec postgres -c listen_addresses='*' -k /var/run/postgresql
