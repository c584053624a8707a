#!/usr/bin/env bash
# Whole pages over HTTP, compressed as browsers ask for them and as somebody sees them who comes from a search engine, against
# a Leptos page with nothing on it.

bench_pages() {
  local round path slug empty=() rates
  declare -A rates
  open_empty_page
  slug=$(psql_on "$DATABASE_URL" -Atc "SELECT slug FROM books WHERE retired_at IS NULL ORDER BY popularity DESC, id LIMIT 1")
  for path in / /books "/books/$slug"; do pages "http://$ADDR$path" 1; done # warm-up
  for round in 1 2 3; do
    pages "http://$EMPTY/" 4
    empty+=("$RATE")
    for path in / /books "/books/$slug"; do
      pages "http://$ADDR$path" 4
      rates[$path]+=" $RATE"
    done
    note "round $round: empty ${empty[-1]}/s, home ${rates[/]##* }/s, list ${rates[/books]##* }/s, book ${rates[/books/$slug]##* }/s"
  done
  end_pid "$EMPTY_PID" empty_page 5 || true
  local yardstick
  yardstick=$(printf '%s\n' "${empty[@]}" | median)
  row "empty Leptos page, pages/s" "$yardstick"
  against "$yardstick" "home page" "${rates[/]}" ">= 0.3"
  against "$yardstick" "list of books" "${rates[/books]}" ">= 0.3"
  against "$yardstick" "book page" "${rates[/books/$slug]}" ">= 0.3"
}

against() { # YARDSTICK WHAT RATES BUDGET
  local rate
  rate=$(tr ' ' '\n' <<<"$3" | grep . | median)
  row "$2 / empty page ($rate pages/s)" "$(ratio "$rate" "$1")" "$4"
}

open_empty_page() {
  # Together with the shop, so that both stand on the same crates with the same features.
  cargo build --release -p server -p app --features app/ssr --bin bazar --example empty_page 9>&- || die "the empty page did not build: the compiler's message is above"
  EMPTY=127.0.0.1:$(free_port 3950)
  "$TARGET/release/examples/empty_page" "$EMPTY" 9>&- 2>"$DIR/empty.log" &
  EMPTY_PID=$!
  wait_for 5 page_there "$EMPTY" || die "the empty page does not come: see $DIR/empty.log"
}

page_there() { [[ $(http_status "$1" /) == 200 ]]; }

pages() { # URL SECONDS: sets RATE (pages/s); any answer but 200 ends the bench
  local out
  out=$(timeout $(($2 + 30)) wrk -t2 -c32 -d"${2}s" --timeout 10s -H 'Accept: text/html' -H 'Accept-Encoding: gzip, br' "$1") || die "wrk failed: $out"
  ! grep -q 'Non-2xx\|Socket errors' <<<"$out" || die "pages failed under load: $out"
  RATE=$(awk '/^Requests\/sec/ { printf "%.0f", $2 }' <<<"$out")
}
