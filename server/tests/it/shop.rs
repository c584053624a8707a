//! A shop that runs for one test.

use crate::{servers::Servers, visitor::Visitor};
use serde_json::Value;
use std::{
    io::Write,
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};
use store::{Store, config::StoreConfig, keys::Keys, testkit, viewer::Viewer, world::SystemWorld};

/// Books of every test: id order is file order.
const BOOKS: &str = "\
sku,title,authors,price_inr,stock,categories,popularity
T-1,The First Book,Asha Rao,400,50,fiction,50
T-2,The Second Book,Ravi Iyer,250,50,fiction,40
T-3,Only Ten Copies,Meera Nair,300,10,poetry,30
T-4,Only Two Copies,Kiran Das,150,2,poetry,20
T-5,None Left,Kiran Das,150,0,poetry,10
";

/// An admin without an account of their own.
pub fn desk() -> Viewer {
    let owner = "g:00000000-0000-4000-8000-000000000001".parse().expect("an owner");
    Viewer { role: domain::account::Role::Owner, ..Viewer::new(owner) }
}

pub struct Shop {
    pub url: String,
    pub metrics: String,
    settings: Vec<(String, String)>,
    log: PathBuf,
    child: Option<Child>,
}

impl Shop {
    /// A shop with [`BOOKS`], ready to sell.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same with some settings changed.
    pub async fn start_with(settings: &[(&str, &str)]) -> Self {
        let mut shop = Self::prepare(settings).await;
        shop.import_books();
        shop.spawn("all");
        shop.wait_until_ready().await;
        shop
    }

    /// A database and settings, nothing running.
    pub async fn prepare(settings: &[(&str, &str)]) -> Self {
        Self::of(testkit::config(&testkit::fresh_database().await), settings)
    }

    /// A shop with [`BOOKS`] on servers of its own, nothing running. Sessions stay on the Redis of all tests, so that
    /// nobody is logged out when the carts' Redis loses its data.
    pub fn on(servers: &Servers) -> Self {
        Self::on_with(servers, &[])
    }

    /// The same with some settings changed.
    pub fn on_with(servers: &Servers, changed: &[(&str, &str)]) -> Self {
        let mut store = testkit::config(&servers.postgres.url);
        store.redis_url = servers.redis.url.clone();
        let sessions = testkit::redis_url();
        let own = [("SESSION_REDIS_URL", sessions.as_str()), ("BAZAR_METRICS_ADDR", "off")];
        let shop = Self::of(store, &[&own, changed].concat());
        for output in [shop.run(&["migrate"]), shop.import(BOOKS)] {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        shop
    }

    fn of(store: StoreConfig, settings: &[(&str, &str)]) -> Self {
        let [port, metrics] = free_ports();
        let url = format!("http://127.0.0.1:{port}");
        let log = std::env::temp_dir().join(format!("bazar-{}.log", store.key_prefix.trim_end_matches(':')));
        let own = [
            ("DATABASE_URL", store.database_url),
            ("REDIS_URL", store.redis_url),
            ("BAZAR_KEY_PREFIX", store.key_prefix.clone()),
            ("BAZAR_ADDR", format!("127.0.0.1:{port}")),
            ("BAZAR_METRICS_ADDR", format!("127.0.0.1:{metrics}")),
            ("BAZAR_BASE_URL", url.clone()),
            ("BAZAR_SECRET", "a secret that is used by tests only".to_owned()),
            ("BAZAR_POOL_SIZE", "12".to_owned()),
            ("BAZAR_MAIL_DIR", log.with_extension("mails").to_string_lossy().into_owned()),
            // What a test changed is seen at once; pages for strangers have tests of their own.
            ("BAZAR_PAGE_CACHE_MS", "0".to_owned()),
            // Whether the browser's half was built must not matter here.
            ("LEPTOS_HASH_FILES", "false".to_owned()),
            ("RUST_LOG", "info,bazar=info".to_owned()),
        ];
        let changed = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let settings = own.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(changed).collect();
        Self { url, metrics: format!("http://127.0.0.1:{metrics}/metrics"), settings, log, child: None }
    }

    /// Another setting for the processes that are started from now on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    /// The same shop's settings for another process.
    pub fn sibling(&self) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let log = self.log.with_extension(format!("sibling{}.log", NUMBER.fetch_add(1, Ordering::Relaxed)));
        Self { url: self.url.clone(), metrics: self.metrics.clone(), settings: self.settings.clone(), log, child: None }
    }

    /// The same shop, served by a process of its own at another address.
    pub fn beside(&self) -> Self {
        let [port, _] = free_ports();
        let mut shop = self.sibling();
        shop.url = format!("http://127.0.0.1:{port}");
        shop.settings.push(("BAZAR_ADDR".to_owned(), format!("127.0.0.1:{port}")));
        shop
    }

    /// Starts `bazar <role>` in the background; its output goes to a file that a failing test prints.
    pub fn spawn(&mut self, role: &str) {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(&self.log).expect("open the log");
        let output = log.try_clone().expect("share the log");
        let child = self.command(&[role]).stdout(output).stderr(log).stdin(Stdio::null()).spawn();
        self.child = Some(child.expect("start the shop"));
    }

