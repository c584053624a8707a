//! A mail server that takes mails, says later, says no, or says nothing.

use super::*;
use std::sync::Mutex;
use store::mail::SmtpServer;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// What the server answers to the end of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Takes,
    Says(&'static str),
    Hangs,
    /// Takes the mail and dies before it says so.
    HangsUp,
}

#[derive(Clone)]
struct Server {
    mood: Arc<Mutex<Mood>>,
    taken: Arc<Mutex<Vec<String>>>,
    url: String,
}

impl Server {
    async fn start(mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listen");
        let url = format!("smtp://{}", listener.local_addr().expect("its address"));
        let server = Self { mood: Arc::new(Mutex::new(mood)), taken: Arc::default(), url };
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = serving.clone();
                tokio::spawn(async move { server.talk(stream).await });
            }
        });
        server
    }

    async fn talk(&self, stream: TcpStream) -> Option<()> {
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        write.write_all(b"220 test\r\n").await.ok()?;
        let mut mail: Option<String> = None;
        while let Some(line) = lines.next_line().await.ok()? {
            let answer = match &mut mail {
                Some(_) if line == "." => {
                    self.taken.lock().expect("taken").extend(mail.take());
                    let mood = *self.mood.lock().expect("mood");
                    match mood {
                        Mood::Takes => "250 taken",
                        Mood::Says(words) => words,
                        Mood::Hangs => std::future::pending().await,
                        Mood::HangsUp => return None,
                    }
                }
                Some(text) => {
                    text.push_str(&line);
                    text.push_str("\r\n");
                    continue;
                }
                None if line.starts_with("EHLO") => "250 test",
                None if line == "DATA" => {
                    mail = Some(String::new());
                    "354 go on"
                }
                None => "250 ok",
            };
            write.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
        }
        None
    }

    fn taken(&self) -> Vec<String> {
        self.taken.lock().expect("taken").iter().map(|mail| decoded(mail)).collect()
    }

    fn turn(&self, mood: Mood) {
        *self.mood.lock().expect("mood") = mood;
    }
}

/// A mail is due, and goes to that address.
async fn due(url: &str) -> (Shop, Store) {
    let shop = Shop::open().await;
    forgetful(&shop).await;
    let mut config = shop.store.config().clone();
    config.mail.way = Way::Smtp(SmtpServer::parse(url).expect("a URL"));
    config.mail.reply_timeout = Duration::from_millis(300);
    let store = Store::connect(config, Arc::new(Later(8 * DAY))).await.expect("connect");
    assert_eq!(remind(&store).await, 1);
    (shop, store)
}

/// (attempts counted, waits for its next turn) of the one mail in the outbox.
async fn waiting(shop: &Shop) -> Option<i32> {
    let attempts = sqlx::query_scalar("SELECT attempts FROM outbox WHERE due_at > now() + interval '8 days'");
    attempts.fetch_optional(&mut shop.pg().await).await.expect("the outbox")
}

async fn make_due(shop: &Shop) {
    sql(shop, "UPDATE outbox SET due_at = '-infinity'").await;
}

const PARKED: &str = "SELECT count(*) FROM dead_letters WHERE source = 'outbox' AND state = 'parked'";

#[tokio::test]
async fn a_mail_is_handed_over_once() {
    let server = Server::start(Mood::Takes).await;
    let (shop, store) = due(&server.url).await;
    send(&store).await;
    send(&store).await;
    assert_eq!(server.taken().len(), 1);
    assert!(server.taken()[0].contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click"));
    assert_eq!(count(&shop, "SELECT count(*) FROM outbox").await, 0);
}

#[tokio::test]
async fn later_means_later_and_not_for_ever() {
    let server = Server::start(Mood::Says("451 4.7.1 try again in 5 minutes")).await;
    let (shop, store) = due(&server.url).await;
    send(&store).await;
    assert_eq!(waiting(&shop).await, Some(1), "counted, and not tried again at once");
    let pause = "SELECT count(*) FROM outbox WHERE due_at > now() + interval '8 days 7 seconds'";
    assert_eq!(count(&shop, pause).await, 1, "greylisting takes its time");
    server.turn(Mood::Takes);
    make_due(&shop).await;
    send(&store).await;
    assert_eq!((server.taken().len(), waiting(&shop).await), (2, None));

    server.turn(Mood::Says("452 4.2.2 full"));
    sql(&shop, "UPDATE cart_mails SET sent_at = NULL").await;
    let again = "INSERT INTO outbox (topic, key, payload, attempts, due_at)
        SELECT 'mail.send', id, '{\"kind\": \"cart.forgotten\"}', 9, '-infinity' FROM cart_mails";
    sql(&shop, again).await;
    send(&store).await;
    assert_eq!((waiting(&shop).await, count(&shop, PARKED).await), (None, 1));
}

#[tokio::test]
async fn no_is_no_and_waits_for_a_person() {
    let server = Server::start(Mood::Says("550 5.1.1 <asha@example.org>: no such user")).await;
    let (shop, store) = due(&server.url).await;
    send(&store).await;
    assert_eq!((waiting(&shop).await, count(&shop, PARKED).await), (None, 1));
    let letter: (String, String) = sqlx::query_as("SELECT error, payload::text FROM dead_letters")
        .fetch_one(&mut shop.pg().await)
        .await
        .expect("a dead letter");
    assert!(letter.0.contains("550") && letter.0.contains("no such user"), "{letter:?}");
    assert!(!letter.0.contains('@') && !letter.1.contains('@'), "no address in it: {letter:?}");
}

#[tokio::test]
async fn a_server_that_is_away_costs_no_attempt() {
    let gone = TcpListener::bind("127.0.0.1:0").await.expect("listen").local_addr().expect("its address");
    let server = Server::start(Mood::Hangs).await;
    let locked = Server::start(Mood::Says("535 5.7.8 wrong password")).await;
    for url in [&server.url, &format!("smtp://{gone}"), &locked.url] {
        let (shop, store) = due(url).await;
        let started = std::time::Instant::now();
        send(&store).await;
        assert!(started.elapsed() < Duration::from_secs(6), "{url} held the lane up");
        assert_eq!((waiting(&shop).await, count(&shop, PARKED).await), (Some(0), 0), "{url}");
    }
}

#[tokio::test]
async fn a_yes_that_got_lost_makes_a_second_copy_of_the_same_mail() {
    let server = Server::start(Mood::HangsUp).await;
    let (shop, store) = due(&server.url).await;
    send(&store).await;
    assert_eq!(waiting(&shop).await, Some(0));
    server.turn(Mood::Takes);
    make_due(&shop).await;
    send(&store).await;
    let id = |mail: &String| mail.lines().find(|line| line.starts_with("Message-ID:")).map(str::to_owned);
    let ids: Vec<_> = server.taken().iter().map(id).collect();
    assert_eq!(ids.len(), 2);
    assert!(ids[0].is_some() && ids[0] == ids[1], "mail systems can tell: {ids:?}");
}
