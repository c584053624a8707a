//! One typed call for each script of `lua/cart*.lua`; every code they answer with is a value here.

use super::state::{self, CartState};
use crate::{
    Store,
    error::{During, Error},
};
use domain::{BookId, OrderId, Owner, Quantity, UnixMillis, cart::MAX_TITLES};
use redis::{Cmd, ErrorKind, Script, ServerErrorKind};
use std::{collections::HashMap, sync::LazyLock};

/// An edit is persisted this long after it, so that a burst of edits is one write.
pub(super) const SETTLE_MS: i64 = 1_000;
/// Copies read from Postgres, and not edited since, leave Redis after a day unread.
const LOADED_TTL_SECONDS: i64 = 24 * 3600;
/// Persisted carts of guests leave Redis after three days without an edit; those of accounts stay.
const GUEST_TTL_SECONDS: i64 = 3 * 24 * 3600;

macro_rules! script {
    ($name:ident, $file:literal) => {
        static $name: LazyLock<Script> =
            LazyLock::new(|| Script::new(include_str!(concat!("../../../lua/", $file, ".lua"))));
    };
    ($name:ident, $prelude:literal + $file:literal) => {
        static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::new(concat!(
                include_str!(concat!("../../../lua/", $prelude, ".lua")),
                include_str!(concat!("../../../lua/", $file, ".lua"))
            ))
        });
    };
}

script!(ADD, "cart_prelude" + "cart_add");
script!(SET, "cart_prelude" + "cart_set");
script!(REMOVE, "cart_prelude" + "cart_remove");
script!(CLEAR, "cart_prelude" + "cart_clear");
script!(LOAD, "cart_prelude" + "cart_load");
script!(PROVE, "cart_prelude" + "cart_prove");
script!(CLOSE, "cart_prelude" + "cart_close");
script!(MERGE, "cart_prelude" + "cart_merge");
script!(TAKE, "cart_prelude" + "cart_take");
script!(RESTORE, "cart_prelude" + "cart_restore");
script!(TOLD, "cart_prelude" + "cart_told");
script!(CLAIM, "carts_claim");
script!(DONE, "carts_done");
script!(FAILED, "carts_failed");

/// What is to be done to one cart.
#[derive(Debug, Clone, Copy)]
pub(super) enum Verb<'a> {
    /// `on_sale`: `None` while the gate does not know.
    Add {
        book: BookId,
        quantity: Quantity,
        on_sale: Option<i64>,
    },
    Set {
        book: BookId,
        quantity: Quantity,
        on_sale: Option<i64>,
    },
    Remove {
        book: BookId,
    },
    Clear,
    Load,
    Prove {
        postgres: &'a CartState,
    },
    Freeze {
        into: &'a Owner,
    },
    Empty {
        into: &'a Owner,
    },
    Merge {
        guest: &'a Owner,
        guest_t: i64,
        lines: &'a [(BookId, Quantity)],
    },
    Take {
        order: OrderId,
        lines: &'a [(BookId, Quantity)],
    },
    /// `handed_over`: what the order took from a guest cart that was closed since, as that cart's mark says it.
    Restore {
        order: OrderId,
        handed_over: &'a str,
    },
    /// `stamp`: when the book changed, ms.
    Told {
        book: BookId,
        stamp: i64,
    },
}

/// The script did it, or why it did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    Ok,
    Cut,
    SoldOut,
    Full,
    /// The cart was closed; `into` has its lines.
    Moved,
}

/// What a script says about the whole cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub code: Code,
    pub t: i64,
    pub into: Option<Owner>,
    /// Meaning depends on the verb; see its header.
    pub note: String,
    pub lines: Vec<(BookId, Quantity)>,
}

