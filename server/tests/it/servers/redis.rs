//! A Redis as production has it: append-only file, nothing evicted.

use super::{Folder, bound, free_port, reap, signal, spawn, unique, until};
use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
};

pub struct Redis {
    pub url: String,
    port: u16,
    password: String,
    folder: Folder,
    child: Option<Child>,
}

impl Redis {
    pub fn start() -> Self {
        let (port, password) = (free_port(), unique());
        let url = format!("redis://default:{password}@127.0.0.1:{port}/");
        let mut redis = Self { url, port, password, folder: Folder::new("redis"), child: None };
        redis.up();
        redis
    }

    /// Starts it with the data that it has.
    pub fn up(&mut self) {
        let folder = self.folder.path().to_string_lossy().into_owned();
        let mut command = bound("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &self.port.to_string(), "--requirepass", &self.password]);
        command.args(["--dir", &folder, "--appendonly", "yes", "--appendfsync", "everysec"]);
        command.args(["--save", "", "--maxmemory", "256mb", "--maxmemory-policy", "noeviction"]);
        self.child = Some(spawn(&mut command, &self.folder));
        until("Redis answers", &self.folder, || self.try_ask(&["PING"]).as_deref() == Some("PONG"));
    }

    /// Gone from one moment to the next. What it answered is in its file: the system has it, not the process.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Stands still: it takes connections and never answers.
    pub fn freeze(&self) {
        signal("STOP", &self.pids());
    }

    pub fn thaw(&self) {
        signal("CONT", &self.pids());
    }

    /// Puts a copy of its append-only file aside.
    pub fn remember(&self) {
        let [now, old] = self.files();
        let _ = std::fs::remove_dir_all(&old);
        std::fs::create_dir(&old).expect("a folder for the old file");
        for file in std::fs::read_dir(&now).expect("the append-only file") {
            let file = file.expect("a part of it").path();
            std::fs::copy(&file, old.join(file.file_name().expect("its name"))).expect("copy it");
        }
    }

    /// kill -9, and up again with what [`Self::remember`] put aside.
    pub fn turn_back(&mut self) {
        self.kill();
        let [now, old] = self.files();
        std::fs::remove_dir_all(&now).expect("forget what happened since");
        std::fs::rename(&old, &now).expect("put the old file back");
        self.up();
    }

    /// What redis-cli says.
    pub fn ask(&self, words: &[&str]) -> String {
        self.try_ask(words).expect("Redis answers")
    }

    fn try_ask(&self, words: &[&str]) -> Option<String> {
        let mut command = Command::new("redis-cli");
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]).args(words);
        let output = command.env("REDISCLI_AUTH", &self.password).stdin(Stdio::null()).output().expect("run redis-cli");
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn files(&self) -> [PathBuf; 2] {
        ["appendonlydir", "old"].map(|name| self.folder.path().join(name))
    }

    fn pids(&self) -> Vec<u32> {
        self.child.iter().map(Child::id).collect()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if let Some(child) = self.child.take() {
            signal("KILL", &[child.id()]);
            reap(child);
        }
    }
}
