//! Who is connected and what each socket follows; and the queue of one socket.

use crate::viewer::Viewer;
use domain::{BookId, OrderId, Owner, live::Frame};
use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{Notify, mpsc};

/// Frames waiting for one socket. Room for the answer to the largest `Watch` and what happens meanwhile.
const QUEUE: usize = 96;

/// One connection: whose it is, and the way to it.
pub(super) struct Socket {
    pub id: u64,
    pub viewer: Viewer,
    /// Told when one of this person's logins ended.
    pub login_ended: Arc<Notify>,
    queue: Mutex<Queue>,
}

struct Queue {
    /// `None`: the socket is to close.
    frames: Option<mpsc::Sender<Frame>>,
    /// The queue was full and its last frame is a `Resync`.
    is_behind: bool,
}

impl Socket {
    /// Queues a frame, never waiting. The last place is kept for a `Resync`; until that one is read, later frames are
    /// dropped: the browser asks for everything anew when it gets there.
    pub fn push(&self, frame: Frame) {
        let mut queue = lock(&self.queue);
        let Queue { frames: Some(frames), is_behind } = &mut *queue else { return };
        if *is_behind && frames.capacity() < QUEUE {
            return;
        }
        *is_behind = frames.capacity() <= 1;
        let frame = if *is_behind { Frame::Resync } else { frame };
        // Fails only when the socket is going away.
        let _ = frames.try_send(frame);
    }

    /// Ends the queue: what is in it is still read, then its reader closes the socket.
    pub fn close(&self) {
        lock(&self.queue).frames = None;
    }

    pub fn resync(&self) {
        self.push(Frame::Resync);
    }
}

#[derive(Default)]
pub(super) struct Registry {
    tables: Mutex<Tables>,
}

#[derive(Default)]
struct Tables {
    last_id: u64,
    is_closed: bool,
    sockets: HashMap<u64, Entry>,
    owners: Index<Owner>,
    orders: Index<OrderId>,
    books: Index<BookId>,
    all_orders: HashSet<u64>,
}

struct Entry {
    socket: Arc<Socket>,
    order: Option<OrderId>,
    books: Vec<BookId>,
}

impl Registry {
    pub fn add(&self, viewer: Viewer) -> (Arc<Socket>, mpsc::Receiver<Frame>) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let mut tables = self.lock();
        tables.last_id += 1;
        let id = tables.last_id;
        let queue = Mutex::new(Queue { frames: Some(sender), is_behind: false });
        let socket = Arc::new(Socket { id, viewer, login_ended: Arc::default(), queue });
        if tables.is_closed {
            socket.close();
        } else {
            tables.owners.insert(socket.viewer.owner, id);
            tables.sockets.insert(id, Entry { socket: socket.clone(), order: None, books: Vec::new() });
        }
        (socket, receiver)
    }

    pub fn remove(&self, id: u64) {
        let mut tables = self.lock();
        let Some(entry) = tables.sockets.remove(&id) else { return };
        tables.owners.remove(entry.socket.viewer.owner, id);
        entry.books.iter().for_each(|book| tables.books.remove(*book, id));
        entry.order.iter().for_each(|order| tables.orders.remove(*order, id));
        tables.all_orders.remove(&id);
    }

    /// Follows these books instead of the former ones.
    pub fn watch(&self, id: u64, books: Vec<BookId>) {
        let mut tables = self.lock();
        let tables = &mut *tables;
        let Some(entry) = tables.sockets.get_mut(&id) else { return };
        entry.books.iter().for_each(|book| tables.books.remove(*book, id));
        books.iter().for_each(|book| tables.books.insert(*book, id));
        entry.books = books;
    }

    /// Follows this order instead of the former one, which is returned.
    pub fn follow(&self, id: u64, order: Option<OrderId>) -> Option<OrderId> {
        let mut tables = self.lock();
        let tables = &mut *tables;
        let entry = tables.sockets.get_mut(&id)?;
        let former = std::mem::replace(&mut entry.order, order);
        former.iter().for_each(|order| tables.orders.remove(*order, id));
        order.iter().for_each(|order| tables.orders.insert(*order, id));
        former
    }

    pub fn follow_all_orders(&self, id: u64) {
        let mut tables = self.lock();
        if tables.sockets.contains_key(&id) {
            tables.all_orders.insert(id);
        }
    }

    pub fn followed_by(&self, id: u64) -> (Option<OrderId>, Vec<BookId>) {
        self.lock().sockets.get(&id).map_or((None, Vec::new()), |entry| (entry.order, entry.books.clone()))
    }

    pub fn of_owner(&self, owner: Owner) -> Vec<Arc<Socket>> {
        let tables = self.lock();
        tables.pick(tables.owners.of(owner))
    }

    /// The owner's sockets and those that have the order open; whether they may see it is not decided here.
    pub fn of_order(&self, order: OrderId, owner: Owner) -> Vec<Arc<Socket>> {
        let tables = self.lock();
        let ids: HashSet<u64> = tables.owners.of(owner).chain(tables.orders.of(order)).collect();
        tables.pick(ids.into_iter())
    }

    pub fn of_book(&self, book: BookId) -> Vec<Arc<Socket>> {
        let tables = self.lock();
        tables.pick(tables.books.of(book))
    }

    pub fn of_all_orders(&self) -> Vec<Arc<Socket>> {
        let tables = self.lock();
        tables.pick(tables.all_orders.iter().copied())
    }

    pub fn is_watched(&self, book: BookId) -> bool {
        self.lock().books.of(book).next().is_some()
    }

    /// Every book that somebody watches.
    pub fn watched(&self) -> Vec<BookId> {
        self.lock().books.0.keys().copied().collect()
    }

    pub fn all(&self) -> Vec<Arc<Socket>> {
        let tables = self.lock();
        tables.pick(tables.sockets.keys().copied())
    }

    /// Closes every socket, now and from now on.
    pub fn close(&self) {
        let closed = std::mem::replace(&mut *self.lock(), Tables { is_closed: true, ..Tables::default() });
        closed.sockets.values().for_each(|entry| entry.socket.close());
    }

    fn lock(&self) -> MutexGuard<'_, Tables> {
        lock(&self.tables)
    }
}

