#!/bin/sh
# Temporal's databases and tables, through Temporal's own tool. Run again, it changes only what a
# newer version of Temporal needs. Its settings come in SQL_* variables.
set -eu

prepare() {
    temporal-sql-tool --db "$1" create
    temporal-sql-tool --db "$1" setup-schema -v 0.0
    temporal-sql-tool --db "$1" update-schema -d "/etc/temporal/schema/postgresql/v12/$2/versioned"
}

prepare temporal temporal
prepare temporal_visibility visibility
