#!/usr/bin/env bash
# Installs the programs that serve as witnesses, builds the servers, then runs the tests that ask them.
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! command -v go >/dev/null; then
  echo "error: go is missing; it executes the templates of emitted manifests (https://go.dev/doc/install)" >&2
  exit 1
fi

missing=()
command -v htpasswd >/dev/null || missing+=(apache2-utils)
command -v strace >/dev/null || missing+=(strace)
command -v node >/dev/null || missing+=(nodejs)
if ((${#missing[@]})); then
  apt-get update --quiet=2
  apt-get install --yes --quiet=2 --no-install-recommends "${missing[@]}"
fi

tests/servers/build.sh

venv="$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}")/witnesses"
if ! "$venv/bin/python" -c 'import bcrypt, dotenv, yaml' 2>/dev/null; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check 'bcrypt==5.0.0' 'python-dotenv==1.2.4' 'PyYAML==6.0.3'
fi

# The whole workspace and all features, as `make test` has them: the libraries are not built a second time.
ask() {
  cargo test --locked --workspace --all-features --no-fail-fast "$@" -- --ignored
}

PATH="$venv/bin:$PATH" ask --test witnesses --test calls --test go_templates --test offline
# Each adapter against its real server, then the program.
ask --test real
ask --test real_servers --test cluster --test kubernetes_permissions --test races
# The stand-ins, asked by the services' own clients.
ask --test official_clients
# From contracts to Secrets, by the operator itself.
ask --test delivery
