//! One typed call for each script of `lua/cart*.lua`; every code they answer with is a value here.

use super::{
    state,
    verb::{Postgres, Reply, Verb},
};
use crate::{
    Store,
    error::{During, Error},
    jobs::ALONE_FROM,
    link::Run,
    stock,
};
use domain::{BookId, Owner, UnixMillis};
use redis::{Cmd, ErrorKind, FromRedisValue, Pipeline, RedisError, Script, ServerErrorKind, aio::ConnectionLike};
use std::{collections::HashMap, sync::LazyLock};

/// An edit is persisted this long after it, so that a burst of edits is one write.
pub(super) const SETTLE_MS: i64 = 1_000;
/// Persisted carts of guests leave Redis after three days without an edit; those of accounts stay.
const GUEST_TTL_SECONDS: i64 = 3 * 24 * 3600;

macro_rules! script {
    ($name:ident, $file:literal) => {
        static $name: LazyLock<Script> =
            LazyLock::new(|| Script::new(include_str!(concat!("../../../lua/", $file, ".lua"))));
    };
}

script!(CLAIM, "carts_claim");
script!(DONE, "carts_done");
script!(FAILED, "carts_failed");
script!(MEND, "carts_mend");

/// Runs a verb on a cart in this run of Redis, and asks the gate about these books in the same round trip.
/// `None`: Postgres has to be asked first.
pub(super) async fn call(
    store: &Store,
    run: &mut Run,
    owner: &Owner,
    verb: Verb<'_>,
    postgres: Postgres<'_>,
    books: &[BookId],
) -> Result<(Option<Reply>, HashMap<BookId, i64>), Error> {
    let mut pipe = redis::pipe();
    let call = command(store, run, owner, verb, postgres);
    if books.is_empty() {
        pipe.add_command(call);
        let answer = told(verb.script(), &pipe, &mut run.connection).await;
        let (answer,): (Vec<String>,) = answer.during("carts.script")?;
        return Ok((Reply::parse(&answer)?, HashMap::new()));
    }
    stock::ask(store, &mut pipe, books);
    pipe.add_command(call);
    let answer = told(verb.script(), &pipe, &mut run.connection).await;
    let (epoch, counts, answer): (Option<String>, Vec<Option<i64>>, Vec<String>) = answer.during("carts.script")?;
    Ok((Reply::parse(&answer)?, stock::told(books, epoch.as_deref(), &counts)))
}

fn command(store: &Store, run: &Run, owner: &Owner, verb: Verb<'_>, postgres: Postgres<'_>) -> Cmd {
    let (keys, now) = (store.keys(), store.now());
    let (known, seed) = match postgres {
        Postgres::Unasked if verb.may_be_unproven() => ("edit", vec![]),
        Postgres::Unasked => ("proven", vec![]),
        Postgres::Has(state) => ("seed", state.to_fields()),
        Postgres::Away => ("away", vec![]),
    };
    let mut cmd = redis::cmd("EVALSHA");
    cmd.arg(verb.script().get_hash()).arg(2).arg(keys.cart(owner)).arg(keys.carts_dirty(owner.cart_bucket()));
    cmd.arg(owner.to_string()).arg(now.get()).arg(now.plus(SETTLE_MS).get()).arg(keys.live_cart()).arg(&*run.id);
    cmd.arg(known).arg(seed.len()).arg(seed).arg(verb.args());
    cmd
}

/// Sends a pipeline with calls of one script; a Redis that does not know the script yet is told it, once. The calls that
/// failed for it did nothing, and what else the pipeline asks may be asked again.
async fn told<T: FromRedisValue>(
    script: &Script,
    pipe: &Pipeline,
    redis: &mut impl ConnectionLike,
) -> Result<T, RedisError> {
    match pipe.query_async(redis).await {
        Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
            script.load_async(redis).await?;
            pipe.query_async(redis).await
        }
        answer => answer,
    }
}

