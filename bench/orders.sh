#!/usr/bin/env bash
# Orders of three lines, accepted over HTTP and written down, against pgbench on the same server: both with every commit on
# disk. A machine that others use is not the same all the time, so each round is held against the mean of pgbench right
# before and right after it, and the ratio is the median of the rounds. Then, at half that load, how long an order takes until
# it can be paid.

ORDERS=4000

bench_orders() {
  local round keys before persisted=() tps=() accepted=() p99=() ratios=()
  fill_shelves
  note_commit_times
  "$(postgres_bin)/pgbench" -i -q -s 10 "$(database "$POSTGRES_URL" pgbench && echo "$POSTGRES_URL/pgbench")" >/dev/null 2>&1 ||
    die "pgbench could not be filled"
  for round in 1 2 3 4 5 6 7; do
    crowd "$ORDERS" 3
    EVERY=1 wait_for 120 settled || die "the mails about the orders before are not sent: see $DIR/server.log"
    keys=$(new_keys)
    before=$(pgbench_tps)
    place_orders "$keys" 0
    accepted+=("$ACCEPTED") persisted+=("$(persisted_rate "$keys")") p99+=("$P99")
    tps+=("$(awk -v a="$before" -v b="$(pgbench_tps)" 'BEGIN { printf "%.0f", (a + b) / 2 }')")
    ratios+=("$(ratio "${persisted[-1]}" "${tps[-1]}")")
    note "round $round: accepted ${accepted[-1]}/s, written down ${persisted[-1]}/s, pgbench ${tps[-1]} tps: ${ratios[-1]}"
  done
  local orders pgbench
  orders=$(printf '%s\n' "${persisted[@]}" | median)
  pgbench=$(printf '%s\n' "${tps[@]}" | median)
  row "orders/s of 3 lines accepted over HTTP (32 connections)" "$(printf '%s\n' "${accepted[@]}" | median)"
  row "… place over HTTP under full load, p99 ms" "$(printf '%s\n' "${p99[@]}" | median)"
  row "orders/s of 3 lines accepted and written down, to zero lag" "$orders"
  row "pgbench -N -c 16, tps on the same server" "$pgbench"
  row "orders written down / pgbench (goal 1.0)" "$(printf '%s\n' "${ratios[@]}" | median)" ">= 0.5"
  half_load "$orders"
}

pgbench_tps() {
  "$(postgres_bin)/pgbench" -n -N -c 16 -j 2 -T 4 "$POSTGRES_URL/pgbench" 2>/dev/null | awk '/^tps/ { printf "%.0f", $3 }'
}

# From placing to the commit after which an order can be paid.
half_load() { # RATE
  crowd $(($1 * 5 / 2)) 3
  EVERY=1 wait_for 120 settled || die "the mails about the orders before are not sent: see $DIR/server.log"
  local p50 p99 keys
  keys=$(new_keys)
  place_orders "$keys" $((32 * 2000 / $1))
  IFS='|' read -r p50 p99 < <(psql_on "$DATABASE_URL" -Atc "SELECT round(p[1]::numeric, 1), round(p[2]::numeric, 1) FROM (
    SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (
      ORDER BY extract(epoch FROM pg_xact_commit_timestamp(xmin) - placed_at) * 1000) AS p
    FROM orders WHERE idempotency_key LIKE '$keys%') AS x")
  row "placed → payable at $ACCEPTED orders/s, p50 ms" "$p50"
  row "placed → payable at $ACCEPTED orders/s, p99 ms" "$p99"
}

# Enough copies of sixty titles; their ids in $SHELF.
fill_shelves() {
  SHELF=$DIR/shelf
  psql_on "$DATABASE_URL" -Atc "SELECT id FROM books ORDER BY id LIMIT 60" >"$SHELF"
  { echo sku,stock && psql_on "$DATABASE_URL" -Atc "SELECT sku || ',1000000' FROM books ORDER BY id LIMIT 60"; } >"$DIR/shelf.csv"
  "$BAZAR" import "$DIR/shelf.csv" 9>&- >/dev/null || die "the shelves could not be filled"
  wait_for 20 gate_settled || die "the gate does not hear of the new copies"
}

