#!/usr/bin/env bash
# `make bench`: what the shop is worth on this machine, as ratios against the servers it stands on, measured in one run and
# in turns, so that a slow or busy machine slows both sides. `scripts/bench.sh edits live` runs only those parts (bench/*.sh).
# A missed budget is said, not failed: timing on a shared machine is no reason to stop anybody.

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$ROOT/scripts/services.sh"
. "$ROOT/scripts/setup.sh"
. "$ROOT/scripts/env.sh"
. "$ROOT/bench/lib.sh"

PARTS=(edits away live sockets pages gate orders rush memory rebuild search board)
[[ $# -eq 0 ]] || PARTS=("$@")
for part in "${PARTS[@]}"; do
  [[ -r $ROOT/bench/$part.sh ]] || die "there is no bench/$part.sh"
  . "$ROOT/bench/$part.sh"
done

lock bench || die "another 'make bench' is running in this checkout: wait for it and try again"
forget_the_shop
site_env
setup_rust
setup_packages postgres redis bench
build_server
trap 'exit 130' INT TERM HUP
trap close_shop EXIT
ulimit -n 8192 2>/dev/null || true # bench/sockets.sh opens two thousand
open_shop
log_in 100
for part in "${PARTS[@]}"; do
  step "bench: $part"
  "bench_$part"
done
print_table
