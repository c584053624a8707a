#!/usr/bin/env bash
# Sourced by scripts/bench.sh: a shop with servers of its own, people who are logged in, and the table of results.

DIR=$STATE/bench
ADDR=127.0.0.1
SERVER=''
TABLE=$DIR/table

# Durable servers, as in production: nothing here is measured with safety switched off.
open_shop() {
  services_wipe "$DIR"
  make_state "$DIR"
  postgres_up "$DIR" 54529
  redis_up "$DIR" 63990
  database "$POSTGRES_URL" bazar
  ADDR=127.0.0.1:$(free_port 3900)
  export DATABASE_URL=$POSTGRES_URL/bazar REDIS_URL=$REDIS_URL_OF/0 BAZAR_ADDR=$ADDR BAZAR_BASE_URL=http://$ADDR
  export BAZAR_ENV=development BAZAR_LOG=json BAZAR_METRICS_ADDR=off BAZAR_LOGIN_PER_ADDRESS=1000000
  BAZAR_SECRET=$(random_hex 32)
  export BAZAR_SECRET
  "$BAZAR" migrate 9>&- || die "'bazar migrate' failed: its message is above"
  "$BAZAR" seed 9>&- >/dev/null || die "'bazar seed' failed: its message is above"
  "$BAZAR" all 9>&- 2>"$DIR/server.log" &
  SERVER=$!
  wait_for 30 shop_ready || die "the shop is not ready after 30 seconds: see $DIR/server.log"
  : >"$TABLE"
}

shop_ready() { [[ $(http_status "$ADDR" /readyz) == 200 ]]; }

close_shop() {
  thaw_postgres
  [[ -z $SERVER ]] || end_pid "$SERVER" "$BAZAR all" 15 || kill -KILL "$SERVER" 2>/dev/null || true
  services_wipe "$DIR"
}

# log_in COUNT: shoppers with a session and books in their carts; sets COOKIES and BOOKS, one per line.
log_in() {
  COOKIES=$DIR/cookies BOOKS=$DIR/books
  note "logging in $1 shoppers"
  timeout 300 node bench/login.mjs "http://$ADDR" "$1" "$COOKIES" "$BOOKS" || die "nobody could log in: see $DIR/server.log"
}

redis_says() { REDISCLI_AUTH=$(cat "$DIR/redis/password") redis-cli -h 127.0.0.1 -p "$(redis_port "$DIR")" "$@"; }

# http_edits SECONDS: sets RATE (edits/s), P50 and P99 (ms); any answer but 2xx ends the bench.
http_edits() {
  local out errors
  out=$(timeout $(($1 + 30)) wrk -t2 -c32 -d"${1}s" --timeout 10s -s bench/edits.lua "http://$ADDR" -- "$COOKIES" "$BOOKS") ||
    die "wrk failed: $out"
  read -r RATE P50 P99 errors < <(awk '$1 == "bench" { print $2, $3, $4, $5 }' <<<"$out")
  [[ $errors == 0 ]] || die "$errors edits failed under load: see $DIR/server.log"
}

freeze_postgres() {
  local pid
  pid=$(postgres_pid "$DIR")
  kill -STOP "$pid"
  FROZEN="$pid $(ps -o pid= --ppid "$pid" | tr '\n' ' ')"
  # shellcheck disable=SC2086 # several pids
  kill -STOP $FROZEN
}

thaw_postgres() {
  # shellcheck disable=SC2086 # several pids
  [[ -z ${FROZEN:-} ]] || kill -CONT $FROZEN 2>/dev/null || true
  FROZEN=''
}

# Whether Postgres holds every cart.
drained() {
  local bucket
  [[ $(for bucket in {0..63}; do echo "ZCARD bb:cart:{$bucket}:dirty"; done | redis_says | awk '{ n += $1 } END { print n + 0 }') == 0 ]]
}

median() { sort -g | awk '{ n[NR] = $1 } END { print n[int((NR + 1) / 2)] }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", (b > 0) ? a / b : 0 }'; }

# row WHAT FIGURE [BUDGET]: BUDGET is `>= 0.25` or `<= 50`; without one the figure is only told.
row() {
  local verdict=''
  [[ -z ${3:-} ]] || verdict=$(awk -v f="$2" -v b="$3" 'BEGIN {
    split(b, p, " "); ok = (p[1] == ">=") ? f + 0 >= p[2] + 0 : f + 0 <= p[2] + 0; print ok ? "ok" : "MISSED" }')
  printf '%s\t%s\t%s\t%s\n' "$1" "$2" "${3:-}" "$verdict" >>"$TABLE"
  note "$1: $2 ${3:+(budget $3: $verdict)}"
}

print_table() {
  awk -F'\t' 'BEGIN { printf "%-66s %12s  %-9s\n", "what", "figure", "budget" }
    { printf "%-66s %12s  %-9s %s\n", $1, $2, $3, $4; missed += $4 == "MISSED" }
    END { if (missed) print missed " MISSED" }' "$TABLE"
}