    pub async fn wait_until_ready(&mut self) {
        let visitor = self.visitor();
        let end = Instant::now() + Duration::from_secs(30);
        while Instant::now() < end {
            let child = self.child.as_mut().expect("a running shop");
            if let Some(status) = child.try_wait().expect("ask for the shop") {
                panic!("the shop stopped ({status}):\n{}", self.log());
            }
            if visitor.try_get("/readyz").await.is_some_and(|reply| reply.status == 200) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the shop is not ready after 30 s:\n{}", self.log());
    }

    /// Memory that the shop holds, in KiB.
    pub fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.as_ref().expect("running").id()));
        let status = status.expect("read /proc");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// Runs another command of the binary with the shop's settings.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).stdin(Stdio::null()).output().expect("run bazar")
    }

    pub fn import_books(&self) {
        let output = self.import(BOOKS);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    pub fn import(&self, csv: &str) -> Output {
        let file = self.log.with_extension("csv");
        std::fs::File::create(&file).and_then(|mut f| f.write_all(csv.as_bytes())).expect("write the file");
        let output = self.run(&["import", &file.to_string_lossy()]);
        let _ = std::fs::remove_file(&file);
        output
    }

    /// The shop's data, past its addresses.
    pub async fn store(&self) -> Store {
        let mut config = testkit::config(&self.setting("DATABASE_URL"));
        config.key_prefix = self.setting("BAZAR_KEY_PREFIX");
        config.redis_url = self.setting("REDIS_URL");
        Store::connect(config, Arc::new(SystemWorld)).await.expect("connect")
    }

    /// The mails sent so far, in the order of their reasons: of what kind, and the file.
    pub fn mails(&self) -> Vec<(String, String)> {
        let Ok(folder) = std::fs::read_dir(self.setting("BAZAR_MAIL_DIR")) else { return Vec::new() };
        let mut files: Vec<PathBuf> = folder.flatten().map(|file| file.path()).collect();
        files.retain(|file| file.extension().is_some_and(|end| end == "eml"));
        files.sort();
        let named = |file: &PathBuf| {
            let name = file.file_name()?.to_str()?;
            Some((name.split('-').nth(1)?.to_owned(), std::fs::read_to_string(file).ok()?))
        };
        files.iter().filter_map(named).collect()
    }

    /// `bazar check` finds nothing.
    pub fn assert_sound(&self) {
        let output = self.run(&["check"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}");
    }

    /// Somebody with a browser of their own.
    pub fn visitor(&self) -> Visitor {
        Visitor::new(&self.url)
    }

    /// A shopper who has just registered.
    pub async fn shopper(&self, email: &str) -> Visitor {
        let visitor = self.visitor();
        let form = [("email", email), ("password", "a good password"), ("name", "Asha")];
        visitor.post("/api/account/register", &form).await.ok();
        visitor
    }

    /// The id of the book with that title.
    pub async fn book(&self, title: &str) -> String {
        let list = self.visitor().get("/api/books?q=").await.ok();
        let books = list["books"].as_array().cloned().unwrap_or_default();
        let book = books.iter().find(|book| book["title"] == title);
        book.unwrap_or_else(|| panic!("no book {title}: {list}"))["id"].to_string()
    }

    /// Copies on sale of that book; -1: the gate does not know it, or not yet.
    pub async fn on_sale(&self, id: &str) -> i64 {
        let book: Value = self.visitor().get(&format!("/api/books/get?id={id}")).await.ok();
        book["available"].as_i64().unwrap_or(-1)
    }

    /// Sends the signal and says after what time and with which code the process ended.
    pub fn stop(&mut self, signal: &str) -> (Duration, Option<i32>) {
        self.signal(signal);
        let mut child = self.child.take().expect("a running shop");
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(15) {
            if let Some(status) = child.try_wait().expect("ask for the shop") {
                return (started.elapsed(), status.code());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = child.kill();
        let _ = child.wait();
        panic!("the shop does not stop:\n{}", self.log());
    }

    /// `STOP` freezes it, `CONT` lets it go on.
    pub fn signal(&self, signal: &str) {
        let child = self.child.as_ref().expect("a running shop");
        let sent = Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status();
        assert!(sent.expect("send the signal").success());
    }

    /// The shop is gone from one moment to the next.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// How the process ended, should it have done so by itself.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.child.as_mut()?.try_wait().expect("ask for the shop")?;
        self.child = None;
        Some(status)
    }

    /// Whether there is a process, as far as anybody has looked.
    pub fn runs(&self) -> bool {
        self.child.is_some()
    }

    /// The keys of this shop in Redis.
    pub fn keys(&self) -> Keys {
        Keys::new(&self.setting("BAZAR_KEY_PREFIX"))
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub fn setting(&self, name: &str) -> String {
        let found = self.settings.iter().rfind(|(known, _)| known == name);
        found.map(|(_, value)| value.clone()).unwrap_or_else(|| panic!("no setting {name}"))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bazar"));
        // Nothing of the terminal that runs the tests; but where programs and libraries are.
        let kept =
            std::env::vars_os().filter(|(name, _)| matches!(name.to_str(), Some("PATH" | "HOME" | "LD_LIBRARY_PATH")));
        command.env_clear().envs(kept).envs(self.settings.iter().cloned()).args(arguments);
        command
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- log of the shop ---\n{}", self.log());
        }
        let _ = std::fs::remove_file(&self.log);
        let _ = std::fs::remove_dir_all(self.log.with_extension("mails"));
    }
}

/// Two ports that were free a moment ago.
fn free_ports() -> [u16; 2] {
    let listeners = [0, 1].map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    listeners.map(|listener| listener.local_addr().expect("its address").port())
}

/// Waits for something that happens in the background.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let end = Instant::now() + Duration::from_secs(20);
    while Instant::now() < end {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("waited 20 s for {what}");
}
