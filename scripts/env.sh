#!/usr/bin/env bash
# Sourced by whatever starts the server (run, test, the bazar wrapper), so that all of them start the same one: where the
# web assets are, and the secrets of this checkout. What is already set in the environment wins, then .env, then these.

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

# Secrets have no defaults in the server; a checkout draws its own once and keeps them, or every restart would log
# everybody out.
dev_secrets() {
  local file=$STATE/dev.env name
  make_state "$STATE"
  (umask 077 && touch "$file")
  for name in BAZAR_SECRET BAZAR_SANDBOX_SECRET; do
    grep -q "^$name=" "$file" || echo "$name=$(random_hex 32)" >>"$file"
  done
  load_env_file "$file"
}

# What leptos reads. The binary is started by us and not by cargo-leptos, so nothing else tells it.
site_env() {
  default_env LEPTOS_OUTPUT_NAME book-bazar
  default_env LEPTOS_SITE_ROOT "$TARGET/site"
  default_env LEPTOS_SITE_PKG_DIR pkg
  default_env LEPTOS_HASH_FILES true
  default_env LEPTOS_SITE_ADDR 127.0.0.1:3000
  default_env LEPTOS_ENV PROD
}
