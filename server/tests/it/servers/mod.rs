//! A Postgres and a Redis that belong to one test, to be stopped, frozen, killed and turned back to an older state.
//!
//! They listen on 127.0.0.1 with a password and live in a folder of their own; they end with the test, also when it
//! panics, and (where the system can do that) when the whole test run is killed.

mod postgres;
mod redis;

pub use postgres::Postgres;
pub use redis::Redis;

use std::{
    fs::DirBuilder,
    net::{TcpListener, TcpStream},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::LazyLock,
    time::{Duration, Instant},
};
use tokio::sync::{Mutex, MutexGuard};

/// Servers that start, stop and drain slow each other down on two cores, and with them what is measured.
static ALONE: Mutex<()> = Mutex::const_new(());

/// What a shop needs; one test at a time has them.
pub struct Servers {
    pub postgres: Postgres,
    pub redis: Redis,
    _alone: MutexGuard<'static, ()>,
}

impl Servers {
    pub async fn start() -> Self {
        let alone = ALONE.lock().await;
        let (postgres, redis) = (Postgres::start(), Redis::start());
        Self { postgres, redis, _alone: alone }
    }
}

/// A folder that ends with its owner.
struct Folder(PathBuf);

impl Folder {
    fn new(kind: &str) -> Self {
        let path = std::env::temp_dir().join(format!("bazar-it-{kind}-{}", unique()));
        // Passwords lie in it.
        DirBuilder::new().mode(0o700).create(&path).expect("make a folder");
        Self(path)
    }

    fn path(&self) -> &Path {
        &self.0
    }

    /// What the server wrote last, for the message of a failing test.
    fn log(&self) -> String {
        std::fs::read_to_string(self.0.join("log")).unwrap_or_default()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A program that does not outlive the thread that started it, where `setpriv` knows how.
fn bound(program: impl AsRef<Path>) -> Command {
    static SETPRIV: LazyLock<bool> = LazyLock::new(|| said("setpriv", &["--pdeathsig", "KILL", "true"]).is_some());
    if !*SETPRIV {
        return Command::new(program.as_ref());
    }
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program.as_ref());
    command
}

/// What a small program printed; `None`: it is not there, or failed.
fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Starts a server whose output goes to `log` of its folder.
fn spawn(command: &mut Command, folder: &Folder) -> Child {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(folder.path().join("log")).expect("a log");
    let both = log.try_clone().expect("share the log");
    command.stdin(Stdio::null()).stdout(both).stderr(log).spawn().expect("start a server")
}

fn signal(name: &str, pids: &[u32]) {
    let (name, pids): (_, Vec<_>) = (format!("-{name}"), pids.iter().map(u32::to_string).collect());
    let arguments: Vec<&str> = std::iter::once(name.as_str()).chain(pids.iter().map(String::as_str)).collect();
    // Some of them may have ended by themselves.
    let _ = said("kill", &arguments);
}

/// Waits for a child that was asked to end; makes it end when it does not.
fn reap(mut child: Child) {
    let end = Instant::now() + Duration::from_secs(10);
    while Instant::now() < end {
        if child.try_wait().expect("ask for a server").is_some() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// Until the server says yes; at most 30 s.
fn until(what: &str, folder: &Folder, mut yes: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !yes() {
        assert!(Instant::now() < end, "waited 30 s until {what}:\n{}", folder.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

#[expect(clippy::disallowed_methods, reason = "a name and a password that nobody else has")]
fn unique() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
