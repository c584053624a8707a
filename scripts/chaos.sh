#!/usr/bin/env bash
# `make chaos`: people shop while everything under them is killed, frozen, restarted and made to forget; then every promise
# must hold. SEED repeats a run (what is done to whom and when; not what the machine makes of it), MINUTES says how long.
# The servers that suffer are started by the test; only the sessions' Redis is ours. Exit code 1 when a promise was broken.

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$ROOT/scripts/services.sh"
. "$ROOT/scripts/setup.sh"
. "$ROOT/scripts/env.sh"

DIR=$STATE/chaos
SEED=${SEED:-$((RANDOM * 32768 + RANDOM))}
MINUTES=${MINUTES:-4}
[[ $SEED =~ ^[0-9]{1,12}$ ]] || die "SEED must be a whole number, not '$SEED'"
[[ $MINUTES =~ ^[1-9][0-9]?$ && $MINUTES -le 60 ]] || die "MINUTES must be a whole number from 1 to 60, not '$MINUTES'"
echo "SEED=$SEED MINUTES=$MINUTES"

lock chaos || die "another 'make chaos' is running in this checkout: wait for it and try again"
forget_the_shop
site_env
setup_rust
setup_packages postgres redis
services_wipe "$DIR"
make_state "$DIR"
trap 'exit 130' INT TERM HUP
trap 'services_down "$DIR"' EXIT
redis_up "$DIR" 64090
export SEED MINUTES BAZAR_TEST_REDIS_URL=$REDIS_URL_OF/ BAZAR_CHAOS_LOGS=$DIR
step "building the shop and its test"
chaos=(cargo test -p server --test it --locked)
"${chaos[@]}" --no-run 9>&- || exit 1
step "chaos"
timeout -k 30 $((MINUTES * 60 + 900)) "${chaos[@]}" chaos::chaos -- --exact --ignored --nocapture 9>&-
