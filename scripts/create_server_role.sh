#!/bin/sh
# Run once by the PostgreSQL image, when it sets up a new database: the role that the API connects as. It owns nothing;
# `gatehouse migrate` gives it its rights.
set -eu
psql --set=ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    --set=password="$(cat /run/secrets/server_password)" <<'SQL'
CREATE ROLE gatehouse_server LOGIN PASSWORD :'password';
SQL
