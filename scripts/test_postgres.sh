#!/usr/bin/env bash
# Run the tests on a PostgreSQL cluster made for this run and removed after it: `make test-postgres`.
# Any arguments go to pytest. PostgreSQL's programs must be installed; no server need be running.
set -euo pipefail
cd "$(dirname "$0")/.."

bin=$(for folder in /usr/lib/postgresql/*/bin /opt/homebrew/opt/postgresql*/bin \
    "$(dirname "$(command -v initdb || echo /nowhere/initdb)")"; do
    if [[ -x $folder/initdb ]]; then echo "$folder"; fi
done | sort --version-sort | tail -n 1)
if [[ -z $bin ]]; then
    echo "PostgreSQL is not installed. On Debian or Ubuntu: sudo apt-get install postgresql" >&2
    exit 1
fi

# initdb refuses to run as root, so as root the cluster belongs to the postgres user.
as_owner=()
if [[ $(id -u) == 0 ]]; then
    as_owner=(setpriv --reuid=postgres --regid=postgres --init-groups --reset-env)
fi

folder=$(mktemp -d "${TMPDIR:-/tmp}/joinery-postgres.XXXXXX")
tear_down() {
    ${as_owner[@]+"${as_owner[@]}"} "$bin/pg_ctl" stop --pgdata "$folder/data" --mode immediate --silent || true
    rm -rf "$folder"
}
trap tear_down EXIT
trap 'exit 130' INT TERM

password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
port=$(.venv/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
echo "$password" > "$folder/password"
[[ $(id -u) != 0 ]] || chown -R postgres: "$folder"
cd "$folder"  # a folder that the owner may read
${as_owner[@]+"${as_owner[@]}"} "$bin/initdb" --pgdata "$folder/data" --username joinery --pwfile "$folder/password" \
    --auth scram-sha-256 --encoding UTF8 --locale C --no-sync > "$folder/initdb.log"
# A cluster that is thrown away need not survive a power cut. And nothing vacuums it: plans would hang on whether
# tables were counted before or after a test took its rows back.
${as_owner[@]+"${as_owner[@]}"} "$bin/pg_ctl" start --pgdata "$folder/data" --log "$folder/server.log" --wait --silent \
    --options "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$folder -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off"
cd "$OLDPWD"

export JOINERY_DATABASE="postgresql://joinery:$password@127.0.0.1:$port/postgres"
# A test that asks for PostgreSQL fails here, rather than being skipped, if the setting did not reach Django.
export JOINERY_REQUIRE="postgres,${JOINERY_REQUIRE:-}"
.venv/bin/python -m pytest -m "not browser and not packaging" -n 2 "$@"