/// A cart to persist, leased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimed {
    pub(super) owner: Owner,
    /// Failed attempts before this one.
    pub(super) attempts: i32,
    /// When the first of them was.
    pub(super) first_failed_at: Option<UnixMillis>,
    /// Leases before this one that had no outcome.
    pub(super) leases: i32,
}

/// Leases due carts of all buckets until `lease_end`, at most `per_bucket` of each; one round trip.
pub(super) async fn claim(store: &Store, lease_end: UnixMillis, per_bucket: u32) -> Result<Vec<Claimed>, Error> {
    let now = store.now();
    let calls = (0..Owner::CART_BUCKETS).map(|bucket| {
        evalsha(
            &CLAIM,
            &[store.keys().carts_dirty(bucket), store.keys().carts_attempts(bucket), store.keys().carts_leases(bucket)],
            &[now.get(), lease_end.get(), i64::from(per_bucket), i64::from(ALONE_FROM - 1)].map(|n| n.to_string()),
        )
    });
    let answers: Vec<Vec<String>> = pipelined(store, &CLAIM, calls.collect()).await?;
    let claimed = answers.iter().flat_map(|answer| answer.chunks(3)).map(|claimed| match claimed {
        [owner, failures, leases] => {
            let owner = state::owner(owner)?;
            let leases = i32::try_from(state::number(leases)?).unwrap_or(i32::MAX);
            let Some((attempts, first)) = failures.split_once(':') else {
                return Ok(Claimed { owner, attempts: 0, first_failed_at: None, leases });
            };
            let attempts = i32::try_from(state::number(attempts)?).unwrap_or(i32::MAX);
            let first_failed_at = Some(UnixMillis::new(state::number(first)?));
            Ok(Claimed { owner, attempts, first_failed_at, leases })
        }
        _ => Err(Error::unexpected("carts.claim", format!("unexpected answer {claimed:?}"))),
    });
    claimed.collect()
}

/// Counts the lease of a cart that is taken up alone; returns how many it has had without an outcome.
pub(super) async fn count_lease(store: &Store, owner: &Owner) -> Result<i32, Error> {
    let mut count = redis::cmd("HINCRBY");
    count.arg(store.keys().carts_leases(owner.cart_bucket())).arg(owner.to_string()).arg(1);
    count.query_async(&mut store.redis()).await.during("carts.count_lease")
}

/// Whoever leased these carts lives on, or has parked them: they have had so many leases (0: as if none).
pub(super) async fn set_leases(store: &Store, owners: &[Owner], leases: i32) -> Result<(), Error> {
    if owners.is_empty() {
        return Ok(());
    }
    let mut pipe = redis::pipe();
    for owner in owners {
        let (key, owner) = (store.keys().carts_leases(owner.cart_bucket()), owner.to_string());
        match leases {
            0 => pipe.hdel(key, owner).ignore(),
            leases => pipe.hset(key, owner, leases).ignore(),
        };
    }
    pipe.exec_async(&mut store.redis()).await.during("carts.set_leases")
}

/// What became of the mark of a cart that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    Clean,
    /// It had been in the dead letters.
    Revived,
    /// Edited meanwhile; it stays dirty.
    Moved,
}

/// Takes the marks off carts that Postgres has at `(v, t)`; one round trip.
pub(super) async fn done(store: &Store, written: &[(Owner, i64, i64)]) -> Result<Vec<Done>, Error> {
    let due = store.now().plus(SETTLE_MS);
    let calls = written.iter().map(|(owner, v, t)| {
        let (keys, bucket) = (store.keys(), owner.cart_bucket());
        let ttl = if owner.guest().is_some() { GUEST_TTL_SECONDS } else { 0 };
        evalsha(
            &DONE,
            &[
                keys.cart(owner),
                keys.carts_dirty(bucket),
                keys.carts_attempts(bucket),
                keys.carts_dead(bucket),
                keys.carts_leases(bucket),
            ],
            &[owner.to_string(), v.to_string(), t.to_string(), due.get().to_string(), ttl.to_string()],
        )
    });
    let answers: Vec<String> = pipelined(store, &DONE, calls.collect()).await?;
    let done = answers.iter().map(|answer| match answer.as_str() {
        "DONE" => Ok(Done::Clean),
        "REVIVED" => Ok(Done::Revived),
        "MOVED" => Ok(Done::Moved),
        other => Err(Error::unexpected("carts.done", format!("unexpected answer {other:?}"))),
    });
    done.collect()
}

