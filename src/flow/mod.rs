//! How things travel: what is still wanted, over which links, on which threads, at what time.

mod clock;
mod crew;
mod link;
mod seat;
mod switch;
mod turn;

pub use clock::AudioClock;
pub use crew::{Crew, Pulse, Pulses, Waiting, Woken};
pub use link::{Depth, Inbox, Item, Outbox, Polled, SlotWriter, queue, slot};
pub use seat::{Seat, Successor};
pub use switch::{Switch, Volume};
pub use turn::{Time, Times, Turn, Turns};
