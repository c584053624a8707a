#!/usr/bin/env bash
# `make lighthouse`: what Google's Lighthouse says of home, list, book and cart on a phone, on servers of its own. Fails below
# the budgets. Not part of `make test`: timing depends on the machine. BAZAR_BIN measures another build than the release.

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$ROOT/scripts/services.sh"
. "$ROOT/scripts/setup.sh"
. "$ROOT/scripts/env.sh"

DIR=$STATE/lighthouse
HOME_OF_IT=$ROOT/bench/lighthouse # its 150 packages are no business of a build

setup_lighthouse() {
  local stamp=$HOME_OF_IT/node_modules/.bazar-stamp want
  want=$(digest "$HOME_OF_IT/package-lock.json")
  [[ $(cat "$stamp" 2>/dev/null) == "$want" ]] && return
  step "installing Lighthouse into bench/lighthouse/node_modules/"
  npm ci --prefix "$HOME_OF_IT" --omit=optional --ignore-scripts --no-audit --no-fund --loglevel=error >&2 9>&- ||
    die "npm ci failed (its message is above): check the network or npm's registry setting and try again"
  echo "$want" >"$stamp"
}

lock lighthouse || die "another 'make lighthouse' is running in this checkout: wait for it and try again"
bin=${BAZAR_BIN:-} # before everything of a shop is forgotten
forget_the_shop
site_env
setup_packages postgres redis browser
setup_npm
setup_lighthouse
CHROMIUM=$(chromium_path)
if [[ -z $bin ]]; then
  bash scripts/build-web.sh 9>&- || exit 1
  setup_rust
  build_server
  bin=$BAZAR
fi
services_wipe "$DIR"
make_state "$DIR"
trap 'exit 130' INT TERM HUP
trap 'services_wipe "$DIR"' EXIT
postgres_up "$DIR" 54629
redis_up "$DIR" 64190
export CHROMIUM BAZAR_BIN=$bin BAZAR_TEST_DATABASE_URL=$POSTGRES_URL/postgres BAZAR_TEST_REDIS_URL=$REDIS_URL_OF/
PATH=$PATH:$(postgres_bin)
step "lighthouse"
timeout -k 30 600 node bench/lighthouse/run.mjs 9>&-
