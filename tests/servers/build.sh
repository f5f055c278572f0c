#!/usr/bin/env bash
# Builds the servers that `make e2e` asks, and installs the clients that it lets ask stand-ins, from the package registries
# alone, into a cache outside of the repository.
# Versions and their hashes are pinned by the module files and by the list of requirements beside this script.
# What is there already for the same pins is kept; each server is complete or absent. Prints nothing but progress, on
# stderr. `build.sh NAME…` builds only those; `build.sh --where` prints the cache; `build.sh --path NAME` prints where one
# server is, and fails when it was not built.
set -euo pipefail
cd "$(dirname "$0")"

servers='vault etcd kube eso moto clients'
cache="${SEED_TEST_SERVERS:-${XDG_CACHE_HOME:-$HOME/.cache}/seed/test-servers}"

fail() {
  echo "$*" >&2
  exit 1
}

# Where one server goes: its name and a hash of all that decides what it is.
home() {
  [[ " $servers " == *" $1 "* ]] || fail "\`$1\` is no server; known are: $servers"
  echo "$cache/$1-$(cat "$1"/* | sha256sum | cut --characters=1-16)"
}

case "${1:-}" in
--where)
  echo "$cache"
  exit
  ;;
--path)
  place="$(home "${2:-}")"
  [[ -e "$place/complete" ]] || fail "the server \`$2\` is not built: run \`make servers\`"
  echo "$place"
  exit
  ;;
esac

say() {
  echo "servers: $*" >&2
}

# A Go program of the module in directory $1: package $2, as program $3, with further linker flags $4.
go_program() {
  if ! command -v go >/dev/null; then
    fail "error: go is missing; it builds the servers that tests ask (https://go.dev/doc/install)"
  fi
  (
    cd "$1"
    CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS='-trimpath -mod=readonly -buildvcs=false' \
      go build -tags "${5:-}" -ldflags "-s -w ${4:-}" -o "$3" "$2"
  )
}

vault() {
  go_program vault github.com/hashicorp/vault "$1/vault" '' minimal
}

etcd() {
  go_program etcd go.etcd.io/etcd/server/v3 "$1/etcd"
}

kube() {
  local version=k8s.io/component-base/version
  go_program kube k8s.io/kubernetes/cmd/kube-apiserver "$1/kube-apiserver" \
    "-X $version.gitVersion=v1.36.3 -X $version.gitMajor=1 -X $version.gitMinor=36"
}

# The controller, and the definitions that belong to it.
eso() {
  local module=github.com/external-secrets/external-secrets
  go_program eso "$module" "$1/external-secrets"
  local source
  source="$(cd eso && GOTOOLCHAIN=local go list -mod=readonly -m -f '{{.Dir}}' "$module")"
  install -m 644 "$source/deploy/crds/bundle.yaml" "$1/crds.yaml"
}

# A virtual environment in place $2 with the packages of directory $1.
python() {
  python3 -m venv "$2"
  "$2/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement "$1/requirements.txt"
}

moto() {
  python moto "$2"
}

clients() {
  python clients "$2"
}

for name in "${@:-$servers}"; do
  for name in $name; do
    place="$(home "$name")"
    mkdir -p "$cache"
    # One builder at a time: a second run waits, and finds it done.
    exec 9>"$cache/$name.lock"
    flock 9
    if [[ -e "$place/complete" ]]; then
      say "$name is there"
      continue
    fi
    say "$name is being built"
    start=$SECONDS
    rm -rf "$place"
    mkdir "$place"
    "$name" "$place" "$place"
    touch "$place/complete"
    say "$name took $((SECONDS - start)) s"
  done
done
