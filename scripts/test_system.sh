#!/bin/sh
# Runs the tests that need more of Debian than Python and make: scripts/test_system.sh [OPTION...]
set -eu
cd "$(dirname "$0")/.."
PATH="$PATH:/usr/sbin:/sbin"  # where Debian has servers, and not everyone looks

missing=
for program in buildah curl haproxy mmdebstrap nginx openssl pgbouncer prometheus promtool systemd-analyze; do
    command -v "$program" >/dev/null || missing="$missing $program"
done
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql-15"
if [ -n "$missing" ]; then
    echo "These packages are missing: apt-get install$missing" | sed 's/ nginx/ nginx-light/; s/ promtool//; s/systemd-analyze/systemd/' >&2
    exit 1
fi
[ $# -gt 0 ] || set -- tests/system
# By file, so that what the tests of a file share is built or started once.
exec .venv/bin/pytest -n 2 --dist loadfile "$@"