impl Verb<'_> {
    fn script(&self) -> &'static Script {
        match self {
            Self::Add { .. } => &ADD,
            Self::Set { .. } => &SET,
            Self::Remove { .. } => &REMOVE,
            Self::Clear => &CLEAR,
            Self::Load => &LOAD,
            Self::Prove { .. } => &PROVE,
            Self::Freeze { .. } | Self::Empty { .. } => &CLOSE,
            Self::Merge { .. } => &MERGE,
            Self::Take { .. } => &TAKE,
            Self::Restore { .. } => &RESTORE,
            Self::Told { .. } => &TOLD,
        }
    }

    fn args(&self) -> Vec<String> {
        let (most, titles) = (Quantity::MAX.to_string(), MAX_TITLES.to_string());
        match self {
            Self::Add { book, quantity, on_sale } | Self::Set { book, quantity, on_sale } => {
                vec![book.to_string(), quantity.to_string(), on_sale.unwrap_or(-1).to_string(), most, titles]
            }
            Self::Remove { book } => vec![book.to_string()],
            Self::Clear => vec![],
            Self::Load => vec![LOADED_TTL_SECONDS.to_string()],
            Self::Prove { postgres } => [vec![most, titles], postgres.to_fields()].concat(),
            Self::Freeze { into } => vec!["freeze".into(), into.to_string()],
            Self::Empty { into } => vec!["empty".into(), into.to_string()],
            Self::Merge { guest, guest_t, lines } => {
                [vec![guest.to_string(), guest_t.to_string(), most, titles], pairs(lines)].concat()
            }
            Self::Take { order, lines } => [vec![order.to_string()], pairs(lines)].concat(),
            Self::Told { book, stamp } => vec![book.to_string(), stamp.to_string()],
            Self::Restore { order, handed_over } => vec![order.to_string(), most, (*handed_over).to_owned()],
        }
    }
}

/// Runs a verb on a cart. `None`: Redis does not have the cart and no seed was given.
pub(super) async fn call(
    store: &Store,
    owner: &Owner,
    verb: Verb<'_>,
    seed: Option<&CartState>,
) -> Result<Option<Reply>, Error> {
    let (keys, now) = (store.keys(), store.now());
    let seed = seed.map(CartState::to_fields).unwrap_or_default();
    let mut call = verb.script().key(keys.cart(owner));
    call.key(keys.carts_dirty(owner.cart_bucket()));
    call.arg(owner.to_string()).arg(now.get()).arg(now.plus(SETTLE_MS).get()).arg(keys.live_cart());
    call.arg(seed.len()).arg(seed).arg(verb.args());
    let answer: Vec<String> = call.invoke_async(&mut store.redis()).await.during("carts.script")?;
    Reply::parse(&answer)
}

impl Reply {
    fn parse(answer: &[String]) -> Result<Option<Self>, Error> {
        let unexpected = || Error::unexpected("carts.script", format!("unexpected answer {answer:?}"));
        let (code, t, into, note, lines) = match answer {
            [code] if code == "ABSENT" => return Ok(None),
            [code, _v, t, into, note, lines @ ..] => (code, t, into, note, lines),
            _ => return Err(unexpected()),
        };
        let code = Code::parse(code).ok_or_else(unexpected)?;
        let into = if into.is_empty() { None } else { Some(state::owner(into)?) };
        let lines = lines.chunks(2).map(|pair| match pair {
            [book, copies] => Ok((state::book_id(book)?, state::quantity(copies)?)),
            _ => Err(unexpected()),
        });
        let mut lines = lines.collect::<Result<Vec<_>, Error>>()?;
        lines.sort_unstable();
        Ok(Some(Self { code, t: state::number(t)?, into, note: note.clone(), lines }))
    }
}

impl Code {
    fn parse(text: &str) -> Option<Self> {
        let known = [
            ("OK", Self::Ok),
            ("CUT", Self::Cut),
            ("SOLD_OUT", Self::SoldOut),
            ("FULL", Self::Full),
            ("MOVED", Self::Moved),
        ];
        known.into_iter().find(|(name, _)| *name == text).map(|(_, code)| code)
    }
}

/// Book, copies, book, copies …
fn pairs(lines: &[(BookId, Quantity)]) -> Vec<String> {
    lines.iter().flat_map(|(book, copies)| [book.to_string(), copies.to_string()]).collect()
}

/// The whole hashes of these carts, in their order; one round trip.
pub(super) async fn read(store: &Store, owners: &[Owner]) -> Result<Vec<HashMap<String, String>>, Error> {
    let mut pipe = redis::pipe();
    for owner in owners {
        pipe.hgetall(store.keys().cart(owner));
    }
    pipe.query_async(&mut store.redis()).await.during("carts.read")
}

/// A cart to persist, leased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimed {
    pub(super) owner: Owner,
    /// Failed attempts before this one.
    pub(super) attempts: i32,
}

