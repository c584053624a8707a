//! A Redis of a test's own, which may be killed, frozen and started again without anybody else noticing.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// Listens on one port for as long as the test lives; its file survives kills.
pub struct PrivateRedis {
    pub port: u16,
    /// Holds the append-only file, so that tests can keep and bring back an old one.
    pub dir: PathBuf,
    child: Option<Child>,
}

impl PrivateRedis {
    pub async fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let dir = std::env::temp_dir().join(format!("bazar-redis-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a directory of its own");
        let mut redis = Self { port, dir, child: None };
        redis.start_again().await;
        redis
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub fn url(&self) -> String {
        format!("redis://{}/", self.address())
    }

    pub fn client(&self) -> redis::Client {
        redis::Client::open(self.url()).expect("a Redis URL")
    }

    /// A connection that has nothing to do with the store's.
    pub async fn connection(&self) -> redis::aio::MultiplexedConnection {
        self.client().get_multiplexed_async_connection().await.expect("connect to the private Redis")
    }

    /// After [`Self::kill`]: the same port and the same file, another run. Returns when it answers.
    pub async fn start_again(&mut self) {
        self.child = Some(spawn(self.port, &self.dir));
        for _ in 0..500 {
            if self.is_ready().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the private Redis on port {} does not answer", self.port);
    }

    /// kill -9: what the system has not got of the file yet is lost.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    pub async fn restart(&mut self) {
        self.kill();
        self.start_again().await;
    }

    /// Alive, but answering nobody, until [`Self::thaw`].
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.as_ref().expect("it runs").id();
        let sent = Command::new("kill").args([signal, &pid.to_string()]).status().expect("run kill");
        assert!(sent.success(), "kill {signal} {pid}");
    }

    async fn is_ready(&self) -> bool {
        let client = self.client();
        let ping = async {
            let mut connection = client.get_multiplexed_async_connection().await?;
            redis::cmd("GET").arg("-").query_async::<Option<String>>(&mut connection).await
        };
        tokio::time::timeout(Duration::from_secs(1), ping).await.is_ok_and(|answer| answer.is_ok())
    }
}

impl Drop for PrivateRedis {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn spawn(port: u16, dir: &Path) -> Child {
    Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--dir"])
        .arg(dir)
        .args(["--save", "", "--appendonly", "yes", "--appendfsync", "always"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("redis-server is installed")
}
