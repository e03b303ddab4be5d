#!/usr/bin/env bash
# Runs once inside the postgres image: what Werkvloer needs on a server of its own. By hand, on any PostgreSQL 15 to 18:
# a role that may make databases and roles but is no superuser, its control database, and no way for others into the shared ones.
set -euo pipefail
psql -v ON_ERROR_STOP=1 -v password="$(cat /run/secrets/provisioner_password)" --username postgres --dbname postgres <<'SQL'
create role werkvloer login createdb createrole nosuperuser password :'password';
create database werkvloer_control owner werkvloer;
revoke all on database werkvloer_control from public;
revoke all on database postgres from public;
revoke all on database template1 from public;
SQL
