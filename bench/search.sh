#!/usr/bin/env bash
# Searches, facets and suggestions over HTTP: over the real books when BAZAR_REAL_BOOKS names them (else as many made-up
# ones), then over 200,000.

bench_search() {
  local real=${BAZAR_REAL_BOOKS:-}
  [[ -r $real ]] || { real=$DIR/some.csv && node bench/books.mjs 9278 "$real"; }
  bring_in "$real" 9278
  searches "$real" "9,278 books" 50
  node bench/books.mjs 200000 "$DIR/many.csv"
  bring_in "$DIR/many.csv" 200000
  searches "$DIR/many.csv" "200,000 books" 150
  row "resident memory of the server with them, MiB" "$(awk '/^VmRSS/ { printf "%.0f", $2 / 1024 }' "/proc/$SERVER/status")"
}

# bring_in FILE COUNT: until every one of its books can be found.
bring_in() {
  note "importing $2 books"
  "$BAZAR" import "$1" 9>&- >/dev/null || die "'bazar import' failed: its message is above"
  wait_for 60 can_be_found "$2" || die "the books of $1 are not found after a minute: see $DIR/server.log"
}

can_be_found() { (($(curl_total) >= $1)); }
curl_total() { node -e 'fetch(process.argv[1]).then((r) => r.json()).then((list) => console.log(list.total), () => console.log(0))' "http://$ADDR/api/books?q="; }

searches() { # FILE WHAT BUDGET
  local round rate p50 p99 all=()
  timeout 120 node bench/search.mjs "http://$ADDR" "$1" 200 >/dev/null # warm-up
  for round in 1 2 3; do
    read -r rate p50 p99 < <(timeout 300 node bench/search.mjs "http://$ADDR" "$1" $((1000 + round)) | awk '$1 == "bench" { print $2, $3, $4 }')
    [[ -n ${p99:-} ]] || die "the searches failed: see $DIR/server.log"
    all+=("$p99")
    note "round $round: $rate/s, p50 $p50 ms, p99 $p99 ms"
  done
  row "search over $2, p50 ms (4 at a time)" "$p50"
  row "search over $2, p99 ms" "$(printf '%s\n' "${all[@]}" | median)" "<= $3"
}
