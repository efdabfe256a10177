//! The two kinds of link between stages: a queue keeps all and its writer waits; a slot keeps the
//! newest and nobody waits. A stale item is dropped by whoever holds it.

use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use crossbeam_channel::{
    Receiver, RecvTimeoutError, SendTimeoutError, Sender, TryRecvError, TrySendError, bounded,
};

use super::Pulse;

/// How long a writer waits for room before it looks whether its item is still wanted.
const LOOK: Duration = Duration::from_millis(10);

/// Something that travels.
pub trait Item: Send {
    /// Whether it is still wanted.
    fn is_live(&self) -> bool {
        true
    }
}

/// A link that keeps everything, up to `depth` items.
pub fn queue<T: Item>(depth: usize) -> (Outbox<T>, Inbox<T>) {
    let (sender, receiver) = bounded(depth);
    let depth = Depth::default();
    (Outbox { sender, depth: depth.clone() }, Inbox { receiver, depth })
}

/// A link that keeps only the newest item.
pub fn slot<T: Item>() -> (SlotWriter<T>, Inbox<T>) {
    let (sender, receiver) = bounded(1);
    (SlotWriter { sender, older: receiver.clone() }, Inbox { receiver, depth: Depth::default() })
}

/// How many items wait in a link, for whoever watches it. It keeps no end of the link open.
#[derive(Clone, Debug, Default)]
pub struct Depth(Arc<AtomicUsize>);

impl Depth {
    /// How many items wait.
    pub fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, items: usize) {
        self.0.store(items, Ordering::Relaxed);
    }
}

/// The writing end of a queue.
#[derive(Debug)]
pub struct Outbox<T> {
    sender: Sender<T>,
    depth: Depth,
}

impl<T> Clone for Outbox<T> {
    fn clone(&self) -> Self {
        Self { sender: self.sender.clone(), depth: self.depth.clone() }
    }
}

impl<T: Item> Outbox<T> {
    /// Waits for room. Breaks when the item has become stale or nobody reads any more.
    pub fn send(&self, pulse: &Pulse, mut item: T) -> ControlFlow<()> {
        let _waiting = pulse.waiting();
        loop {
            if !item.is_live() {
                return ControlFlow::Break(());
            }
            match self.sender.send_timeout(item, LOOK) {
                Ok(()) => {
                    self.depth.set(self.sender.len());
                    return ControlFlow::Continue(());
                }
                Err(SendTimeoutError::Timeout(back)) => item = back,
                Err(SendTimeoutError::Disconnected(_)) => return ControlFlow::Break(()),
            }
        }
    }

    /// Never waits; hands the item back when there is no room or no reader, for the caller to count.
    pub fn offer(&self, item: T) -> Result<(), T> {
        let sent = self.sender.try_send(item).map_err(|error| match error {
            TrySendError::Full(item) | TrySendError::Disconnected(item) => item,
        });
        self.depth.set(self.sender.len());
        sent
    }

    /// How many items wait in the link.
    pub fn depth(&self) -> Depth {
        self.depth.clone()
    }
}

/// The writing end of a slot.
#[derive(Debug)]
pub struct SlotWriter<T> {
    sender: Sender<T>,
    older: Receiver<T>,
}

impl<T> Clone for SlotWriter<T> {
    fn clone(&self) -> Self {
        Self { sender: self.sender.clone(), older: self.older.clone() }
    }
}

impl<T: Item> SlotWriter<T> {
    /// Puts the item in the place of an older one.
    pub fn put(&self, mut item: T) {
        while let Err(TrySendError::Full(back)) = self.sender.try_send(item) {
            let _ = self.older.try_recv();
            item = back;
        }
    }
}

/// What a look into an inbox has found.
#[derive(Debug, PartialEq, Eq)]
pub enum Polled<T> {
    /// The next item that is still wanted.
    Item(T),
    /// Nothing yet.
    Empty,
    /// Every writer is gone, and so is all they wrote.
    Closed,
}

