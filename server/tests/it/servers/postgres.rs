//! A Postgres that comes back from kill -9 with everything it committed; only a power cut would be too much for it.

use super::{Folder, bound, free_port, listens, reap, said, signal, spawn, unique, until};
use std::{
    fs,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// As root it must run as somebody else.
const OS_USER: &str = "postgres";

pub struct Postgres {
    pub url: String,
    port: u16,
    programs: PathBuf,
    /// Who it runs as: user and group.
    user: Option<(u32, u32)>,
    folder: Folder,
    child: Option<Child>,
}

impl Postgres {
    pub fn start() -> Self {
        let (port, password) = (free_port(), unique());
        let url = format!("postgres://bazar:{password}@127.0.0.1:{port}/postgres");
        let (folder, user) = (Folder::new("postgres"), other_user());
        let mut postgres = Self { url, port, programs: programs(), user, folder, child: None };
        postgres.create(&password);
        postgres.up();
        postgres
    }

    /// Starts it with the data that it has.
    pub fn up(&mut self) {
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.folder.path().join("data")).args(["-p", &self.port.to_string()]);
        for setting in [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "max_connections=200",
            "shared_buffers=32MB",
            // The system has every write, so kill -9 loses nothing; power cuts are not tested here.
            "fsync=off",
            "full_page_writes=off",
            "restart_after_crash=off",
        ] {
            command.args(["-c", setting]);
        }
        self.child = Some(spawn(&mut command, &self.folder));
        until("Postgres answers", &self.folder, || listens(self.port) && self.try_ask("SELECT 1").is_some());
    }

    /// All of its processes are gone from one moment to the next.
    pub fn kill(&mut self) {
        let pids = self.halt();
        signal("KILL", &pids);
        if let Some(child) = self.child.take() {
            reap(child);
        }
        // Whoever is left holds the shared memory, and the next start refuses.
        until("the old processes are gone", &self.folder, || pids.iter().all(|pid| !lives(*pid)));
    }

    /// Stands still: it takes connections and never answers.
    pub fn freeze(&self) {
        self.halt();
    }

    pub fn thaw(&self) {
        signal("CONT", &self.pids());
    }

    /// Rows as `a|b`, as psql prints them.
    pub fn ask(&self, sql: &str) -> Vec<String> {
        self.try_ask(sql).unwrap_or_else(|| panic!("psql: {sql}\n{}", self.folder.log()))
    }

    fn try_ask(&self, sql: &str) -> Option<Vec<String>> {
        let output = self.psql(sql).stdin(Stdio::null()).stderr(Stdio::null()).output().expect("run psql");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        output.status.success().then(|| text.lines().map(str::to_owned).collect())
    }

    /// psql at work on that statement.
    pub fn psql(&self, sql: &str) -> Command {
        let mut command = Command::new(self.programs.join("psql"));
        command.args(["-X", "-q", "-w", "-At", "-v", "ON_ERROR_STOP=1", "-d", &self.url, "-c", sql]);
        command
    }

    fn create(&self, password: &str) {
        let (data, file) = (self.folder.path().join("data"), self.folder.path().join("password"));
        fs::write(&file, password).expect("write the password");
        if let Some((user, group)) = self.user {
            for path in [self.folder.path(), &file] {
                chown(path, Some(user), Some(group)).expect("give it to Postgres");
            }
        }
        let mut command = self.command("initdb");
        command.args(["-U", "bazar", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]);
        command.arg("--pwfile").arg(&file).arg("-D").arg(&data);
        let done = spawn(&mut command, &self.folder).wait().expect("wait for initdb");
        assert!(done.success(), "initdb:\n{}", self.folder.log());
    }

    fn command(&self, program: &str) -> Command {
        let mut command = bound(self.programs.join(program));
        command.current_dir(self.folder.path());
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command
    }

    /// Stops all of its processes; the first one first, so that no new ones appear.
    fn halt(&self) -> Vec<u32> {
        if let Some(child) = &self.child {
            signal("STOP", &[child.id()]);
        }
        let pids = self.pids();
        signal("STOP", &pids);
        pids
    }

    fn pids(&self) -> Vec<u32> {
        let Some(child) = &self.child else { return Vec::new() };
        let children = said("ps", &["-o", "pid=", "--ppid", &child.id().to_string()]).unwrap_or_default();
        let children = children.split_whitespace().filter_map(|pid| pid.parse().ok());
        std::iter::once(child.id()).chain(children).collect()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let pids = self.pids();
        if let Some(child) = self.child.take() {
            signal("KILL", &pids);
            reap(child);
        }
    }
}

fn lives(pid: u32) -> bool {
    said("kill", &["-0", &pid.to_string()]).is_some()
}

/// The newest server on the machine: Debian keeps its programs off the PATH.
fn programs() -> PathBuf {
    let version =
        |path: &Path| path.to_string_lossy().split('/').filter_map(|part| part.parse::<u32>().ok()).next_back();
    let installed =
        fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|dir| dir.path().join("bin"));
    let newest = installed.filter(|dir| dir.join("initdb").exists()).max_by_key(|dir| version(dir));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = || std::env::split_paths(&path).find(|dir| dir.join("initdb").exists());
    newest.or_else(on_path).expect("PostgreSQL's server programs")
}

/// Whom to run as, when this is root: user and group.
fn other_user() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| said("id", arguments).and_then(|id| id.parse().ok());
    let is_root = id(&["-u"]) == Some(0);
    is_root.then(|| id(&["-u", OS_USER]).zip(id(&["-g", OS_USER])).expect("Postgres refuses root: a user for it"))
}
