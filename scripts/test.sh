#!/usr/bin/env bash
# `make test`: every check and every test, on a Postgres and a Redis of its own that begin empty each time, on ports of
# their own, so it may run beside `make run`. Ends with the sums of all runners; exit code 1 if anything failed.

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$ROOT/scripts/services.sh"
. "$ROOT/scripts/setup.sh"
. "$ROOT/scripts/env.sh"

DIR=$STATE/test
passed=0 failed=0

finish() {
  local status=$?
  services_wipe "$DIR"
  ((failed > 0 || status == 0)) || failed=1 # ended by something that no runner counted
  echo "$passed passed, $failed failed"
  ((failed == 0)) || exit 1
}

# count LOG STATUS: adds the sums of cargo's or node's runner; a runner that fails without saying why counts as one.
count() {
  local p f
  read -r p f < <(awk '
    /^test result:/ { p += $4; f += $6 }
    /^(ℹ|#) pass / { p += $3 }
    /^(ℹ|#) (fail|cancelled) / { f += $3 }
    END { print p + 0, f + 0 }' "$1")
  ((f > 0 || $2 == 0)) || f=1
  ((passed += p, failed += f)) || true
}

# runner NAME COMMAND...: shows and keeps what it prints, then counts it.
runner() {
  local log=$DIR/$1.log status=0
  shift
  "$@" 9>&- 2>&1 | tee "$log" || status=${PIPESTATUS[0]}
  count "$log" "$status"
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
runner cargo timeout 2200 "${tests[@]}" --no-fail-fast
step "tests: browser"
if compgen -G 'e2e/*.test.mjs' >/dev/null; then
  runner browser timeout 1500 node --test --test-reporter=spec e2e/*.test.mjs
else
  note "SKIPPED: there is no e2e/*.test.mjs"
fi
