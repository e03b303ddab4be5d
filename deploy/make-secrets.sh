#!/usr/bin/env bash
# deploy/make-secrets.sh https://werkvloer.example.com
#
# Makes the secrets of compose.yaml and its settings file, once; what is there already is kept. Keep a copy of secrets/root-key
# outside this machine: without it no backup can be read.
set -euo pipefail
cd "$(dirname "$0")"
url=${1:?write the address people will use, for example https://werkvloer.example.com}
umask 077
mkdir -p secrets
make() { [ -s "secrets/$1" ] || printf '%s' "$2" > "secrets/$1"; }
make postgres-password "$(openssl rand -hex 24)"
make provisioner-password "$(openssl rand -hex 24)"
make root-key "$(openssl rand -base64 32)"
# The two containers share a network of their own, so this one connection goes without TLS, said outright.
make database-url "postgresql://werkvloer:$(cat secrets/provisioner-password)@postgres:5432/werkvloer_control?sslmode=disable"
# In the containers the server runs as user id 1000 and PostgreSQL as 999; the files keep owner and mode there.
owners=(1000 secrets/database-url secrets/root-key)
owners_postgres=(999 secrets/postgres-password secrets/provisioner-password)
if [ "$(id -u)" = 0 ]; then
  chown "${owners[@]}"
  chown "${owners_postgres[@]}"
fi
if [ ! -e werkvloer.env ]; then printf 'WERKVLOER_PUBLIC_URL=%s\n' "$url" > werkvloer.env; fi
echo "Secrets are in deploy/secrets, settings in deploy/werkvloer.env."
if [ "$(id -u)" != 0 ]; then
  echo "Now, as root, in deploy: chown ${owners[*]}; chown ${owners_postgres[*]}"
fi