gate_settled() { [[ $(psql_on "$DATABASE_URL" -Atc "SELECT count(*) FROM gate_ops WHERE applied_at IS NULL") == 0 ]]; }

note_commit_times() {
  psql_on "$POSTGRES_URL/postgres" -c "ALTER SYSTEM SET track_commit_timestamp = on"
  as_postgres "$(postgres_bin)/pg_ctl" stop -D "$(postgres_home "$DIR")/data" -m fast -t 30 -s
  postgres_up "$DIR" 54529
  wait_for 30 shop_ready || die "the shop does not find Postgres again: see $DIR/server.log"
}

# crowd COUNT LINES: new guests with full carts; their cookies in $CROWD.
crowd() {
  CROWD=$DIR/crowd
  timeout 300 node bench/crowd.mjs "http://$ADDR" "$1" "$2" "$SHELF" "$CROWD" || die "the guests' carts stay empty: see $DIR/server.log"
  wait_for 60 drained || die "carts are not in Postgres after a minute"
}

# The first digits of as many keys as needed: UUIDs of version 7, as the checkout makes them.
new_keys() {
  local ms
  ms=$(printf '%012x' "$(date +%s%3N)")
  echo "${ms:0:8}-${ms:8}-7000-8000-"
}

# place_orders KEYS PAUSE: every guest of the crowd places one order; sets ACCEPTED (orders/s), P99 (ms) and STARTED (epoch).
place_orders() {
  local count wrk accepted_s placed
  count=$(wc -l <"$CROWD")
  STARTED=$(date +%s.%N)
  wrk -t2 -c32 -d120s --timeout 10s -s bench/place.lua "http://$ADDR" -- "$CROWD" "$1" "$2" >"$DIR/wrk.out" 2>&1 9>&- &
  wrk=$!
  # Seldom: each look takes the shop's time.
  EVERY=1 wait_for 110 written_down "$1" "$count" || die "not every order is in Postgres after two minutes: see $DIR/wrk.out and $DIR/server.log"
  # It would sit its time out, also when all is answered.
  kill -INT "$wrk" && wait "$wrk" || true
  read -r placed P99 < <(awk '$1 == "bench" { print $3, $5 }' "$DIR/wrk.out")
  ((placed == count)) || die "wrk saw $placed of $count orders accepted: see $DIR/wrk.out"
  accepted_s=$(psql_on "$DATABASE_URL" -Atc "SELECT extract(epoch FROM max(placed_at) - min(placed_at)) FROM orders WHERE idempotency_key LIKE '$1%'")
  ACCEPTED=$(awk -v n="$count" -v s="$accepted_s" 'BEGIN { printf "%.0f", (s > 0) ? n / s : 0 }')
}

# From the first request to the last commit, orders/s.
persisted_rate() { # KEYS
  psql_on "$DATABASE_URL" -Atc "SELECT round(count(*) / (extract(epoch FROM max(pg_xact_commit_timestamp(xmin))) - $STARTED)::numeric)
    FROM orders WHERE idempotency_key LIKE '$1%'"
}

# Nothing is left of the orders before: their mails leave some seconds later, in the midst of whatever is measured then.
settled() { [[ $(psql_on "$DATABASE_URL" -Atc "SELECT count(*) FROM outbox") == 0 ]]; }

written_down() { # KEYS COUNT
  [[ $(redis_says XLEN 'bb:{inv}:placed') == 0 ]] &&
    [[ $(psql_on "$DATABASE_URL" -Atc "SELECT count(*) FROM orders WHERE idempotency_key LIKE '$1%'") == "$2" ]]
}
