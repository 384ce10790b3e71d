#!/bin/sh
# Writes each secret that docker-compose.yaml mounts and that is not there yet.
set -eu
cd "$(dirname "$0")/.."

# Compose mounts a secret file with the owner and mode it has here, and the container's user is
# another one: so the files are readable by all, and the folder keeps others on this machine out.
mkdir -p secrets
chmod 700 secrets

random() {
    od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n'
}

# By way of a second name, so that a failure never leaves half a secret.
create() {
    [ -e "secrets/$1" ] && return
    printf '%s' "${2:?no random bytes}" >"secrets/.$1"
    chmod 644 "secrets/.$1"
    mv "secrets/.$1" "secrets/$1"
    echo "Wrote secrets/$1"
}

create postgres_password "$(random)"
create postgres_owner_url "postgresql://gatehouse:$(cat secrets/postgres_password)@postgres:5432/gatehouse?sslmode=disable"
create server_password "$(random)"
create postgres_url "postgresql://gatehouse_server:$(cat secrets/server_password)@postgres:5432/gatehouse?sslmode=disable"
create jwt_secret "$(random)"
create password_pepper "$(random)"
