#!/usr/bin/env bash
# `make test`: every check and every test, on a Postgres and a Redis of its own that begin empty each time, on ports of
# their own, so it may run beside `make run`. Ends with the sums of all runners; exit code 1 if anything failed. Up to three
# tests that fail beside all others run once more by themselves, and are called flaky if they pass then.

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$ROOT/scripts/services.sh"
. "$ROOT/scripts/setup.sh"
. "$ROOT/scripts/env.sh"

DIR=$STATE/test
# More failures than these are no accident of a crowded machine.
MAX_FLAKY=3
passed=0 failed=0 flaky=()

finish() {
  local status=$?
  services_wipe "$DIR"
  ((failed > 0 || status == 0)) || failed=1 # ended by something that no runner counted
  ((${#flaky[@]} == 0)) || printf 'FLAKY, to be looked into: %s\n' "${flaky[@]}"
  echo "$passed passed, $failed failed"
  ((failed == 0)) || exit 1
}

# sums LOG: how many tests passed and failed, by what cargo's or node's runner printed.
sums() {
  awk '
    /^test result:/ { p += $4; f += $6 }
    /^(ℹ|#) pass / { p += $3 }
    /^(ℹ|#) (fail|cancelled) / { f += $3 }
    END { print p + 0, f + 0 }' "$1"
}

# shown LOG COMMAND...: shows and keeps what it prints; its exit code.
shown() {
  local log=$1 status=0
  shift
  "$@" 9>&- 2>&1 | tee "$log" || status=${PIPESTATUS[0]}
  return "$status"
}

# runner NAME COMMAND...: counts what it ran; a runner that fails without saying why counts as one failure. Sets `status`.
runner() {
  local p f
  status=0
  shown "$DIR/$1.log" "${@:2}" || status=$?
  read -r p f < <(sums "$DIR/$1.log")
  ((f > 0 || status == 0)) || f=1
  ((passed += p, failed += f)) || true
}

# told_all LOG: no runner ran out of time, and every binary that cargo started came to its sums.
told_all() {
  local started ended
  started=$(grep -cE '^ +(Running|Doc-tests) ' "$1") || true
  ended=$(grep -c '^test result:' "$1") || true
  ((status != 124 && started == ended))
}

# alone NAME KNOWN COMMAND...: the second chance of the tests that failed in that run, if they are few and known by name.
alone() {
  local p f known=$2 before
  read -r _ before < <(sums "$DIR/$1.log")
  ((before > 0 && before <= MAX_FLAKY && known > 0)) && told_all "$DIR/$1.log" || return 0
  step "tests: what failed, once more by itself"
  shown "$DIR/$1-alone.log" "${@:3}" || return 0
  read -r p f < <(sums "$DIR/$1-alone.log")
  ((f == 0 && p >= known)) || return 0
  ((passed += before, failed -= before)) || true
  flaky+=("${again[@]}")
}

lock test || die "another 'make test' is running in this checkout: wait for it and try again"
forget_the_shop
site_env
setup_rust lints
setup_packages postgres redis browser
setup_npm
CHROMIUM=$(chromium_path)
services_wipe "$DIR"
make_state "$DIR"
trap finish EXIT
postgres_up "$DIR" 54429 fast
redis_up "$DIR" 63890
export CHROMIUM
export BAZAR_TEST_DATABASE_URL=$POSTGRES_URL/postgres
export BAZAR_TEST_REDIS_URL=$REDIS_URL_OF/
export BAZAR_SCRATCH_POSTGRES=$POSTGRES_URL
# A failure is told in a few lines: what CI keeps of its output is short.
export RUST_BACKTRACE=0
export BAZAR_BIN=$TARGET/debug/bazar
PATH=$PATH:$(postgres_bin) # the browser tests look into the database by psql

bash scripts/check.sh 9>&- || failed=$?
bash scripts/build-web.sh 9>&- || exit 1
step "building the tests"
tests=(cargo test --workspace --exclude frontend --locked)
"${tests[@]}" --no-run 9>&- || exit 1
step "tests: units, scripts, SQL, HTTP"
# Said here because cargo swallows what a passing test prints.
[[ -r ${BAZAR_REAL_BOOKS:-} ]] || note "SKIPPED: the tests of the real catalogue: BAZAR_REAL_BOOKS does not name its file"
runner cargo timeout 2600 "${tests[@]}" --no-fail-fast
mapfile -t again < <(sed -n 's/^test \(.*\) \.\.\. FAILED$/\1/p' "$DIR/cargo.log")
alone cargo ${#again[@]} timeout 600 "${tests[@]}" -- --test-threads=1 --exact "${again[@]}"
step "tests: browser"
if compgen -G 'e2e/*.test.mjs' >/dev/null; then
  runner browser timeout 2000 node --test --test-reporter=spec e2e/*.test.mjs
  mapfile -t again < <(sed -n 's/^test at \(e2e[^:]*\):.*/\1/p' "$DIR/browser.log" | sort -u)
  alone browser ${#again[@]} timeout 600 node --test --test-reporter=spec "${again[@]}"
else
  note "SKIPPED: there is no e2e/*.test.mjs"
fi
