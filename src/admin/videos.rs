//! The videos of answers: in memory, for a limited time, within a limited size.

use std::{
    collections::VecDeque,
    fs::File,
    io::Read,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::config;

/// The videos that can still be fetched.
#[derive(Debug)]
pub(super) struct Videos {
    /// Oldest first.
    kept: Mutex<VecDeque<Video>>,
    /// How long each of them can be fetched.
    pub keep: Duration,
    limit_bytes: usize,
}

#[derive(Debug)]
struct Video {
    id: String,
    until: Instant,
    bytes: Arc<[u8]>,
}

impl Videos {
    /// Room for videos as configured.
    pub(super) fn new(config: &config::Admin) -> Self {
        Self {
            kept: Mutex::default(),
            keep: Duration::from_secs(config.video_keep_s.into()),
            limit_bytes: config.video_limit_bytes,
        }
    }

    /// Keeps a video, older ones giving way; returns its id unless it is empty or too large.
    pub(super) fn put(&self, bytes: Vec<u8>, now: Instant) -> Option<String> {
        if bytes.is_empty() || bytes.len() > self.limit_bytes {
            return None;
        }
        let id = unguessable()?;
        let mut kept = self.fresh(now);
        let mut size: usize = kept.iter().map(|video| video.bytes.len()).sum();
        while size + bytes.len() > self.limit_bytes {
            size -= kept.pop_front().map_or(size, |video| video.bytes.len());
        }
        kept.push_back(Video { id: id.clone(), until: now + self.keep, bytes: bytes.into() });
        Some(id)
    }

    /// The video with this id, if its time has not passed.
    pub(super) fn get(&self, id: &str, now: Instant) -> Option<Arc<[u8]>> {
        let kept = self.fresh(now);
        kept.iter().find(|video| video.id == id).map(|video| Arc::clone(&video.bytes))
    }

    /// Frees the memory of those whose time has passed.
    pub(super) fn expire(&self, now: Instant) {
        drop(self.fresh(now));
    }

    fn fresh(&self, now: Instant) -> MutexGuard<'_, VecDeque<Video>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|video| video.until > now);
        kept
    }
}

/// 128 random bits in hexadecimal: whoever has not been told the id cannot watch the answer.
fn unguessable() -> Option<String> {
    let mut bits = [0; 16];
    let read = File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bits));
    if let Err(error) = read {
        tracing::error!(%error, "no random numbers, so the video cannot be offered");
        return None;
    }
    Some(format!("{:032x}", u128::from_le_bytes(bits)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn videos() -> Videos {
        let config =
            config::Admin { video_keep_s: 10, video_limit_bytes: 100, ..config::Admin::default() };
        Videos::new(&config)
    }

    #[test]
    fn a_video_lives_for_its_time() {
        let (videos, now) = (videos(), Instant::now());
        let id = videos.put(vec![7; 50], now).unwrap();
        assert_eq!(id.len(), 32);
        let almost = now + Duration::from_millis(9_999);
        assert_eq!(videos.get(&id, almost).unwrap().len(), 50);
        assert!(videos.get("0", now).is_none());
        assert!(videos.get(&id, now + Duration::from_secs(10)).is_none());
        assert!(videos.kept.lock().unwrap().is_empty());
    }

    #[test]
    fn old_ones_give_way_to_new_ones() {
        let (videos, now) = (videos(), Instant::now());
        let ids: Vec<_> = (0..3).map(|_| videos.put(vec![0; 50], now).unwrap()).collect();
        let alive: Vec<_> = ids.iter().map(|id| videos.get(id, now).is_some()).collect();
        assert_eq!(alive, [false, true, true]);
        assert_eq!(videos.put(vec![0; 101], now), None);
        assert_eq!(videos.put(Vec::new(), now), None);
        let all = videos.put(vec![0; 100], now).unwrap();
        assert!(videos.get(&ids[2], now).is_none() && videos.get(&all, now).is_some());
    }
}
