//! Where the browser's files are, as leptos wants to know it. The variables are cargo-leptos' own, so that
//! `cargo leptos watch` works; their defaults are where `make run` puts things.

use super::env::Env;
use leptos::config::{Env as LeptosEnv, LeptosOptions};
use std::{net::SocketAddr, time::Duration};

pub(super) fn read(env: &mut Env<'_>, addr: SocketAddr) -> LeptosOptions {
    let text = |name: &str, default: &str| env.text(name).unwrap_or_else(|| default.to_owned());
    let output_name = text("LEPTOS_OUTPUT_NAME", "book-bazar");
    let site_root = text("LEPTOS_SITE_ROOT", "target/site");
    let site_pkg_dir = text("LEPTOS_SITE_PKG_DIR", "pkg");
    let hash_file = text("LEPTOS_HASH_FILE_NAME", "hash.txt");
    let hash_files = env.one_of("LEPTOS_HASH_FILES", true, &[("true", true), ("false", false)]);
    let reload_port = u32::try_from(env.number("LEPTOS_RELOAD_PORT", 3001, 1..=65_535)).unwrap_or(3001);
    let is_dev = env.text("LEPTOS_ENV").is_some_and(|value| value.eq_ignore_ascii_case("dev"));
    let mut options = LeptosOptions::builder()
        .output_name(output_name)
        .site_root(site_root)
        .site_pkg_dir(site_pkg_dir)
        .env(if is_dev { LeptosEnv::DEV } else { LeptosEnv::PROD })
        .site_addr(addr)
        .reload_port(reload_port)
        .hash_files(hash_files)
        .build();
    options.hash_file = hash_file.into();
    if options.hash_files && !has_hashes(&options) {
        // Rendering a page would panic over the missing file; a shop without scripts still sells.
        env.warn(
            "no web assets beside this binary: pages have neither style nor script; scripts/build-web.sh makes them",
        );
        options.hash_files = false;
    }
    options
}

/// sitemaps.org: at most 50,000 in one file.
pub(super) fn sitemap_urls(env: &mut Env<'_>) -> u16 {
    u16::try_from(env.number("BAZAR_SITEMAP_URLS", 50_000, 1..=50_000)).unwrap_or(50_000)
}

/// A second is nothing to a reader and everything to a crowd; what is on a page may be no older than a minute (design §9).
pub(super) fn page_cache(env: &mut Env<'_>) -> Duration {
    Duration::from_millis(u64::try_from(env.number("BAZAR_PAGE_CACHE_MS", 1000, 0..=60_000)).unwrap_or(0))
}

/// Leptos looks for the file of hashes beside the running binary.
fn has_hashes(options: &LeptosOptions) -> bool {
    let binary = std::env::current_exe().ok();
    binary.and_then(|path| Some(path.parent()?.join(&*options.hash_file).is_file())).unwrap_or(false)
}