/// Counts a failed attempt. `is_parked`: its dead letter is written, so it leaves the list.
pub(super) async fn failed(store: &Store, owner: &Owner, due: UnixMillis, is_parked: bool) -> Result<(), Error> {
    let (keys, bucket) = (store.keys(), owner.cart_bucket());
    let mut call = FAILED.key(keys.carts_dirty(bucket));
    call.key(keys.carts_attempts(bucket)).key(keys.carts_dead(bucket));
    call.arg(owner.to_string()).arg(due.get()).arg(u8::from(is_parked)).arg(store.now().get());
    let answer: String = call.invoke_async(&mut store.redis()).await.during("carts.failed")?;
    match answer.as_str() {
        "RETRY" | "PARKED" => Ok(()),
        other => Err(Error::unexpected("carts.failed", format!("unexpected answer {other:?}"))),
    }
}

/// Which marks a cart has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marks {
    pub is_dirty: bool,
    pub is_dead: bool,
}

/// The marks of these carts, in their order; one round trip.
pub(super) async fn marks(store: &Store, owners: &[Owner]) -> Result<Vec<Marks>, Error> {
    if owners.is_empty() {
        return Ok(Vec::new());
    }
    let mut pipe = redis::pipe();
    for owner in owners {
        let (keys, bucket, name) = (store.keys(), owner.cart_bucket(), owner.to_string());
        pipe.zscore(keys.carts_dirty(bucket), &name).zscore(keys.carts_dead(bucket), &name);
    }
    let scores: Vec<Option<f64>> = pipe.query_async(&mut store.redis()).await.during("carts.marks")?;
    let marks = scores.chunks(2).map(|pair| Marks {
        is_dirty: pair.first().is_some_and(Option::is_some),
        is_dead: pair.last().is_some_and(Option::is_some),
    });
    Ok(marks.collect())
}

/// Carts of one bucket that are due since before `moment`: the thousand that wait longest.
pub(super) async fn due_before(store: &Store, bucket: u32, moment: UnixMillis) -> Result<Vec<Owner>, Error> {
    let mut due = redis::cmd("ZRANGEBYSCORE");
    due.arg(store.keys().carts_dirty(bucket)).arg("-inf").arg(moment.get()).arg("LIMIT").arg(0).arg(1000);
    let owners: Vec<String> = due.query_async(&mut store.redis()).await.during("carts.due_before")?;
    owners.iter().map(|owner| state::owner(owner)).collect()
}

/// All parked carts.
pub(super) async fn dead(store: &Store) -> Result<Vec<Owner>, Error> {
    let mut pipe = redis::pipe();
    for bucket in 0..Owner::CART_BUCKETS {
        pipe.zrange(store.keys().carts_dead(bucket), 0, -1);
    }
    let buckets: Vec<Vec<String>> = pipe.query_async(&mut store.redis()).await.during("carts.dead")?;
    buckets.iter().flatten().map(|owner| state::owner(owner)).collect()
}

/// All carts of which an attempt to write them has failed.
pub(super) async fn failing(store: &Store) -> Result<Vec<Owner>, Error> {
    let mut pipe = redis::pipe();
    for bucket in 0..Owner::CART_BUCKETS {
        pipe.hkeys(store.keys().carts_attempts(bucket));
    }
    let buckets: Vec<Vec<String>> = pipe.query_async(&mut store.redis()).await.during("carts.failing")?;
    buckets.iter().flatten().map(|owner| state::owner(owner)).collect()
}

