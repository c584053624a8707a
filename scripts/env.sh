#!/usr/bin/env bash
# Sourced by whatever starts the server (run, test, the bazar wrapper), so that all of them start the same one: where the
# web assets are, where the data is, the secret of this checkout. What is set in the environment wins, then .env, then this.

default_env() { [[ -n ${!1+set} ]] || export "$1=$2"; }

# load_env_file FILE: NAME=value lines; quotes around a value are dropped, nothing is executed.
load_env_file() {
  local line name value
  [[ -r $1 ]] || return 0
  while IFS= read -r line || [[ -n $line ]]; do
    [[ $line =~ ^[[:space:]]*(export[[:space:]]+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$ ]] || continue
    name=${BASH_REMATCH[2]} value=${BASH_REMATCH[3]}
    if [[ $value =~ ^\"(.*)\"[[:space:]]*$ || $value =~ ^\'(.*)\'[[:space:]]*$ ]]; then value=${BASH_REMATCH[1]}; fi
    default_env "$name" "$value"
  done <"$1"
}

# What leptos reads. The binary is started by us and not by cargo-leptos, so nothing else tells it.
site_env() {
  default_env LEPTOS_OUTPUT_NAME book-bazar
  default_env LEPTOS_SITE_ROOT "$TARGET/site"
  default_env LEPTOS_SITE_PKG_DIR pkg
  default_env LEPTOS_HASH_FILES true
  default_env LEPTOS_ENV PROD
  # Compiling never needs a database: what the queries look like is in .sqlx.
  default_env SQLX_OFFLINE true
}

# Tests and benches decide about the shop themselves: settings of a shop that this terminal runs must not leak in.
forget_the_shop() {
  local name
  for name in DATABASE_URL REDIS_URL SESSION_REDIS_URL "${!BAZAR_@}" "${!LEPTOS_@}"; do
    case $name in BAZAR_REAL_BOOKS | BAZAR_SCREENSHOTS) ;; *) unset "$name" ;; esac
  done
}

# A shop on this machine. Secrets have no default in the server; a checkout draws its own once and keeps it, or every
# restart would log everybody out.
shop_env() {
  local secret=$STATE/secret.env
  load_env_file .env
  site_env
  make_state "$STATE"
  [[ -s $secret ]] || (umask 077 && echo "BAZAR_SECRET=$(random_hex 32)" >"$secret")
  load_env_file "$secret"
  default_env BAZAR_ENV development
  default_env BAZAR_LOG text
  default_env BAZAR_ADDR 127.0.0.1:3000
  default_env BAZAR_BASE_URL "http://$BAZAR_ADDR"
}

RUN=$STATE/run # state of the shop of `make run`
BAZAR=$TARGET/release/bazar

build_server() {
  step "server"
  cargo build --release -p server --bin bazar 9>&- || die "the server did not build: the compiler's message is above"
}

# The databases of the shop: those that the environment names, else private ones. Sets STARTED=1 when it started any.
shop_services() {
  STARTED=''
  make_state "$RUN"
  if [[ -z ${DATABASE_URL:-} ]]; then
    setup_packages postgres
    postgres_runs "$RUN" || STARTED=1
    postgres_up "$RUN" 54329
    database "$POSTGRES_URL" bazar
    export DATABASE_URL=$POSTGRES_URL/bazar
  fi
  if [[ -z ${REDIS_URL:-} ]]; then
    setup_packages redis
    redis_runs "$RUN" || STARTED=1
    redis_up "$RUN" 63790
    export REDIS_URL=$REDIS_URL_OF/0
  fi
  default_env SESSION_REDIS_URL "$REDIS_URL"
}

server_pid() { cat "$RUN/server.pid" 2>/dev/null || true; }
server_runs() { pid_is "$(server_pid)" "$BAZAR all"; }
