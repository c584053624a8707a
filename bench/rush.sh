#!/usr/bin/env bash
# Two thousand people want one title with fifty copies at the same moment.

. "$ROOT/bench/orders.sh" # crowds

bench_rush() {
  local round p99=() won answered last
  SHELF=$DIR/rush.shelf
  for round in 1 2 3; do
    psql_on "$DATABASE_URL" -Atc "SELECT id FROM books ORDER BY id DESC LIMIT 1 OFFSET $round" >"$SHELF"
    { echo sku,stock && psql_on "$DATABASE_URL" -Atc "SELECT sku || ',50' FROM books WHERE id = $(cat "$SHELF")"; } >"$DIR/rush.csv"
    "$BAZAR" import "$DIR/rush.csv" 9>&- >/dev/null || die "the fifty copies did not come"
    wait_for 20 gate_settled || die "the gate does not hear of the fifty copies"
    crowd 2000 1
    read -r won answered _ last _ < <(timeout 60 node bench/rush.mjs "http://$ADDR" "$CROWD" "$(new_keys)") || die "the rush failed: see $DIR/server.log"
    [[ $won == 50 && $answered == 2000 ]] || die "$won orders of 50, $answered answers of 2000: see $DIR/server.log"
    p99+=("$last")
    note "round $round: p99 $last ms"
  done
  row "2,000 shoppers, one title, 50 copies: p99 of all answers, ms" "$(printf '%s\n' "${p99[@]}" | median)" "<= 1000"
}
