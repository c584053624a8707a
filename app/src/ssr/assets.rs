//! What browsers load beside a page, by today's names: those carry a hash of the content. The build writes the hashes
//! beside the program, once per half of the shop.

use crate::half::Half;
use leptos::config::LeptosOptions;
use std::path::Path;

#[derive(Debug, Clone)]
pub struct Assets {
    pub stylesheet: String,
    shop: Scripts,
    admin: Scripts,
}

/// The WASM of one half, and the script that wasm-bindgen makes for it.
#[derive(Debug, Clone)]
pub struct Scripts {
    pub glue: String,
    pub wasm: String,
}

impl Assets {
    pub fn read(options: &LeptosOptions) -> Self {
        let name = &options.output_name;
        let path = |name: &str, hash: &str, kind: &str| format!("/{}/{name}{hash}.{kind}", options.site_pkg_dir);
        let scripts = |name: &str, hashes: &Hashes| Scripts {
            glue: path(name, &hashes.of("js"), "js"),
            wasm: path(name, &hashes.of("wasm"), "wasm"),
        };
        let shop = Hashes::read(options, &options.hash_file);
        let admin = Hashes::read(options, &format!("admin-{}", options.hash_file));
        Self {
            stylesheet: path(name, &shop.of("css"), "css"),
            shop: scripts(name, &shop),
            admin: scripts(&format!("{name}-admin"), &admin),
        }
    }

    pub fn scripts(&self, half: Half) -> &Scripts {
        match half {
            Half::Shop => &self.shop,
            Half::Admin => &self.admin,
        }
    }
}

/// Lines like `css: 6AShMFuQB7RrZicM`; empty where names carry no hash.
struct Hashes(String);

impl Hashes {
    fn read(options: &LeptosOptions, file: &str) -> Self {
        let program = std::env::current_exe().ok().filter(|_| options.hash_files);
        let file = program.as_deref().and_then(Path::parent).map(|dir| dir.join(file));
        Self(file.and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default())
    }

    fn of(&self, kind: &str) -> String {
        let hash = self.0.lines().find_map(|line| line.strip_prefix(kind)?.strip_prefix(':'));
        hash.map(|hash| format!(".{}", hash.trim())).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_carry_the_hash_of_their_kind() {
        let hashes = Hashes("js: A1\nwasm: B2\ncss: C3\n".into());
        assert_eq!(["js", "wasm", "css", "svg"].map(|kind| hashes.of(kind)), [".A1", ".B2", ".C3", ""]);
        let plain = Assets::read(&LeptosOptions::builder().output_name("shop").build());
        assert_eq!(plain.stylesheet, "/pkg/shop.css");
        assert_eq!(plain.scripts(Half::Admin).wasm, "/pkg/shop-admin.wasm");
    }
}
