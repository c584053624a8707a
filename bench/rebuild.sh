#!/usr/bin/env bash
# How long the gate is closed when Redis lost it, with 100,000 books and 10,000 open orders of three lines in Postgres.

bench_rebuild() {
  local round times=() worker log=$DIR/rebuild.log
  database "$POSTGRES_URL" rebuild
  note "filling a database"
  DATABASE_URL=$POSTGRES_URL/rebuild "$BAZAR" migrate 9>&- || die "'bazar migrate' failed: its message is above"
  psql_on "$POSTGRES_URL/rebuild" -f bench/rebuild.sql >/dev/null || die "the database could not be filled"
  DATABASE_URL=$POSTGRES_URL/rebuild BAZAR_KEY_PREFIX=rebuild: "$BAZAR" worker 9>&- 2>"$log" &
  worker=$!
  for round in 1 2 3; do
    wait_for 60 loads_seen "$round" || die "the gate is not loaded after a minute: see $log"
    times+=("$(load_ms "$log")")
    note "round $round: ${times[-1]} ms"
    redis_says DEL 'rebuild:{inv}:epoch' >/dev/null
  done
  wait_for 60 loads_seen 4 || die "the gate is not loaded after a minute: see $log"
  end_pid "$worker" "$BAZAR worker" 15 || kill -KILL "$worker" 2>/dev/null || true
  row "rebuild of the gate, 100,000 books and 10,000 open orders, ms" "$(printf '%s\n' "${times[@]}" | median)"
}

loads_seen() { (($(grep -c 'the gate is loaded' "$DIR/rebuild.log") >= $1)); }

# Between the two lines of the latest rebuild.
load_ms() {
  node -e 'const rows = require("fs").readFileSync(process.argv[1], "utf8").split("\n").filter((l) => l.includes("the gate is "));
    const [from, to] = rows.slice(-2).map((row) => Date.parse(JSON.parse(row).timestamp)); console.log(to - from)' "$1"
}
