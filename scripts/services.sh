#!/usr/bin/env bash
# Sourced. A private Postgres and a private Redis per purpose (run, test, check): nothing on the machine is touched, and
# what we run against is configured the way the shop needs it (AOF, noeviction), not the way a distribution ships it.
# Both listen on 127.0.0.1 only and ask for a password, because other users of the machine can reach a loopback port.
#
#   postgres_up DIR PORT [fast] | redis_up DIR PORT    start, or find running; sets POSTGRES_URL / REDIS_URL_OF
#   services_down DIR                                  stop both, whatever state they are in
#
# DIR/postgres and DIR/redis hold data, log, password and port. As root Postgres runs as the user `postgres`; when that
# user cannot pass through the parents of DIR, the data lives in /var/tmp and DIR/postgres.at says where.

POSTGRES_OS_USER=postgres

# as_postgres COMMAND...: Postgres refuses root, so as root its commands run as its own user.
as_postgres() {
  if is_root; then (cd / && runuser -u "$POSTGRES_OS_USER" -- "$@" 9>&-); else "$@" 9>&-; fi
}

# The newest server on the machine: Debian keeps initdb and pg_ctl off the PATH.
postgres_bin() {
  local dir
  dir=$(printf '%s\n' /usr/lib/postgresql/*/bin /usr/pgsql-*/bin | sort -V | while read -r d; do
    [[ -x $d/initdb ]] && echo "$d"
  done | tail -1)
  [[ -n $dir ]] || { have initdb && dir=$(dirname "$(command -v initdb)"); }
  [[ -n $dir ]] && echo "$dir"
}

postgres_home() { # where DIR's Postgres lives, which is not always DIR/postgres
  if [[ -s $1/postgres.at ]]; then cat "$1/postgres.at"; else echo "$1/postgres"; fi
}

postgres_pid() { head -1 "$(postgres_home "$1")/data/postmaster.pid" 2>/dev/null || true; }
postgres_runs() { pid_is "$(postgres_pid "$1")" "-D $(postgres_home "$1")/data"; }

postgres_create() { # DIR [fast]
  local dir=$1 home bin
  bin=$(postgres_bin)
  home=$(postgres_home "$dir")
  if is_root; then
    id "$POSTGRES_OS_USER" >/dev/null 2>&1 ||
      die "Postgres refuses to run as root and there is no user '$POSTGRES_OS_USER': run as an ordinary user"
    if ! as_postgres test -x "$dir"; then
      home=/var/tmp/bazar-$(printf '%s' "$dir" | sha256sum | cut -c1-12)
      rm -rf "$home"
      echo "$home" >"$dir/postgres.at"
    fi
  fi
  mkdir -p "$home"
  random_hex 16 >"$home/password"
  chmod 700 "$home"
  if is_root; then chown -R "$POSTGRES_OS_USER" "$home"; fi
  local locale=C.UTF-8
  locale -a 2>/dev/null | grep -qiE '^C\.utf-?8$' || locale=en_US.UTF-8
  as_postgres "$bin/initdb" -D "$home/data" -U bazar --pwfile="$home/password" --auth=scram-sha-256 \
    --encoding=UTF8 --locale="$locale" --no-sync >"$dir/initdb.log" 2>&1 ||
    die "initdb failed: $(tail -1 "$dir/initdb.log") (all of it: $dir/initdb.log)"
  {
    echo "listen_addresses = '127.0.0.1'"
    echo "unix_socket_directories = ''"
    echo "max_connections = 200"
    echo "shared_buffers = 128MB"
    echo "max_wal_size = 1GB"
    echo "random_page_cost = 1.1"
    echo "lc_messages = 'C'"
    # Data that is thrown away after the tests need not survive a power cut.
    if [[ ${2:-} == fast ]]; then printf 'fsync = off\nfull_page_writes = off\n'; fi
  } >>"$home/data/postgresql.conf"
}

