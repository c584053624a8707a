#!/usr/bin/env bash
# Sourced. The browser half needs Rust's std for wasm32. rustup brings it in seconds where its server can be reached;
# where it cannot, Debian's rustc-web and rust-web-src build it once (a minute), into .tools/wasm-sysroot-<rustc>.
#
#   setup_wasm_target   sets WASM_ENV, the variables under which `cargo build --target wasm32-unknown-unknown` works

WASM=wasm32-unknown-unknown
DEBIAN_RUSTC=/usr/bin/rustc

has_std() { compgen -G "$1/libstd-*.rlib" >/dev/null; }
own_libdir() { rustc --print target-libdir --target $WASM 2>/dev/null || true; }

setup_wasm_target() {
  WASM_ENV=()
  has_std "$(own_libdir)" && return
  debian_sysroot_ready && {
    use_debian_sysroot
    return
  }
  if have rustup; then
    step "adding Rust's $WASM target by rustup"
    timeout 180 rustup target add $WASM >"$STATE/rustup.log" 2>&1 && has_std "$(own_libdir)" && return
    note "rustup could not bring it ($(tail -1 "$STATE/rustup.log")); building it from Debian's rust-web-src"
  fi
  debian_std
  use_debian_sysroot
}

# One sysroot per compiler: std built by one rustc cannot be read by another.
debian_sysroot() { echo "$TOOLS/wasm-sysroot-$("$DEBIAN_RUSTC" --version | cut -d' ' -f2)"; }
debian_sysroot_ready() { [[ -x $DEBIAN_RUSTC ]] && has_std "$(debian_sysroot)/lib/rustlib/$WASM/lib"; }

use_debian_sysroot() {
  local linker
  linker=$(wasm_linker) || exit 1
  WASM_ENV=(
    "RUSTC=$DEBIAN_RUSTC"
    # Joined with the flags of .cargo/config.toml, which the per-target variable would replace.
    "CARGO_BUILD_RUSTFLAGS=--sysroot=$(debian_sysroot)"
    "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$linker"
  )
}

wasm_linker() {
  local lld llvm
  for lld in "$(rustc --print sysroot)"/lib/rustlib/*/bin/rust-lld /usr/bin/rust-lld; do
    [[ -x $lld ]] && echo "$lld" && return
  done
  have wasm-ld && command -v wasm-ld && return
  llvm=$("$DEBIAN_RUSTC" --version --verbose | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
  { can_install && install_packages "lld-$llvm" && [[ -x /usr/bin/wasm-ld-$llvm ]]; } ||
    die "there is no linker for WASM: install the Debian package lld-$llvm and try again"
  echo "/usr/bin/wasm-ld-$llvm"
}

debian_std() {
  local source=/usr/lib/rustlib/src/rust/library/std packages=(rustc-web rust-web-src)
  if [[ ! -d $source || ! -x $DEBIAN_RUSTC ]]; then
    can_install || die "no $WASM target: run 'rustup target add $WASM', or install ${packages[*]} (Debian), and try again"
    install_packages "${packages[@]}" || die "apt-get could not install ${packages[*]}: see .bazar/apt.log"
  fi
  local sysroot scratch built
  sysroot=$(debian_sysroot)
  scratch=$(mktemp -d)
  step "building Rust's std for $WASM (once, about a minute)"
  # Any crate will do: building it makes cargo build std, whose libraries are then a sysroot like any other.
  mkdir -p "$scratch/src"
  printf '[package]\nname = "std-for-wasm"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n' >"$scratch/Cargo.toml"
  echo '' >"$scratch/src/lib.rs"
  (cd "$scratch" && RUSTC_BOOTSTRAP=1 RUSTC=$DEBIAN_RUSTC CARGO_TARGET_DIR=$scratch/target \
    cargo build --release -Zbuild-std=std,panic_abort --target $WASM 9>&-) ||
    die "std for $WASM did not build (cargo's message is above): 'rustup target add $WASM' is the other way"
  rm -rf "$sysroot"
  built=$sysroot.new/lib/rustlib/$WASM/lib
  rm -rf "$sysroot.new" && mkdir -p "$built"
  find "$scratch/target/$WASM/release/deps" -name 'lib*.rlib' ! -name 'libstd_for_wasm*' -exec cp {} "$built" \;
  mv "$sysroot.new" "$sysroot"
  rm -rf "$scratch"
  debian_sysroot_ready || die "std for $WASM was built, but its libraries are not in $sysroot"
}
