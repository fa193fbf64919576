#!/bin/sh
# Makes the secrets that docker-compose.yml asks for, once: at random, for nobody's eyes but the owner's.
#
#   sh deploy/secrets.sh            into .env
#   sh deploy/secrets.sh --files    into secrets/, each in a file; .env says only that they are there
#
# What is there already is never changed: CLEW_SECRET signs links in mails that customers still have. Run
# again after an upgrade, it adds what is new.
set -eu
umask 077
cd "$(dirname "$0")/.."

random() {
    od -An -N32 -tx1 /dev/urandom | tr -d ' \n'
}

set_once() { # NAME VALUE
    if ! grep -q "^$1=" .env; then
        printf '%s=%s\n' "$1" "$2" >>.env
        echo "$1: now in .env"
    fi
}

touch .env
files=${1:-}
# What began with files goes on with them.
if grep -q '^POSTGRES_PASSWORD=in-a-file$' .env; then files=--files; fi
if [ "$files" = "--files" ]; then
    if grep -q '^POSTGRES_PASSWORD=' .env && ! grep -q '^POSTGRES_PASSWORD=in-a-file$' .env; then
        echo ".env holds the secrets already. Move each value into its file in secrets/ yourself," >&2
        echo "and put in-a-file in its place (docs/production.md)." >&2
        exit 1
    fi
    mkdir -p secrets
    for name in postgres_password clew_database_password temporal_database_password \
        clew_secret clew_staff_token; do
        if [ ! -s "secrets/$name" ]; then
            random >"secrets/$name"
            # The folder is shut to others; the process in the container is another user, and reads it.
            chmod 444 "secrets/$name"
            echo "$name: now in secrets/$name"
        fi
    done
    set_once COMPOSE_FILE docker-compose.yml:deploy/compose.secrets.yml
    set_once POSTGRES_PASSWORD in-a-file
    set_once CLEW_DATABASE_PASSWORD in-a-file
    set_once TEMPORAL_DATABASE_PASSWORD in-a-file
    set_once CLEW_SECRET in-a-file
else
    set_once POSTGRES_PASSWORD "$(random)"
    set_once CLEW_DATABASE_PASSWORD "$(random)"
    set_once TEMPORAL_DATABASE_PASSWORD "$(random)"
    set_once CLEW_SECRET "$(random)"
    set_once CLEW_STAFF_TOKEN "$(random)"
fi