postgres_up() { # DIR PORT [fast]
  local dir=$1 port home bin attempt
  bin=$(postgres_bin) || die "PostgreSQL is missing: install its server package and try again"
  home=$(postgres_home "$dir")
  [[ -s $home/data/PG_VERSION ]] || {
    rm -rf "$home" "$dir/postgres.at"
    postgres_create "$dir" "${3:-}"
    home=$(postgres_home "$dir")
  }
  as_postgres test -O "$home/data" ||
    die "$home belongs to another user, $(stat -c %U "$home" 2>/dev/null): run as that user, or remove $dir and begin anew"
  port=$(cat "$dir/postgres.port" 2>/dev/null || echo "$2")
  if ! postgres_runs "$dir"; then
    for attempt in 1 2 3; do # another program may take the port between the look and the start
      port=$(free_port "$port")
      as_postgres "$bin/pg_ctl" start -D "$home/data" -l "$home/log" -w -t 60 -s -o "-p $port" \
        </dev/null >"$dir/pg_ctl.log" 2>&1 && break
      grep -q 'in use' "$home/log" && ((attempt < 3)) ||
        die "the private Postgres did not start: see $home/log (its data: $home; remove that to begin anew)"
      ((port += 1))
    done
    echo "$port" >"$dir/postgres.port"
  fi
  POSTGRES_URL=postgres://bazar:$(cat "$home/password")@127.0.0.1:$port
}

# psql_on URL ARGS...: psql that stops at the first error and never asks.
psql_on() {
  local url=$1
  shift
  "$(postgres_bin)/psql" -X -q -w -v ON_ERROR_STOP=1 -d "$url" "$@"
}

# database URL NAME: makes the database when it is not there yet.
database() {
  [[ $(psql_on "$1/postgres" -Atc "SELECT 1 FROM pg_database WHERE datname = '$2'") == 1 ]] ||
    psql_on "$1/postgres" -c "CREATE DATABASE \"$2\""
}

redis_port() { cat "$1/redis/port" 2>/dev/null || true; }
redis_pid() { cat "$1/redis/pid" 2>/dev/null || true; }
redis_runs() { pid_is "$(redis_pid "$1")" "redis-server 127.0.0.1:$(redis_port "$1")"; }
redis_answers() { # DIR
  [[ $(REDISCLI_AUTH=$(cat "$1/redis/password") redis-cli -h 127.0.0.1 -p "$(redis_port "$1")" ping 2>/dev/null) == PONG ]]
}

redis_up() { # DIR PORT
  local dir=$1 home=$1/redis port
  have redis-server || die "redis-server is missing: install Redis and try again"
  mkdir -p "$home" && chmod 700 "$home"
  [[ -s $home/password ]] || random_hex 16 >"$home/password"
  if ! redis_runs "$dir"; then
    port=$(redis_port "$dir")
    port=$(free_port "${port:-$2}")
    echo "$port" >"$home/port"
    cat >"$home/redis.conf" <<EOF
bind 127.0.0.1
port $port
requirepass $(cat "$home/password")
dir "$home"
daemonize yes
pidfile "$home/pid"
logfile "$home/log"
appendonly yes
appendfsync everysec
maxmemory 512mb
maxmemory-policy noeviction
save ""
EOF
    redis-server "$home/redis.conf" 9>&- >/dev/null 2>&1 || die "the private Redis did not start: see $home/log"
  fi
  wait_for 60 redis_answers "$dir" || die "the private Redis does not answer: see $home/log"
  REDIS_URL_OF=redis://default:$(cat "$home/password")@127.0.0.1:$(redis_port "$dir")
}

services_down() { # DIR
  local dir=$1 home
  if redis_runs "$dir"; then
    end_pid "$(redis_pid "$dir")" redis-server 20 || note "Redis (pid $(redis_pid "$dir")) is still stopping"
  fi
  if postgres_runs "$dir"; then
    home=$(postgres_home "$dir")
    as_postgres "$(postgres_bin)/pg_ctl" stop -D "$home/data" -m fast -t 30 -s >/dev/null 2>&1 || true
    if postgres_runs "$dir"; then note "Postgres (pid $(postgres_pid "$dir")) is still stopping"; fi
  fi
  return 0
}

# services_wipe DIR: for data that must be fresh each time.
services_wipe() {
  services_down "$1"
  local home
  home=$(postgres_home "$1")
  rm -rf "$home" "$1" || die "cannot remove $1: remove it by hand and try again"
}
