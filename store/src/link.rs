//! The one connection to Redis, and which run of which server it ends in.
//!
//! A TCP connection ends in exactly one run of one Redis server. A cart that was proven in another run may be an old
//! file's or a lagging replica's; so whoever must know asks [`Link::run`] for a connection together with its `run_id`.
//! A task keeps the connection: it learns of a close at once and of silence by a heartbeat, and connects again.

use crate::REDIS_TIMEOUT;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ErrorKind, InfoDict, Pipeline, RedisError, RedisFuture,
    RedisResult, Value,
    aio::{ConnectionLike, MultiplexedConnection},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
    sync::watch,
    time::{sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;

/// Longest wait of a command for a link that is down: a restart of Redis takes less.
const PATIENCE: Duration = Duration::from_secs(1);
const HEARTBEAT: Duration = Duration::from_millis(250);
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// One run of one Redis server. Commands on `connection` reach that run or fail.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub connection: MultiplexedConnection,
    /// The server's `run_id`, asked on that very connection.
    pub id: Arc<str>,
}

/// The way to whatever run there is. Clones share one connection, which closes with the last of them.
///
/// A command that finds the link down waits a little for the next connection. One that failed after it may have been
/// sent is not repeated: whoever sent it knows whether that does harm.
#[derive(Clone)]
pub(crate) struct Link {
    run: watch::Receiver<Option<Run>>,
    db: i64,
}

impl Link {
    /// Fails when nobody answers; a server that is still loading its file is waited for by the commands.
    pub async fn connect(client: &Client) -> RedisResult<Self> {
        let (first, driver) = dial(client).await?.unzip();
        let (sender, run) = watch::channel(first);
        tokio::spawn(keep(client.clone(), sender, driver));
        Ok(Self { run, db: client.get_connection_info().redis_settings().db() })
    }

    /// The present run, or the next one if it comes within a second.
    pub async fn run(&mut self) -> RedisResult<Run> {
        if let Some(run) = &*self.run.borrow() {
            return Ok(run.clone());
        }
        let next = timeout(PATIENCE, self.run.wait_for(Option::is_some)).await;
        let run = next.ok().and_then(Result::ok).and_then(|run| run.clone());
        run.ok_or_else(|| RedisError::from((ErrorKind::Io, "the connection to redis is down")))
    }
}

impl ConnectionLike for Link {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move { self.run().await?.connection.send_packed_command(cmd).await })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move { self.run().await?.connection.send_packed_commands(pipeline, offset, count).await })
    }

    fn get_db(&self) -> i64 {
        self.db
    }
}

/// What moves the bytes of a connection; it ends when the connection does.
type Driver = AbortOnDropHandle<()>;

/// Keeps the link up until nobody holds it any more.
async fn keep(client: Client, sender: watch::Sender<Option<Run>>, mut driver: Option<Driver>) {
    let mut pause = FIRST_PAUSE;
    loop {
        if let Some(driver) = driver.take() {
            pause = FIRST_PAUSE;
            let run = sender.borrow().clone();
            tokio::select! {
                () = sender.closed() => return,
                () = lost(run, driver) => {}
            }
            sender.send_replace(None);
            metrics::counter!("redis_links_lost_total").increment(1);
            tracing::warn!("the connection to redis is lost");
        }
        tokio::select! {
            () = sender.closed() => return,
            dialled = dial(&client) => match dialled {
                Ok(Some((run, next))) => {
                    tracing::info!(redis.run_id = &*run.id, "connected to redis");
                    sender.send_replace(Some(run));
                    driver = Some(next);
                    continue;
                }
                Ok(None) => tracing::debug!("redis is not ready yet"),
                Err(error) => tracing::debug!(error = &error as &dyn std::error::Error, "redis cannot be reached"),
            },
        }
        tokio::select! {
            () = sender.closed() => return,
            () = sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
        }
    }
}

/// Returns when the connection is closed or silent; commands that still wait on it fail then.
async fn lost(run: Option<Run>, driver: Driver) {
    let Some(Run { mut connection, .. }) = run else { return };
    let silent = async {
        loop {
            sleep(HEARTBEAT).await;
            // An error reply (no permission to ask) comes from a server that is there.
            if connection.send_packed_command(&redis::cmd("PING")).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        _ = driver => {}
        () = silent => {}
    }
}

/// A connection and the run it ends in; `None`: the server answers, but must not be used yet.
async fn dial(client: &Client) -> RedisResult<Option<(Run, Driver)>> {
    let connected = timeout(REDIS_TIMEOUT, open(client)).await;
    let (mut connection, driver) =
        connected.map_err(|_| RedisError::from((ErrorKind::Io, "redis does not answer")))??;
    let info: InfoDict = redis::cmd("INFO").query_async(&mut connection).await?;
    // While a server loads its file it refuses data; a master that became a replica refuses changes.
    let is_loading = info.get::<u8>("loading").is_some_and(|loading| loading != 0);
    if is_loading || info.get::<String>("role").is_some_and(|role| role == "slave") {
        return Ok(None);
    }
    let id: Option<String> = info.get("run_id");
    let id = id.ok_or_else(|| RedisError::from((ErrorKind::UnexpectedReturnType, "redis has no run_id")))?;
    Ok(Some((Run { connection, id: id.into() }, driver)))
}

async fn open(client: &Client) -> RedisResult<(MultiplexedConnection, Driver)> {
    match client.get_connection_info().addr() {
        ConnectionAddr::Tcp(host, port) => {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            stream.set_nodelay(true)?;
            set_up(client, stream).await
        }
        ConnectionAddr::Unix(path) => set_up(client, UnixStream::connect(path).await?).await,
        _ => Err(RedisError::from((ErrorKind::InvalidClientConfig, "redis is reached by redis:// or redis+unix://"))),
    }
}

/// Made by hand rather than by the client, because so its end is known the moment it comes.
async fn set_up<C>(client: &Client, stream: C) -> RedisResult<(MultiplexedConnection, Driver)>
where
    C: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let config = AsyncConnectionConfig::new().set_response_timeout(Some(REDIS_TIMEOUT));
    let settings = client.get_connection_info().redis_settings();
    let (connection, driver) = MultiplexedConnection::new_with_config(settings, stream, config).await?;
    Ok((connection, AbortOnDropHandle::new(tokio::spawn(driver))))
}