/// Has a cart that stands still at `(v, t)` written again, or proven by Postgres. `false`: it does not.
pub(super) async fn mend(store: &Store, owner: &Owner, at: (i64, i64), is_behind: bool) -> Result<bool, Error> {
    let (keys, due) = (store.keys(), store.now().plus(SETTLE_MS));
    let mut call = MEND.key(keys.cart(owner));
    call.key(keys.carts_dirty(owner.cart_bucket()));
    call.arg(owner.to_string()).arg(at.0).arg(at.1).arg(due.get()).arg(u8::from(is_behind));
    let answer: String = call.invoke_async(&mut store.redis()).await.during("carts.mend")?;
    match answer.as_str() {
        "MENDED" => Ok(true),
        "MOVED" => Ok(false),
        other => Err(Error::unexpected("carts.mend", format!("unexpected answer {other:?}"))),
    }
}

/// Tells the shopper's tabs to look again.
pub(super) async fn announce(store: &Store, owner: &Owner) -> Result<(), Error> {
    let mut publish = redis::cmd("PUBLISH");
    publish.arg(store.keys().live_cart()).arg(owner.to_string());
    publish.exec_async(&mut store.redis()).await.during("carts.announce")
}

/// Makes a parked cart due; it stays among the dead until it is written, which ends its letter.
pub(super) async fn queue_parked(store: &Store, owner: &Owner) -> Result<(), Error> {
    let (keys, bucket, now, owner) = (store.keys(), owner.cart_bucket(), store.now().get(), owner.to_string());
    let mut pipe = redis::pipe();
    pipe.atomic();
    for key in [keys.carts_dead(bucket), keys.carts_dirty(bucket)] {
        pipe.cmd("ZADD").arg(key).arg("NX").arg(now).arg(&owner).ignore();
    }
    pipe.exec_async(&mut store.redis()).await.during("carts.queue_parked")
}

/// Makes a cart due as if it had never failed.
pub(super) async fn queue_anew(store: &Store, owner: &Owner) -> Result<(), Error> {
    let (keys, bucket, now, owner) = (store.keys(), owner.cart_bucket(), store.now().get(), owner.to_string());
    let mut pipe = redis::pipe();
    pipe.atomic().hdel(keys.carts_attempts(bucket), &owner).ignore();
    pipe.hdel(keys.carts_leases(bucket), &owner).ignore().zrem(keys.carts_dead(bucket), &owner).ignore();
    pipe.cmd("ZADD").arg(keys.carts_dirty(bucket)).arg("NX").arg(now).arg(&owner).ignore();
    pipe.exec_async(&mut store.redis()).await.during("carts.queue_anew")
}

fn evalsha(script: &Script, keys: &[String], args: &[String]) -> Cmd {
    let mut cmd = redis::cmd("EVALSHA");
    cmd.arg(script.get_hash()).arg(keys.len()).arg(keys).arg(args);
    cmd
}

/// Many calls of one script in one round trip.
async fn pipelined<T: FromRedisValue>(store: &Store, script: &Script, calls: Vec<Cmd>) -> Result<Vec<T>, Error> {
    if calls.is_empty() {
        return Ok(Vec::new());
    }
    let mut pipe = redis::pipe();
    for call in calls {
        pipe.add_command(call);
    }
    told(script, &pipe, &mut store.redis()).await.during("carts.pipeline")
}

