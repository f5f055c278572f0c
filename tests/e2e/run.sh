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

venv="${CARGO_TARGET_DIR:-target}/witnesses"
if ! "$venv/bin/python" -c 'import bcrypt, dotenv, yaml' 2>/dev/null; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check 'bcrypt==5.0.0' 'python-dotenv==1.2.4' 'PyYAML==6.0.3'
fi

PATH="$PWD/$venv/bin:$PATH" cargo test --locked --package seed-tests --test witnesses --test calls --test go_templates --test offline -- --ignored

# Each adapter against its real server, then the program.
cargo test --locked --package seed-servers --test real -- --ignored
for provider in vault kubernetes aws-sm; do
  if [[ -e "providers/seed-$provider/tests/real.rs" ]]; then
    cargo test --locked --package "seed-$provider" --test real -- --ignored
  fi
done
# Kubernetes follows when the program has that backend.
cargo test --locked --package seed-tests --test real_servers -- --ignored --skip kubernetes
