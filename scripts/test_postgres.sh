#!/bin/sh
# Runs the tests that need a database on another PostgreSQL than the embedded one: scripts/test_postgres.sh VERSION
set -eu
cd "$(dirname "$0")/.."

programs=/usr/lib/postgresql/$1/bin
[ -x "$programs/initdb" ] || { echo "PostgreSQL $1 is missing: apt-get install postgresql-$1" >&2; exit 1; }

# PostgreSQL does not run as root; Debian's package has made this user.
as_owner() {
    if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; else "$@"; fi
}

folder=$(mktemp -d)
stop() {
    as_owner "$programs/pg_ctl" stop --silent -m immediate -D "$folder/data" || true
    rm -rf "$folder"
}
trap stop EXIT
if [ "$(id -u)" = 0 ]; then chown postgres "$folder"; fi
cd "$folder"
as_owner "$programs/initdb" --auth trust --encoding UTF8 --username postgres --no-sync -D "$folder/data" >/dev/null
as_owner "$programs/pg_ctl" start --silent -w -D "$folder/data" -l "$folder/log" \
    -o "-h '' -k $folder -c fsync=off -c full_page_writes=off"
cd "$OLDPWD"

# What differs between versions shows in gateways, queries and migrations; the matrix calls every route once more. Those
# that start servers of their own know no other.
GATEHOUSE_TEST_POSTGRES_URL="postgresql://postgres@/postgres?host=$folder" .venv/bin/pytest tests/integration \
    tests/http/test_matrix.py \
    --ignore tests/integration/test_embedded_postgres.py --ignore tests/integration/test_replica.py \
    --ignore tests/integration/test_serve.py
