//! The only place where a key or channel of Redis is spelled.
//!
//! Keys of one script share a hash tag: `{inv}` for the gate, `{0}` … `{63}` for the carts' buckets, `{work}` for
//! what the workers say of themselves.

use domain::{AccountId, IdempotencyKey, Network, OrderId, Owner, UnixMillis};

#[derive(Debug, Clone)]
pub struct Keys {
    prefix: String,
}

impl Keys {
    /// `prefix` separates shops and tests on one Redis; it must not hold braces, which would move the hash tag.
    pub fn new(prefix: &str) -> Self {
        Self { prefix: prefix.replace(['{', '}'], "") }
    }

    /// HASH; `lua/cart_prelude.lua` names its fields.
    pub fn cart(&self, owner: &Owner) -> String {
        format!("{}cart:{{{}}}:{owner}", self.prefix, owner.cart_bucket())
    }

    /// Where all carts and the marks of their buckets start, for SCAN; `<bucket>}:<rest>` follows.
    pub fn carts(&self) -> String {
        format!("{}cart:{{", self.prefix)
    }

    /// ZSET: owner → due ms; the outbox of carts to persist.
    pub fn carts_dirty(&self, bucket: u32) -> String {
        format!("{}cart:{{{bucket}}}:dirty", self.prefix)
    }

    /// HASH: owner → failed attempts to persist, and when the first one was: `<count>:<ms>`.
    pub fn carts_attempts(&self, bucket: u32) -> String {
        format!("{}cart:{{{bucket}}}:attempts", self.prefix)
    }

    /// HASH: owner → how often it was leased to be persisted without an outcome.
    pub fn carts_leases(&self, bucket: u32) -> String {
        format!("{}cart:{{{bucket}}}:leases", self.prefix)
    }

    /// ZSET: owner → when it was parked, ms.
    pub fn carts_dead(&self, bucket: u32) -> String {
        format!("{}cart:{{{bucket}}}:dead", self.prefix)
    }

    /// STRING: the gate's epoch; absent: not loaded, refuse.
    pub fn epoch(&self) -> String {
        self.inv("epoch")
    }

    /// STRING: run_id of the Redis server that the gate was loaded into; another one: its data may be old.
    pub fn run_id(&self) -> String {
        self.inv("run_id")
    }

    /// STRING: token of a rebuild of the gate under way.
    pub fn loading(&self) -> String {
        self.inv("loading")
    }

    /// HASH: book → available, of a rebuild that is not installed yet.
    pub fn stock_staged(&self, token: &str) -> String {
        self.inv(&format!("stock:{token}"))
    }

    /// HASH: book → available.
    pub fn stock(&self) -> String {
        self.inv("stock")
    }

    /// HASH: book → counter of changes.
    pub fn changes(&self) -> String {
        self.inv("changes")
    }

    /// HASH: an order's lines, owner, times and marks; no TTL.
    pub fn reservation(&self, order: OrderId) -> String {
        self.inv(&format!("resv:{order}"))
    }

    /// Where all reservations start, for SCAN.
    pub fn reservations(&self) -> String {
        self.inv("resv:")
    }

    /// Where the holds of all owners start, for SCAN.
    pub fn all_holds(&self) -> String {
        self.inv("holds:")
    }

    /// STREAM of accepted orders to persist.
    pub fn placed(&self) -> String {
        self.inv("placed")
    }

    /// HASH: id of an entry of that stream → how often it was taken up alone without an outcome.
    pub fn placed_leases(&self) -> String {
        self.inv("placed_leases")
    }

    /// HASH: what a key was used for; 48 h.
    pub fn idempotency(&self, owner: &Owner, key: &IdempotencyKey) -> String {
        self.inv(&format!("idem:{owner}:{key}"))
    }

    /// Where all records of keys start, for SCAN.
    pub fn idempotencies(&self) -> String {
        self.inv("idem:")
    }

    /// ZSET: the owner's open orders → deadline ms.
    pub fn holds(&self, owner: &Owner) -> String {
        self.inv(&format!("holds:{owner}"))
    }

    /// STRING: the owner's latest order, whose copies the next order's cart has to have given up.
    pub fn latest(&self, owner: &Owner) -> String {
        self.inv(&format!("latest:{owner}"))
    }

    /// HASH: order → copies, of the orders that came from there; some of them may have ended. 48 h.
    pub fn from(&self, network: Option<Network>) -> String {
        self.inv(&format!("from:{}", network.map(|network| network.to_string()).unwrap_or_default()))
    }

    /// SET: books of which copies were taken at the gate before they were written down, or refused by the ledger, until
    /// they are found right.
    pub fn suspects(&self) -> String {
        self.inv("suspects")
    }

    /// HASH: late payment → copies taken again for it, until it is decided.
    pub fn reclaims(&self) -> String {
        self.inv("reclaims")
    }

    /// STRING: an applied gate operation, made then.
    pub fn operation(&self, id: i64, at: UnixMillis) -> String {
        self.inv(&format!("op:{id}:{}", at.get()))
    }

    /// STRING: JSON of what the session layer needs of an account, for outages of Postgres.
    pub fn account(&self, id: AccountId) -> String {
        format!("{}account:{}", self.prefix, id.get())
    }

    /// Channel: `<account>` whenever its role, name or password changed: caches drop it.
    pub fn live_account(&self) -> String {
        format!("{}live:account", self.prefix)
    }

    /// Channel: `<owner>` whenever that cart changed.
    pub fn live_cart(&self) -> String {
        format!("{}live:cart", self.prefix)
    }

    /// Channel: JSON `{"order_id","owner","version"}` whenever an order changed.
    pub fn live_order(&self) -> String {
        format!("{}live:order", self.prefix)
    }

    /// Channel: `<book> <available> <epoch> <counter>` whenever copies on sale changed; `loaded <epoch>` after a rebuild.
    pub fn live_stock(&self) -> String {
        format!("{}live:stock", self.prefix)
    }

    /// Channel: the owner one of whose logins ended; which, their sockets find out.
    pub fn live_login(&self) -> String {
        format!("{}live:login", self.prefix)
    }

    /// Channel: anything, whenever the catalogue changed: caches drop.
    pub fn live_catalog(&self) -> String {
        format!("{}live:catalog", self.prefix)
    }

    /// ZSET: processes with workers → when they were last heard of, ms.
    pub fn work_processes(&self) -> String {
        self.work("processes")
    }

    /// STRING: JSON, how the jobs of that process are; 15 s.
    pub fn work_process(&self, process: &str) -> String {
        self.work(&format!("process:{process}"))
    }

    /// HASH: job → JSON, its last error and when.
    pub fn work_errors(&self) -> String {
        self.work("errors")
    }

    /// HASH: job → pieces done in that minute; 3 min.
    pub fn work_done(&self, minute: i64) -> String {
        self.work(&format!("done:{minute}"))
    }

    /// HASH: job → rounds that failed in that minute; 3 min.
    pub fn work_failed(&self, minute: i64) -> String {
        self.work(&format!("failed:{minute}"))
    }

    fn work(&self, rest: &str) -> String {
        format!("{}{{work}}:{rest}", self.prefix)
    }

    fn inv(&self, rest: &str) -> String {
        format!("{}{{inv}}:{rest}", self.prefix)
    }
}