/// The reading end of a link.
#[derive(Debug)]
pub struct Inbox<T> {
    receiver: Receiver<T>,
    depth: Depth,
}

impl<T: Item> Inbox<T> {
    /// The next item that is still wanted; `None` once every writer is gone.
    pub fn next(&self, pulse: &Pulse) -> Option<T> {
        let _waiting = pulse.waiting();
        let item = self.receiver.iter().find(Item::is_live);
        self.depth.set(self.receiver.len());
        item
    }

    /// Like `next`, for a stage that has something else to do after `wait`.
    pub fn poll(&self, pulse: &Pulse, wait: Duration) -> Polled<T> {
        let _waiting = pulse.waiting();
        let until = Instant::now() + wait;
        let polled = loop {
            match self.receiver.recv_deadline(until) {
                Ok(item) if item.is_live() => break Polled::Item(item),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => break Polled::Empty,
                Err(RecvTimeoutError::Disconnected) => break Polled::Closed,
            }
        };
        self.depth.set(self.receiver.len());
        polled
    }

    /// The next item that is still wanted, if one is there.
    pub fn look(&self) -> Polled<T> {
        let polled = loop {
            match self.receiver.try_recv() {
                Ok(item) if item.is_live() => break Polled::Item(item),
                Ok(_) => {}
                Err(TryRecvError::Empty) => break Polled::Empty,
                Err(TryRecvError::Disconnected) => break Polled::Closed,
            }
        };
        self.depth.set(self.receiver.len());
        polled
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{flow::Turns, media::Part};

    impl Item for u32 {}

    #[test]
    fn a_slot_keeps_the_newest() {
        let (writer, inbox) = slot::<u32>();
        (1..=5).for_each(|number| writer.put(number));
        assert_eq!(inbox.look(), Polled::Item(5));
        assert_eq!(inbox.look(), Polled::Empty);
        drop(writer);
        assert_eq!(inbox.look(), Polled::Closed);
        assert_eq!(inbox.next(&Pulse::default()), None);
    }

    #[test]
    fn a_full_queue_hands_the_offer_back() {
        let (outbox, inbox) = queue::<u32>(1);
        assert_eq!(outbox.offer(1), Ok(()));
        assert_eq!(outbox.offer(2), Err(2));
        drop(inbox);
        assert_eq!(outbox.offer(3), Err(3));
        assert_eq!(outbox.send(&Pulse::default(), 4), ControlFlow::Break(()));
    }

    #[test]
    fn what_is_stale_is_dropped_on_both_ends() {
        let pulse = Pulse::default();
        let turns = Turns::default();
        let (outbox, inbox) = queue(1);
        let old = turns.begin(Instant::now());
        assert_eq!(outbox.send(&pulse, Part::of(&old, 1_u32)), ControlFlow::Continue(()));
        let new = turns.begin(Instant::now());
        assert_eq!(outbox.send(&pulse, Part::of(&old, 2_u32)), ControlFlow::Break(()));
        assert!(matches!(inbox.look(), Polled::Empty), "the old turn's item was dropped");
        assert_eq!(outbox.send(&pulse, Part::of(&new, 3)), ControlFlow::Continue(()));
        assert_eq!(inbox.next(&pulse).and_then(|part| part.body), Some(3));
    }

    #[test]
    fn a_writer_that_waits_for_room_gives_up_when_its_turn_ends() {
        let turns = Turns::default();
        let turn = turns.begin(Instant::now());
        let (outbox, _inbox) = queue(1);
        let pulse = Pulse::default();
        assert_eq!(outbox.send(&pulse, Part::of(&turn, 1_u32)), ControlFlow::Continue(()));
        std::thread::scope(|threads| {
            let writer = threads.spawn(|| outbox.send(&pulse, Part::of(&turn, 2)));
            turns.cancel();
            assert_eq!(writer.join().expect("no panic"), ControlFlow::Break(()));
        });
    }
}
