#!/usr/bin/env bash
# Builds everything the browser gets into target/site: WASM and its glue, the stylesheet, public/, each under a hashed
# name where the name is ours, each precompressed. The project does these steps itself because cargo-leptos takes half an
# hour to install; its metadata in Cargo.toml stays, for who has it. Unchanged steps are skipped.

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$ROOT/scripts/services.sh"
. "$ROOT/scripts/setup.sh"
. "$ROOT/scripts/wasm-target.sh"

NAME=book-bazar
WEB=$TARGET/wasm # a target dir of its own: proc macros and WASM must come from one rustc, maybe not the server's
GLUE=$WEB/glue

# Browsers refuse what --all-features would let through, and Debian's wasm-opt 108 breaks the module at run time.
WASM_OPT=(node_modules/.bin/wasm-opt -Oz --enable-bulk-memory --enable-bulk-memory-opt --enable-reference-types
  --enable-nontrapping-float-to-int --enable-sign-ext --enable-mutable-globals --enable-multivalue
  --low-memory-unused # the far end of the stack, a full one's last KiB
  --strip-producers --strip-target-features
  --reorder-functions-by-name) # what is alike stands together, which brotli likes

# Shoppers load one half of the shop, admins the other (app/src/half.rs); the crates beneath are built once for both.
build_wasm() { # HALF
  local features=()
  [[ $1 == shop ]] || features=(--features "$1")
  # Flags that a person sets for their own machine are not for WASM, and would replace ours.
  # cdylib only: beside an rlib rustc skips LTO, and the file grows.
  env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS "${WASM_ENV[@]}" \
    cargo rustc -p frontend "${features[@]}" --lib --crate-type cdylib --profile wasm-release --target "$WASM" --target-dir "$WEB" ||
    die "the browser half “$1” did not build: the compiler's message is above"
  cp "$WEB/$WASM/wasm-release/frontend.wasm" "$WEB/$1.wasm"
}

build_glue() { # HALF NAME
  local wasm=$WEB/$1.wasm glue=$GLUE/$1 want
  want=$(digest "$wasm" Cargo.lock package-lock.json "${BASH_SOURCE[0]}" scripts/snip.mjs)
  [[ $(cat "$glue/.stamp" 2>/dev/null) == "$want" ]] && return
  rm -rf "$glue"
  step "wasm-bindgen and wasm-opt for the half “$1” (half a minute)"
  "$WASM_BINDGEN" "$wasm" --target web --no-typescript --out-name "$2" --out-dir "$glue" ||
    die "wasm-bindgen failed: its message is above"
  node scripts/snip.mjs "$glue/$2_bg.wasm" "$glue/$2_snipped.wasm" || die "functions could not be taken out: see above"
  "${WASM_OPT[@]}" "$glue/$2_snipped.wasm" -o "$glue/$2.wasm" || die "wasm-opt failed: its message is above"
  echo "$want" >"$glue/.stamp"
}

build_style() {
  local css=$WEB/$NAME.css want sources
  mapfile -t sources < <(find style -type f | sort)
  want=$(digest "${sources[@]}" package-lock.json)
  [[ -s $css && $(cat "$css.stamp" 2>/dev/null) == "$want" ]] && return
  node_modules/.bin/sass --style=compressed --no-source-map style/main.scss "$css" ||
    die "the stylesheet did not compile: sass's message is above"
  echo "$want" >"$css.stamp"
}

make_state "$STATE"
setup_rust
setup_packages
setup_npm
setup_wasm_target
setup_wasm_bindgen
step "web assets"
build_wasm shop
build_wasm admin
build_glue shop $NAME
build_glue admin $NAME-admin
build_style
node scripts/site.mjs --name "$NAME" --half "$NAME=$GLUE/shop=hash.txt" --half "$NAME-admin=$GLUE/admin=admin-hash.txt" \
  --css "$WEB/$NAME.css" --public public --site "$TARGET/site" --hash-dir "$TARGET/debug" --hash-dir "$TARGET/release" ||
  die "the site could not be put together: the message is above"
