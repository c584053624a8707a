#!/usr/bin/env bash
# Sourced. Brings in what is missing so that one command works on a fresh machine: Debian packages when this user may
# install them (else it names them and stops), and tools of pinned versions inside the project's own folder.
# Every part first looks whether it has anything to do: a warm `make run` spends milliseconds here.

missing=() # Debian package names

want() { # PACKAGE COMMAND...: the package is missing unless one of the commands is there
  local package=$1 command
  shift
  for command in "$@"; do have "$command" && return; done
  missing+=("$package")
}

can_install() { have apt-get && { is_root || { have sudo && sudo -n true 2>/dev/null; }; }; }
as_root() { if is_root; then "$@"; else sudo -n "$@"; fi; }

# install_packages PACKAGE...: quiet, with the log kept; a list of packages that is too old is refreshed once.
install_packages() {
  local log=$STATE/apt.log
  step "installing Debian packages: $* (log: ${log#"$ROOT"/})"
  make_state "$STATE"
  local install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 "$@")
  as_root "${install[@]}" >"$log" 2>&1 9>&- || {
    as_root apt-get update >>"$log" 2>&1 && as_root "${install[@]}" >>"$log" 2>&1 9>&-
  } || return 1
}

# setup_rust [lints]: Rust comes from rustup, by the person: which toolchains a machine has is not for us to decide.
setup_rust() {
  local need found
  have cargo && have rustc || die "Rust is missing: install it from https://rustup.rs and try again"
  need=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  found=$(rustc --version | cut -d' ' -f2)
  [[ $(printf '%s\n' "$need" "$found" | sort -V | head -1) == "$need" ]] ||
    die "Rust $found is too old, $need or newer is needed: run 'rustup update' and try again"
  [[ ${1:-} != lints ]] || { cargo fmt --version && cargo clippy --version; } >/dev/null 2>&1 ||
    die "rustfmt or clippy is missing: run 'rustup component add rustfmt clippy' and try again"
}

setup_packages() { # [postgres] [redis] [browser] [bench]
  local part
  missing=()
  want gcc cc
  want libc6-dev cc # cc alone cannot link
  want nodejs node
  want npm npm
  for part in "$@"; do
    case $part in
    postgres) postgres_bin >/dev/null || missing+=(postgresql) ;;
    redis) want redis-server redis-server ;;
    bench)
      want wrk wrk
      want redis-tools redis-benchmark
      ;;
    browser) chromium_path >/dev/null || missing+=(chromium) ;;
    *) die "setup_packages: unknown part $part" ;;
    esac
  done
  [[ ${#missing[@]} -gt 0 ]] || return 0
  can_install || die "missing: ${missing[*]}. Install them (Debian: sudo apt-get install ${missing[*]}) and try again"
  install_packages "${missing[@]}" ||
    die "apt-get could not install ${missing[*]}: see .bazar/apt.log, install them by hand and try again"
}

chromium_path() {
  local name
  if [[ -n ${CHROMIUM:-} ]]; then
    [[ -x $CHROMIUM ]] && echo "$CHROMIUM"
    return
  fi
  for name in chromium chromium-browser google-chrome-stable google-chrome; do
    have "$name" && command -v "$name" && return
  done
  return 1
}

# npm tools (sass, wasm-opt, the browser driver), exactly as package-lock.json names them.
setup_npm() {
  local stamp=node_modules/.bazar-stamp want
  want=$(digest package-lock.json)
  [[ $(cat "$stamp" 2>/dev/null) == "$want" ]] && return
  local major
  major=$(node -p 'process.versions.node.split(".")[0]')
  ((major >= 18)) || die "Node $major is too old: install Node 18 or newer and try again"
  step "installing npm tools into node_modules/"
  npm_config_update_notifier=false npm ci --omit=optional --ignore-scripts --no-audit --no-fund --loglevel=error >&2 9>&- ||
    die "npm ci failed (its message is above): check the network or npm's registry setting and try again"
  echo "$want" >"$stamp"
}

# wasm-bindgen writes glue for exactly one version of the crate: the one in Cargo.lock.
setup_wasm_bindgen() {
  local version
  version=$(lock_version wasm-bindgen)
  WASM_BINDGEN=$TOOLS/bin/wasm-bindgen
  [[ $("$WASM_BINDGEN" --version 2>/dev/null) == "wasm-bindgen $version" ]] && return
  step "building wasm-bindgen $version into .tools/ (once, some two minutes)"
  # Without fat LTO it builds in a quarter of the time; it runs for a second. Its lock file may name versions that a
  # mirror of the registry does not have yet: then newest compatible ones do.
  local install=(cargo install wasm-bindgen-cli --version "$version" --root "$TOOLS" --force --bin wasm-bindgen
    --target-dir "$TARGET/tools"
    --config profile.release.lto=false --config profile.release.opt-level=1 --config profile.release.codegen-units=16)
  "${install[@]}" --locked 9>&- || "${install[@]}" 9>&- ||
    die "cargo could not install wasm-bindgen-cli $version (its message is above): check the network and try again"
  rm -rf "$TARGET/tools"
}
