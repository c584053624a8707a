#!/usr/bin/env bash
# Pages of the board over 200,000 orders, by every filter and search.

bench_board() {
  local round rate p50 p99 kind slowest all=() web base log=$DIR/board.log password
  database "$POSTGRES_URL" board
  note "filling a database"
  DATABASE_URL=$POSTGRES_URL/board "$BAZAR" migrate 9>&- || die "'bazar migrate' failed: its message is above"
  psql_on "$POSTGRES_URL/board" -f bench/board.sql >/dev/null || die "the database could not be filled"
  password=$(random_hex 16)
  DATABASE_URL=$POSTGRES_URL/board BAZAR_KEY_PREFIX=board: BAZAR_ADMIN_PASSWORD=$password \
    "$BAZAR" admin create boss@example.org --name Boss 9>&- >/dev/null || die "'bazar admin create' failed: its message is above"
  base=127.0.0.1:$(free_port 3950)
  DATABASE_URL=$POSTGRES_URL/board BAZAR_KEY_PREFIX=board: BAZAR_ADDR=$base BAZAR_BASE_URL=http://$base "$BAZAR" all 9>&- 2>"$log" &
  web=$!
  wait_for 60 board_ready "$base" || die "the shop is not ready after a minute: see $log"
  timeout 120 node bench/board.mjs "http://$base" boss@example.org "$password" 170 >/dev/null # warm-up
  for round in 1 2 3; do
    read -r rate p50 p99 kind slowest < <(timeout 300 node bench/board.mjs "http://$base" boss@example.org "$password" 1000 |
      awk '$1 == "bench" { print $2, $3, $4, $5, $6 }')
    [[ -n ${p99:-} ]] || die "the board failed: see $log"
    all+=("$p99")
    note "round $round: $rate/s, p50 $p50 ms, p99 $p99 ms; slowest: $kind, $slowest ms"
  done
  end_pid "$web" "$BAZAR all" 15 || kill -KILL "$web" 2>/dev/null || true
  row "board of 200,000 orders, p50 ms (4 at a time)" "$p50"
  row "board of 200,000 orders, p99 ms" "$(printf '%s\n' "${all[@]}" | median)" "<= 150"
}

board_ready() { [[ $(http_status "$1" /readyz) == 200 ]]; }
