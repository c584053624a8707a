#!/usr/bin/env bash
# `make run`: from a fresh clone to a page in the browser. Every step first looks whether it has anything to do, so the
# second time takes seconds. The server stays in the foreground; Ctrl-C or `make stop` lets it finish its work, then stops
# the private Postgres and Redis (their data stays in .bazar/).

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$ROOT/scripts/services.sh"
. "$ROOT/scripts/setup.sh"
. "$ROOT/scripts/env.sh"

shop_env
make_state "$RUN"
PORT=${BAZAR_ADDR##*:}
URL=http://$BAZAR_ADDR

refuse_a_second_one() {
  if server_runs; then
    step "Book Bazar is already running on $(cat "$RUN/url") (pid $(server_pid)); 'make stop' stops it"
    exit 0
  fi
  lock run || die "another 'make run' is at work in this checkout: wait for it, or stop it with 'make stop'"
  ! port_open "$PORT" ||
    die "port $PORT is taken by another program: stop that, or choose another: BAZAR_ADDR=127.0.0.1:$((PORT + 10)) make run"
}

build() {
  setup_rust
  setup_packages "${parts[@]}"
  build_server
  bash scripts/build-web.sh 9>&- || exit 1
}

fill() {
  step "database"
  "$BAZAR" migrate 9>&- || die "'bazar migrate' failed: its message is above"
  if [[ $BAZAR_ENV == production ]]; then return; fi
  "$BAZAR" seed 9>&- | tee "$RUN/seed.out" || die "'bazar seed' failed: its message is above"
}

page_ready() { [[ -n $stopping ]] || ! kill -0 "$server" 2>/dev/null || [[ $(http_status "$BAZAR_ADDR" /) == 200 ]]; }

serve() {
  local status=0
  stopping=''
  trap 'stopping=1' INT TERM HUP
  # In a process group of its own: a Ctrl-C then reaches it once, from us, and not once more from the terminal.
  set -m
  "$BAZAR" all 9>&- &
  server=$!
  set +m
  echo "$server" >"$RUN/server.pid"
  echo "$URL" >"$RUN/url"
  wait_for 60 page_ready || {
    note "no page after a minute; stopping (the server's log is above)"
    stopping=1 status=1
  }
  [[ -n $stopping ]] || ! kill -0 "$server" 2>/dev/null || banner
  until [[ -n $stopping ]] || ! kill -0 "$server" 2>/dev/null; do wait "$server" || true; done
  if [[ -n $stopping ]]; then
    step "stopping: open requests and jobs may finish"
    end_pid "$server" "$BAZAR all" 15 || {
      note "still at work after 15 seconds: ending it"
      kill -KILL "$server" 2>/dev/null || true
    }
    return "$status"
  fi
  wait "$server" || status=$?
  # `make stop` asked it to; anything else is worth a word.
  ((status == 0 || status == 143)) || die "the server stopped by itself (exit code $status): its last lines are above"
}

banner() {
  step "Book Bazar is open: $URL"
  [[ ! -s $RUN/seed.out ]] || grep '@' "$RUN/seed.out" | sed 's/^/    /' >&2 || true
  note "import your own books: scripts/bazar import FILE.csv · stop: Ctrl-C here, or 'make stop' elsewhere"
}

close_up() {
  rm -f "$RUN/server.pid"
  services_down "$RUN"
}

refuse_a_second_one
echo $$ >"$RUN/run.pid"
parts=()
[[ -n ${DATABASE_URL:-} ]] || parts+=(postgres)
[[ -n ${REDIS_URL:-} ]] || parts+=(redis)
build
trap close_up EXIT
shop_services
fill
serve
