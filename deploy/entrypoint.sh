#!/bin/sh
# What every container of the image begins with. libpq knows no file for a password alone: it is read here.
set -eu

if [ -n "${PGPASSWORD_FILE:-}" ]; then
    PGPASSWORD=$(cat "$PGPASSWORD_FILE")
    export PGPASSWORD
fi
exec "$@"
