#!/usr/bin/env bash
# Whole pages over HTTP, compressed as browsers ask for them, against a Leptos page with nothing on it: as somebody sees them who
# comes from a search engine and shares them with all who come so (ADR 39), and as they are rendered for whoever has a cookie.

bench_pages() {
  local round path slug who empty=()
  local -A rates cookie=([strangers]='' [shoppers]='Cookie: theme=none')
  open_empty_page
  slug=$(psql_on "$DATABASE_URL" -Atc "SELECT slug FROM books WHERE retired_at IS NULL ORDER BY popularity DESC, id LIMIT 1")
  local -A paths=(["home page"]=/ ["list of books"]=/books ["book page"]="/books/$slug")
  for path in "${paths[@]}"; do pages "http://$ADDR$path" 1 "${cookie[shoppers]}"; done # warm-up
  for round in 1 2 3; do
    pages "http://$EMPTY/" 4
    empty+=("$RATE")
    for path in "${!paths[@]}"; do
      for who in strangers shoppers; do
        pages "http://$ADDR${paths[$path]}" 3 "${cookie[$who]}"
        rates["$who $path"]+=" $RATE"
      done
    done
    note "round $round: empty ${empty[-1]}/s, list for strangers ${rates[strangers list of books]##* }/s, rendered ${rates[shoppers list of books]##* }/s"
  done
  end_pid "$EMPTY_PID" empty_page 5 || true
  local yardstick
  yardstick=$(printf '%s\n' "${empty[@]}" | median)
  row "empty Leptos page, pages/s" "$yardstick"
  for path in "home page" "list of books" "book page"; do
    against "$yardstick" "$path, for strangers" "${rates[strangers $path]}" ">= 0.3"
    against "$yardstick" "… rendered for one who has a cookie" "${rates[shoppers $path]}" ">= 0.04"
  done
}

against() { # YARDSTICK WHAT RATES [BUDGET]
  local rate
  rate=$(tr ' ' '\n' <<<"$3" | grep . | median)
  row "$2 / empty page ($rate pages/s)" "$(ratio "$rate" "$1")" "${4:-}"
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

pages() { # URL SECONDS [HEADER]: sets RATE (pages/s); any answer but 200 ends the bench
  local out
  out=$(timeout $(($2 + 30)) wrk -t2 -c32 -d"${2}s" --timeout 10s -H 'Accept: text/html' -H 'Accept-Encoding: gzip, br' ${3:+-H "$3"} "$1") || die "wrk failed: $out"
  ! grep -q 'Non-2xx\|Socket errors' <<<"$out" || die "pages failed under load: $out"
  RATE=$(awk '/^Requests\/sec/ { printf "%.0f", $2 }' <<<"$out")
}
