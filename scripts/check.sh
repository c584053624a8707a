#!/usr/bin/env bash
# Everything that can be said about the code without running the shop, the same on a laptop and in CI. All parts run even
# when one fails, so one round shows all there is to mend. Exit code: the number of parts that failed.

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$ROOT/scripts/services.sh"
. "$ROOT/scripts/setup.sh"

export SQLX_OFFLINE=true
failed=()

part() { # NAME COMMAND...
  local name=$1
  shift
  step "check: $name"
  "$@" || failed+=("$name")
}

clippy() {
  # Not the whole workspace in one go: cargo would join the features, and leptos cannot be server and browser at once.
  cargo clippy --workspace --exclude frontend --all-targets --locked -- -D warnings
}
clippy_browser() {
  cargo clippy -p frontend --locked -- -D warnings && cargo clippy -p frontend --features admin --locked -- -D warnings
}

setup_rust lints
setup_packages postgres
part 'format' cargo fmt --all --check
part 'arrows between the rooms' node scripts/arrows.mjs
part '.sqlx is up to date' bash scripts/sqlx.sh check
part 'clippy, server side' clippy
part 'clippy, browser side' clippy_browser

if ((${#failed[@]})); then
  printf '%scheck failed: %s%s\n' "$RED" "$(IFS=,; echo "${failed[*]}")" "$PLAIN" >&2
fi
exit "${#failed[@]}"