impl Tables {
    fn pick(&self, ids: impl Iterator<Item = u64>) -> Vec<Arc<Socket>> {
        ids.filter_map(|id| self.sockets.get(&id)).map(|entry| entry.socket.clone()).collect()
    }
}

/// Which sockets follow a thing; things that nobody follows take no room.
struct Index<K>(HashMap<K, HashSet<u64>>);

impl<K> Default for Index<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Copy + Eq + Hash> Index<K> {
    fn insert(&mut self, key: K, id: u64) {
        self.0.entry(key).or_default().insert(id);
    }

    fn remove(&mut self, key: K, id: u64) {
        if let Some(ids) = self.0.get_mut(&key) {
            ids.remove(&id);
            if ids.is_empty() {
                self.0.remove(&key);
            }
        }
    }

    fn of(&self, key: K) -> impl Iterator<Item = u64> + '_ {
        self.0.get(&key).into_iter().flatten().copied()
    }
}

/// Every change under these locks is whole before anything can panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn viewer(owner: &str) -> Viewer {
        Viewer::new(owner.parse().unwrap())
    }

    fn say(text: usize) -> Frame {
        Frame::Notice { message: text.to_string() }
    }

    #[test]
    fn a_full_queue_ends_in_one_resync_and_goes_on_after_it() {
        let registry = Registry::default();
        let (socket, mut frames) = registry.add(viewer("a:1"));
        (0..QUEUE * 2).for_each(|n| socket.push(say(n)));
        for n in 0..QUEUE - 1 {
            assert_eq!(frames.try_recv(), Ok(say(n)));
            socket.push(say(7));
        }
        assert_eq!(frames.try_recv(), Ok(Frame::Resync));
        assert!(frames.try_recv().is_err(), "nothing may stand behind it");
        socket.push(say(1));
        assert_eq!(frames.try_recv(), Ok(say(1)));
    }

    #[test]
    fn sockets_are_found_by_what_they_follow_and_then_forgotten() {
        let registry = Registry::default();
        let (one, _frames) = registry.add(viewer("a:1"));
        let (book, other) = (BookId::new(1).unwrap(), BookId::new(2).unwrap());
        let order = OrderId::new(uuid::Uuid::nil());
        registry.watch(one.id, vec![book]);
        registry.watch(one.id, vec![other]);
        assert!(!registry.is_watched(book) && registry.is_watched(other));
        assert_eq!(registry.follow(one.id, Some(order)), None);
        registry.follow_all_orders(one.id);
        let nobody = viewer("a:2").owner;
        assert_eq!(registry.of_order(order, nobody).len(), 1);
        assert_eq!(registry.of_order(order, one.viewer.owner).len(), 1, "once, though it is found twice");
        registry.remove(one.id);
        let tables = registry.lock();
        assert!(tables.owners.0.is_empty() && tables.orders.0.is_empty() && tables.books.0.is_empty());
        assert!(tables.sockets.is_empty() && tables.all_orders.is_empty());
    }
}