/// What the verbs promise to answer.
#[cfg(test)]
pub(super) fn codes_of_verbs() -> impl Iterator<Item = &'static str> {
    let verbs = tests::CONTRACT.iter().filter(|(name, ..)| name.starts_with("cart_"));
    verbs.flat_map(|(_, _, codes)| codes.iter().copied())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    /// Name, what the wrapper sends, and the answers that it knows.
    pub(super) const CONTRACT: &[(&str, &str, &[&str])] = &[
        ("cart_add", include_str!("../../../lua/cart_add.lua"), &["OK", "SOLD_OUT", "FULL", "MOVED"]),
        ("cart_set", include_str!("../../../lua/cart_set.lua"), &["OK", "SOLD_OUT", "FULL", "MOVED"]),
        ("cart_fewer", include_str!("../../../lua/cart_fewer.lua"), &["OK", "MOVED"]),
        ("cart_remove", include_str!("../../../lua/cart_remove.lua"), &["OK", "MOVED"]),
        ("cart_clear", include_str!("../../../lua/cart_clear.lua"), &["OK", "MOVED"]),
        ("cart_cap", include_str!("../../../lua/cart_cap.lua"), &["OK", "MOVED"]),
        ("cart_seen", include_str!("../../../lua/cart_seen.lua"), &["OK", "MOVED"]),
        ("cart_load", include_str!("../../../lua/cart_load.lua"), &["OK", "ABSENT"]),
        ("cart_close", include_str!("../../../lua/cart_close.lua"), &["OK"]),
        ("cart_merge", include_str!("../../../lua/cart_merge.lua"), &["OK"]),
        ("cart_take", include_str!("../../../lua/cart_take.lua"), &["OK", "MOVED"]),
        ("cart_restore", include_str!("../../../lua/cart_restore.lua"), &["OK", "MOVED"]),
        ("cart_told", include_str!("../../../lua/cart_told.lua"), &["OK"]),
        ("cart_revive", include_str!("../../../lua/cart_revive.lua"), &["OK", "MOVED"]),
        ("cart_prelude", include_str!("../../../lua/cart_prelude.lua"), &["ABSENT", "DOUBT"]),
        ("carts_claim", include_str!("../../../lua/carts_claim.lua"), &[]),
        ("carts_done", include_str!("../../../lua/carts_done.lua"), &["DONE", "REVIVED", "MOVED"]),
        ("carts_failed", include_str!("../../../lua/carts_failed.lua"), &["RETRY", "PARKED"]),
        ("carts_mend", include_str!("../../../lua/carts_mend.lua"), &["MENDED", "MOVED"]),
    ];

    #[test]
    fn headers_scripts_and_wrappers_agree() {
        for (name, source, codes) in CONTRACT {
            let header: Vec<&str> = source.lines().take_while(|line| line.starts_with("--")).collect();
            assert!(header.first().is_some_and(|line| line.starts_with(&format!("-- {name}: "))), "{name}");
            for part in ["-- KEYS ", "-- ARGV ", "-- Returns "] {
                assert_eq!(header.iter().filter(|line| line.starts_with(part)).count(), 1, "{name}: {part}");
            }
            assert_eq!(documented(&header), codes.iter().map(|c| (*c).to_owned()).collect(), "{name}: header");
            assert_eq!(answered(source, header.len()), codes.iter().map(|c| (*c).to_owned()).collect(), "{name}: body");
        }
    }

    /// Codes that stand first on a line of the header's last part.
    fn documented(header: &[&str]) -> BTreeSet<String> {
        let returns = header.iter().skip_while(|line| !line.starts_with("-- Returns"));
        let firsts = returns.filter_map(|line| {
            let text = line.strip_prefix("-- Returns ").or_else(|| line.strip_prefix("--         "))?;
            text.split_whitespace().next().map(str::to_owned)
        });
        firsts.filter(|word| word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_')).collect()
    }

    /// Codes that the body really uses: upper-case literals that are no commands and no options of Redis.
    fn answered(source: &str, header: usize) -> BTreeSet<String> {
        let body: Vec<&str> = source.lines().skip(header).filter(|line| !line.trim().starts_with("--")).collect();
        let literal = |text: &str| text.len() > 1 && text.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        let answers = body.iter().filter(|line| ["return", "code, note ="].iter().any(|w| line.contains(w)));
        answers
            .flat_map(|line| line.split('\'').skip(1).step_by(2))
            .filter(|text| literal(text) && *text != "ZREM")
            .map(str::to_owned)
            .collect()
    }
}
