#!/usr/bin/env bash
# Cart edits of logged-in shoppers over HTTP against Redis' own rate for the very same script calls.

bench_edits() {
  local round http=() redis=() p50=() p99=()
  http_edits 3 # warm-up; and every cart gets its lines
  capture_edits
  for round in 1 2 3; do
    http_edits 5
    http+=("$RATE") p50+=("$P50") p99+=("$P99")
    redis_edits 15000
    redis+=("$RATE")
    note "round $round: http ${http[-1]}/s, redis-benchmark ${redis[-1]}/s"
  done
  local a b
  a=$(printf '%s\n' "${http[@]}" | median)
  b=$(printf '%s\n' "${redis[@]}" | median)
  row "cart edits/s over HTTP (add, set, remove; 32 connections)" "$a"
  row "cart edits/s of redis-benchmark (the same script calls)" "$b"
  row "HTTP / redis-benchmark" "$(ratio "$a" "$b")" ">= 0.25"
  row "cart edit over HTTP under full load, p50 ms" "$(printf '%s\n' "${p50[@]}" | median)"
  row "cart edit over HTTP under full load, p99 ms" "$(printf '%s\n' "${p99[@]}" | median)"
}

# Records what the server really sends for one add, set and remove, and copies of the shoppers' carts under a prefix that
# nobody works on: the same script, keys, arguments and carts, whatever they look like in this version.
capture_edits() {
  local watcher n=0 key
  # The program itself, not a shell around it, so that it ends when it is told: a watched Redis is a slow one.
  REDISCLI_AUTH=$(cat "$DIR/redis/password") redis-cli -h 127.0.0.1 -p "$(redis_port "$DIR")" monitor >"$DIR/monitor" 9>&- &
  watcher=$!
  wait_for 5 test -s "$DIR/monitor" || die "redis-cli monitor says nothing"
  timeout 20 node bench/capture.mjs "http://$ADDR" "$COOKIES" "$BOOKS" "$DIR/monitor" "$DIR" || die "no edit was seen in Redis"
  end_pid "$watcher" monitor 5 || die "redis-cli monitor does not end"
  wait "$watcher" 2>/dev/null || true
  CARTS=$(wc -l <"$COOKIES")
  redis_says --scan --pattern 'bb:cart:*:a:*' >"$DIR/carts"
  while ((n < CARTS)); do
    while read -r key && ((n < CARTS)); do
      printf 'COPY %s %s REPLACE\n' "$key" "$(printf "$(cat "$DIR/key")" "$n")"
      ((n += 1))
    done <"$DIR/carts"
  done | redis_says >/dev/null
}

# redis_edits COUNT: COUNT calls of each verb, side by side as in the HTTP mix; sets RATE.
redis_edits() {
  local verb call pids=() pid start before
  before=$(edits_seen)
  start=$(date +%s%N)
  for verb in add set remove; do
    mapfile -t call <"$DIR/$verb.call"
    timeout 60 redis-benchmark -h 127.0.0.1 -p "$(redis_port "$DIR")" \
      -a "$(cat "$DIR/redis/password")" -c 11 -n "$1" -r "$CARTS" --csv "${call[@]}" >"$DIR/$verb.out" 2>&1 9>&- &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do wait "$pid" || die "redis-benchmark failed: $(tail -1 "$DIR"/add.out)"; done
  RATE=$(awk -v n="$1" -v ns="$(($(date +%s%N) - start))" 'BEGIN { printf "%.0f", 3 * n * 1e9 / ns }')
  # Calls that change nothing would be cheaper than what they are compared with.
  (($(edits_seen) - before > $1 / CARTS)) || die "redis-benchmark changed no carts: $(tail -1 "$DIR"/set.out)"
}

edits_seen() { redis_says HGET "$(printf "$(cat "$DIR/key")" 0)" v; }
