#!/usr/bin/env bash
# What an idle socket costs the server: two thousand tabs that look at a page of books and do nothing.

SOCKETS=2000

resident() { awk '/^VmRSS/ { print $2 }' "/proc/$SERVER/status"; }

bench_sockets() {
  local before after tabs
  before=$(resident)
  coproc TABS { exec node bench/idle.mjs "http://$ADDR" "$SOCKETS" 9>&-; } # the program itself, so that it ends when told
  tabs=$TABS_PID
  read -r -t 60 _ <&"${TABS[0]}" || die "the sockets did not open: see $DIR/server.log"
  sleep 2 # what opening them took is given back
  after=$(resident)
  kill "$tabs" && wait "$tabs" 2>/dev/null || true
  row "KiB of the server per idle socket ($SOCKETS of them)" "$(awk -v b="$before" -v a="$after" -v n="$SOCKETS" 'BEGIN { printf "%.1f", (a - b) / n }')" "<= 30"
}
