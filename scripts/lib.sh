#!/usr/bin/env bash
# Sourced by every script: paths, messages, bounded waits and pid checks live in one place, so that each script
# only says what it does and all of them fail the same way: one line that tells what to do.

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
TARGET=${CARGO_TARGET_DIR:-$ROOT/target}
TOOLS=$ROOT/.tools
STATE=$ROOT/.bazar # private services, secrets, logs
cd "$ROOT"

if [[ -t 2 && -z ${NO_COLOR:-} ]]; then
  BOLD=$'\e[1m' RED=$'\e[31m' DIM=$'\e[2m' PLAIN=$'\e[0m'
else
  BOLD='' RED='' DIM='' PLAIN=''
fi

step() { printf '%s==> %s%s\n' "$BOLD" "$*" "$PLAIN" >&2; }
note() { printf '%s    %s%s\n' "$DIM" "$*" "$PLAIN" >&2; }
die() {
  printf '%sbook-bazar: %s%s\n' "$RED" "$*" "$PLAIN" >&2
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }
is_root() { [[ $(id -u) -eq 0 ]]; }

# make_state DIR: a directory under .bazar that other users may pass through (as root, Postgres runs as another user).
make_state() {
  mkdir -p "$STATE" "$1" 2>/dev/null && [[ -w $1 ]] ||
    die "$1 is not writable by $(id -un): run as the user who owns it, or remove $STATE and try again"
  chmod 755 "$STATE" "$1"
}

# wait_for SECONDS COMMAND...: true as soon as the command succeeds, false when the time is over. Tries every 0.1 s, or $EVERY.
wait_for() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep "${EVERY:-0.1}"
  done
}

# pid_is PID WORDS: the process lives and its command line holds WORDS, so a recycled pid is never taken for ours.
pid_is() {
  local pid=$1 words=$2 line
  [[ $pid =~ ^[0-9]+$ ]] || return 1
  if [[ -r /proc/$pid/cmdline ]]; then
    line=$({ tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null) || return 1
  else
    line=$(ps -o command= -p "$pid" 2>/dev/null) || return 1
  fi
  [[ $line == *"$words"* ]]
}
pid_is_not() { ! pid_is "$@"; }

# end_pid PID WORDS SECONDS: asks our process to stop and waits; false when it is still there after that time.
end_pid() {
  pid_is "$1" "$2" || return 0
  kill -TERM "$1" 2>/dev/null || true
  wait_for "$3" pid_is_not "$1" "$2"
}

port_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# free_port FIRST: the first port from FIRST on that nobody listens on.
free_port() {
  local port
  for ((port = $1; port < $1 + 50; port++)); do
    port_open "$port" || {
      echo "$port"
      return
    }
  done
  die "no free port between $1 and $(($1 + 49)) on 127.0.0.1"
}

# http_status HOST:PORT PATH: the status code of a GET, or nothing. Plain bash, for machines without curl.
http_status() {
  local host=${1%:*} port=${1##*:} version='' code=''
  exec 3<>"/dev/tcp/$host/$port" || return 1
  printf 'GET %s HTTP/1.0\r\nHost: %s\r\nConnection: close\r\n\r\n' "$2" "$1" >&3
  read -r -t 5 version code _ <&3 || true
  exec 3>&-
  [[ $version == HTTP/* ]] && echo "$code"
} 2>/dev/null

random_hex() { head -c "$1" /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }

# digest FILES...: one hash over names and contents, for "did the inputs change?".
digest() { sha256sum "$@" 2>/dev/null | sha256sum | cut -d' ' -f1; }

# lock NAME: only one holder at a time, until the script ends. It lives in descriptor 9: whatever is left running in
# the background closes that (`9>&-`), or it would hold the lock for ever. Without flock(1) there is no guard.
lock() {
  have flock || return 0
  make_state "$STATE"
  exec 9>"$STATE/$1.lock"
  flock -n 9
}

lock_version() { # the version of crate $1 in Cargo.lock
  awk -v name="name = \"$1\"" '$0 == name { getline; gsub(/version = |"/, ""); print; exit }' "$ROOT/Cargo.lock"
}
