#!/usr/bin/env bash
# Keeps .sqlx, what the query macros know about the database when none is there, equal to migrations and queries.
#   sqlx.sh check   says whether the committed .sqlx is what the migrated schema gives (part of `make check`)
#   sqlx.sh write   replaces it (`make prepare`)
# It does what `cargo sqlx prepare` does without sqlx-cli, whose installation takes longer than the whole check: compile
# `store` once against a scratch database, with the macros told to write down what they learn.
# BAZAR_SCRATCH_POSTGRES: a server to use (`make test` passes its own); without it a private one is started and stopped.

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$ROOT/scripts/services.sh"
. "$ROOT/scripts/setup.sh"

mode=${1:-check}
OUT=$TARGET/sqlx
DIR=$STATE/check

# Nothing to do when exactly these files have passed before.
inputs_digest() {
  local files
  mapfile -t files < <(find .sqlx migrations store/src store/sqlx.toml store/Cargo.toml Cargo.lock -type f 2>/dev/null | sort)
  digest "${files[@]}"
}

scratch_server() {
  if [[ -n ${BAZAR_SCRATCH_POSTGRES:-} ]]; then
    POSTGRES_URL=$BAZAR_SCRATCH_POSTGRES
    return
  fi
  setup_packages postgres
  lock check || die "another check is running in this checkout: wait for it and try again"
  make_state "$DIR"
  trap 'services_wipe "$DIR"' EXIT
  postgres_up "$DIR" 54529 fast
}

migrated_database() { # prints its URL
  local name=bazar_build_$$ file
  psql_on "$POSTGRES_URL/postgres" -c "CREATE DATABASE $name"
  for file in migrations/*.sql; do
    psql_on "$POSTGRES_URL/$name" -1 -f "$file" >/dev/null || die "$file does not run: psql's message is above"
  done
  echo "$POSTGRES_URL/$name"
}

describe_queries() {
  local url
  url=$(migrated_database) || exit 1
  rm -rf "$OUT" && mkdir -p "$OUT"
  # The extra argument makes this a compilation of its own: never taken for up to date, and leaving the builds of
  # everybody else as they are (touching a source file would rebuild the server).
  SQLX_OFFLINE=false SQLX_OFFLINE_DIR=$OUT BAZAR_BUILD_DATABASE_URL=$url CARGO_INCREMENTAL=0 \
    cargo rustc -p store --lib --profile check -- -C "metadata=queries-$$-$(date +%s)" --cap-lints allow 9>&- ||
    die "store does not compile against the migrated database: the compiler's message is above"
  psql_on "$POSTGRES_URL/postgres" -c "DROP DATABASE ${url##*/} WITH (FORCE)"
  forget_plans
}

# Whether a column may be NULL is read off the server's plan, so it differs between servers; where the query itself says
# ("name!", "name?"), the plan's opinion is not used and not kept.
forget_plans() {
  local file
  for file in "$OUT"/query-*.json; do
    awk '
      /^        "name": / { said[columns++] = /[!?]",?$/ }
      inside && /^ *\]/ { inside = 0 }
      inside { if (said[i++]) sub(/true|false/, "null") }
      /"nullable": \[$/ { inside = 1; i = 0 }
      { print }' "$file" >"$file.new" &&
    mv "$file.new" "$file"
  done
}

compare() {
  diff -rq "$OUT" .sqlx >"$OUT.diff" 2>&1 && return
  sed 's/^/    /' "$OUT.diff" | head -20 >&2
  die ".sqlx is not what migrations and queries give: run 'make prepare' and commit .sqlx"
}

replace() {
  rm -rf .sqlx && mkdir .sqlx
  find "$OUT" -name 'query-*.json' -exec cp {} .sqlx/ \;
  note ".sqlx holds $(find .sqlx -name 'query-*.json' | wc -l) queries"
}

case $mode in
check)
  [[ $(cat "$OUT.ok" 2>/dev/null) != "$(inputs_digest)" ]] || exit 0
  scratch_server
  describe_queries
  compare
  ;;
write)
  scratch_server
  describe_queries
  replace
  ;;
*) die "usage: sqlx.sh check|write" ;;
esac
inputs_digest >"$OUT.ok"
