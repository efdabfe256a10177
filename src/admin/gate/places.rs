//! Who is connected: not too many in all, not too many from one address, and those who say nothing give
//! way to those who come.

use std::{
    cmp::Reverse,
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use prometheus::IntGauge;
use tokio::sync::oneshot;

/// Connections at a time.
const IN_ALL: usize = 256;
/// Connections at a time from one address.
const FROM_ONE: usize = 64;

/// All open connections.
#[derive(Debug)]
pub(super) struct Places {
    /// Oldest first.
    open: Mutex<Vec<Open>>,
    next: AtomicU64,
    gauge: IntGauge,
}

#[derive(Debug)]
struct Open {
    number: u64,
    origin: IpAddr,
    waits: Arc<AtomicBool>,
    /// Dropped to end the connection.
    _end: oneshot::Sender<()>,
}

/// A connection's place; it is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    number: u64,
    waits: Arc<AtomicBool>,
    places: Arc<Places>,
}

/// The part of an address that one client has to itself: of IPv6, the network.
pub(super) fn origin(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)))
        }
        other => other,
    }
}

impl Places {
    pub(super) fn new(gauge: IntGauge) -> Self {
        Self { open: Mutex::default(), next: AtomicU64::new(0), gauge }
    }

    fn open(&self) -> MutexGuard<'_, Vec<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a connection, and what ends when it must give way; `None` if there is no room. The
    /// second is true if another connection had to give way.
    pub(super) fn enter(
        self: &Arc<Self>,
        address: IpAddr,
    ) -> (Option<(Place, oneshot::Receiver<()>)>, bool) {
        let origin = origin(address);
        let mut open = self.open();
        let from = |origin: IpAddr, open: &[Open]| {
            open.iter().filter(|other| other.origin == origin).count()
        };
        let full = from(origin, &open) >= FROM_ONE;
        let evicts = full || open.len() >= IN_ALL;
        if evicts {
            // Whoever has the most connections loses the one that has said nothing for longest.
            let victim = (0..open.len())
                .filter(|at| !full || open[*at].origin == origin)
                .filter(|at| open[*at].waits.load(Ordering::Relaxed))
                .max_by_key(|at| (from(open[*at].origin, &open), Reverse(*at)));
            let Some(victim) = victim else { return (None, false) };
            open.remove(victim);
        }
        let (end, ended) = oneshot::channel();
        let waits = Arc::new(AtomicBool::new(true));
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        open.push(Open { number, origin, waits: Arc::clone(&waits), _end: end });
        self.gauge.set(open.len() as i64);
        (Some((Place { number, waits, places: Arc::clone(self) }, ended)), evicts)
    }
}

impl Place {
    /// Whether the client is being waited for, and may be sent away for another one.
    pub(super) fn waits(&self, waits: bool) {
        self.waits.store(waits, Ordering::Relaxed);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.places.open();
        open.retain(|other| other.number != self.number);
        self.places.gauge.set(open.len() as i64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> Arc<Places> {
        Arc::new(Places::new(IntGauge::new("n", "n").unwrap()))
    }

    #[test]
    fn those_who_say_nothing_give_way() {
        let places = places();
        let address = |last: u8| IpAddr::from([10, 0, last, 1]);
        let (first, mut ended) = places.enter(address(0)).0.unwrap();
        let more: Vec<_> = (1..FROM_ONE).map(|_| places.enter(address(0)).0.unwrap()).collect();
        assert!(ended.try_recv() == Err(oneshot::error::TryRecvError::Empty));
        // One too many from there: the first goes.
        let (another, evicted) = places.enter(address(0));
        assert!(another.is_some() && evicted);
        assert!(ended.try_recv() == Err(oneshot::error::TryRecvError::Closed));
        drop(first);
        assert_eq!(places.gauge.get(), FROM_ONE as i64);
        // Those who are being answered stay, and then there is no room.
        for (place, _) in more.iter().chain(&another) {
            place.waits(false);
        }
        assert!(places.enter(address(0)).0.is_none());
        assert!(places.enter(address(1)).0.is_some());
        drop((more, another));
        assert_eq!(places.gauge.get(), 0);
    }

    #[test]
    fn whoever_has_the_most_gives_way() {
        let places = places();
        let single = places.enter(IpAddr::from([10, 0, 0, 1])).0.unwrap();
        let crowd: Vec<_> = (1..IN_ALL)
            .map(|number| places.enter(IpAddr::from([10, 0, 1, (number / 60) as u8])).0.unwrap())
            .collect();
        let (newcomer, evicted) = places.enter(IpAddr::from([10, 0, 2, 1]));
        assert!(newcomer.is_some() && evicted);
        let (_place, mut ended) = single;
        assert!(ended.try_recv() == Err(oneshot::error::TryRecvError::Empty));
        drop(crowd);
    }

    #[test]
    fn one_client_is_one_origin() {
        for (address, expected) in [
            ("10.0.0.1", "10.0.0.1"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("::1", "::1"),
        ] {
            assert_eq!(origin(address.parse().unwrap()).to_string(), expected);
        }
    }
}