/// Leases due carts of all buckets until `lease_end`, at most `per_bucket` of each; one round trip.
pub(super) async fn claim(store: &Store, lease_end: UnixMillis, per_bucket: u32) -> Result<Vec<Claimed>, Error> {
    let now = store.now();
    let calls = (0..Owner::CART_BUCKETS).map(|bucket| {
        evalsha(
            &CLAIM,
            &[store.keys().carts_dirty(bucket), store.keys().carts_attempts(bucket)],
            &[now.get(), lease_end.get(), i64::from(per_bucket)].map(|n| n.to_string()),
        )
    });
    let answers: Vec<Vec<String>> = pipelined(store, &CLAIM, calls.collect()).await?;
    let claimed = answers.iter().flat_map(|answer| answer.chunks(2)).map(|pair| match pair {
        [owner, attempts] => {
            let attempts = i32::try_from(state::number(attempts)?).unwrap_or(i32::MAX);
            Ok(Claimed { owner: state::owner(owner)?, attempts })
        }
        _ => Err(Error::unexpected("carts.claim", format!("unexpected answer {pair:?}"))),
    });
    claimed.collect()
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
            &[keys.cart(owner), keys.carts_dirty(bucket), keys.carts_attempts(bucket), keys.carts_dead(bucket)],
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

fn evalsha(script: &Script, keys: &[String], args: &[String]) -> Cmd {
    let mut cmd = redis::cmd("EVALSHA");
    cmd.arg(script.get_hash()).arg(keys.len()).arg(keys).arg(args);
    cmd
}

/// Many calls of one script in one round trip; a Redis that does not know the script yet is told it, once.
async fn pipelined<T: redis::FromRedisValue>(store: &Store, script: &Script, calls: Vec<Cmd>) -> Result<Vec<T>, Error> {
    if calls.is_empty() {
        return Ok(Vec::new());
    }
    let mut pipe = redis::pipe();
    for call in calls {
        pipe.add_command(call);
    }
    let mut redis = store.redis();
    match pipe.query_async(&mut redis).await {
        // Every call of the pipeline failed like the first one, so all of them may be sent again.
        Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
            script.load_async(&mut redis).await.during("carts.load_script")?;
            pipe.query_async(&mut redis).await.during("carts.pipeline")
        }
        answer => answer.during("carts.pipeline"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Name, what the wrapper sends, and the answers that it knows.
    const CONTRACT: &[(&str, &str, &[&str])] = &[
        ("cart_add", include_str!("../../../lua/cart_add.lua"), &["OK", "CUT", "SOLD_OUT", "FULL", "MOVED"]),
        ("cart_set", include_str!("../../../lua/cart_set.lua"), &["OK", "CUT", "SOLD_OUT", "FULL", "MOVED"]),
        ("cart_remove", include_str!("../../../lua/cart_remove.lua"), &["OK", "MOVED"]),
        ("cart_clear", include_str!("../../../lua/cart_clear.lua"), &["OK", "MOVED"]),
        ("cart_load", include_str!("../../../lua/cart_load.lua"), &["OK"]),
        ("cart_prove", include_str!("../../../lua/cart_prove.lua"), &["OK"]),
        ("cart_close", include_str!("../../../lua/cart_close.lua"), &["OK"]),
        ("cart_merge", include_str!("../../../lua/cart_merge.lua"), &["OK", "CUT"]),
        ("cart_take", include_str!("../../../lua/cart_take.lua"), &["OK", "MOVED"]),
        ("cart_restore", include_str!("../../../lua/cart_restore.lua"), &["OK", "MOVED"]),
        ("cart_told", include_str!("../../../lua/cart_told.lua"), &["OK"]),
        ("cart_prelude", include_str!("../../../lua/cart_prelude.lua"), &["ABSENT"]),
        ("carts_claim", include_str!("../../../lua/carts_claim.lua"), &[]),
        ("carts_done", include_str!("../../../lua/carts_done.lua"), &["DONE", "REVIVED", "MOVED"]),
        ("carts_failed", include_str!("../../../lua/carts_failed.lua"), &["RETRY", "PARKED"]),
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

    #[test]
    fn every_answer_about_a_cart_has_a_value() {
        let verbs = CONTRACT.iter().filter(|(name, ..)| name.starts_with("cart_") && *name != "cart_prelude");
        for code in verbs.flat_map(|(_, _, codes)| codes.iter()) {
            assert!(Code::parse(code).is_some(), "{code}");
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

    #[test]
    fn answers_are_read_strictly() {
        let parse = |words: &[&str]| Reply::parse(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>());
        assert_eq!(parse(&["ABSENT"]).unwrap(), None);
        let reply = parse(&["CUT", "3", "17", "a:1", "12", "9", "10", "4", "1"]).unwrap().unwrap();
        assert_eq!((reply.code, reply.t, reply.note.as_str()), (Code::Cut, 17, "12"));
        assert_eq!(reply.lines.iter().map(|(b, q)| (b.get(), q.get())).collect::<Vec<_>>(), [(4, 1), (9, 10)]);
        for bad in [&["WHAT", "1", "1", "", ""][..], &["OK"], &["OK", "1", "1", "", "", "5"], &[]] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
