#!/usr/bin/env bash
# Cart edits while Postgres stands still, and while it is stopped, against edits with it.

bench_away() {
  local round with=() frozen=() stopped=() drain=() start
  http_edits 2
  for round in 1 2 3; do
    settle
    http_edits 4 && with+=("$RATE")
    freeze_postgres
    http_edits 4 && frozen+=("$RATE")
    thaw_postgres
    start=$SECONDS
    settle
    drain+=("$((SECONDS - start))")
    http_edits 4 && with+=("$RATE")
    as_postgres "$(postgres_bin)/pg_ctl" stop -D "$(postgres_home "$DIR")/data" -m immediate -t 30 -s
    http_edits 4 && stopped+=("$RATE")
    postgres_up "$DIR" 54529
    note "round $round: with Postgres ${with[-2]}/s ${with[-1]}/s, frozen ${frozen[-1]}/s, stopped ${stopped[-1]}/s"
  done
  settle
  local usual
  usual=$(printf '%s\n' "${with[@]}" | median)
  row "cart edits/s with Postgres" "$usual"
  row "… with Postgres frozen (SIGSTOP) / with" "$(ratio "$(printf '%s\n' "${frozen[@]}" | median)" "$usual")" ">= 0.9"
  row "… with Postgres stopped / with" "$(ratio "$(printf '%s\n' "${stopped[@]}" | median)" "$usual")" ">= 0.9"
  row "every cart in Postgres after its return, s" "$(printf '%s\n' "${drain[@]}" | median)"
}

settle() { wait_for 60 drained || die "carts are not in Postgres after a minute: see $DIR/server.log"; }
