#!/usr/bin/env bash
# Orders accepted over HTTP against Redis' own rate for the very same call of order_place: same script, arguments of the same
# sizes, every order a new one.

. "$ROOT/bench/orders.sh" # crowds and how they place

bench_gate() {
  local round http=() redis=()
  fill_shelves
  capture_place
  for round in 1 2 3; do
    crowd 2000 3
    place_orders "gate$round-" 0
    http+=("$ACCEPTED")
    redis_places 20000
    redis+=("$RATE")
    note "round $round: http ${http[-1]}/s, redis-benchmark ${redis[-1]}/s"
  done
  local a b
  a=$(printf '%s\n' "${http[@]}" | median)
  b=$(printf '%s\n' "${redis[@]}" | median)
  row "orders/s accepted over HTTP (3 lines; 32 connections)" "$a"
  row "order_place/s of redis-benchmark (the same call)" "$b"
  row "orders accepted over HTTP / redis-benchmark" "$(ratio "$a" "$b")"
}

# Records what the server sends for one order.
capture_place() {
  local watcher
  crowd 2 3 # one for each thread of wrk
  # The program itself, not a shell around it, so that it ends when it is told: a watched Redis is a slow one.
  REDISCLI_AUTH=$(cat "$DIR/redis/password") redis-cli -h 127.0.0.1 -p "$(redis_port "$DIR")" monitor >"$DIR/monitor" 9>&- &
  watcher=$!
  wait_for 5 test -s "$DIR/monitor" || die "redis-cli monitor says nothing"
  place_orders capture- 0
  end_pid "$watcher" monitor 5 || die "redis-cli monitor does not end"
  wait "$watcher" 2>/dev/null || true
  node bench/gate.mjs "$DIR/monitor" "$DIR/place.call" "$DIR/place.books" || die "no order was seen in Redis"
}

# redis_places COUNT: in a database of its own, where every book has copies without end; sets RATE.
redis_places() {
  local call start book left before after
  redis_says -n 1 FLUSHDB >/dev/null
  redis_says -n 1 SET 'bb:{inv}:epoch' 1 >/dev/null
  redis_says -n 1 SET 'bb:{inv}:run_id' "$(redis_says INFO server | tr -d '\r' | sed -n 's/^run_id://p')" >/dev/null
  while read -r book; do redis_says -n 1 HSET 'bb:{inv}:stock' "$book" 1000000000 >/dev/null; done <"$DIR/place.books"
  mapfile -t call <"$DIR/place.call"
  start=$(date +%s%N)
  timeout 60 redis-benchmark -h 127.0.0.1 -p "$(redis_port "$DIR")" -a "$(cat "$DIR/redis/password")" --dbnum 1 \
    -c 32 -n "$1" -r 2000000000 --csv "${call[@]}" >"$DIR/place.out" 2>&1 9>&- || die "redis-benchmark failed: $(tail -1 "$DIR/place.out")"
  RATE=$(awk -v n="$1" -v ns="$(($(date +%s%N) - start))" 'BEGIN { printf "%.0f", n * 1e9 / ns }')
  left=$(redis_says -n 1 XLEN 'bb:{inv}:placed')
  # A refusal would be cheaper than what it is compared with.
  ((left > $1 * 99 / 100)) || die "redis-benchmark placed $left orders of $1"
  redis_says -n 1 FLUSHDB >/dev/null
}
