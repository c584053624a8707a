#!/usr/bin/env bash
# From an edit in one tab to the frame in the other one, at 500 edits/s.

bench_live() {
  local round out=() p50 p99 rate
  for round in 1 2 3; do
    read -r rate p50 p99 < <(timeout 60 node bench/live.mjs "http://$ADDR" "$COOKIES" "$BOOKS" 500 8) || die "the tabs failed"
    out+=("$rate $p50 $p99")
    note "round $round: $rate edits/s, p50 $p50 ms, p99 $p99 ms"
  done
  row "edits/s while two tabs of each shopper look" "$(printf '%s\n' "${out[@]}" | cut -d' ' -f1 | median)"
  row "edit → other tab, p50 ms" "$(printf '%s\n' "${out[@]}" | cut -d' ' -f2 | median)"
  row "edit → other tab, p99 ms" "$(printf '%s\n' "${out[@]}" | cut -d' ' -f3 | median)" "<= 50"
}
