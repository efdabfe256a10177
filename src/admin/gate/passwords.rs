//! Passwords: a wrong one costs time, and only whoever sent it.
//!
//! Hashes are computed one at a time on a thread of their own. Whoever has been let in before is let in
//! without computing, so that nobody with a good password waits for those who guess.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    net::IpAddr,
    str::FromStr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use bcrypt::HashParts;
use crossbeam_channel::{Receiver, Sender, bounded};
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

use super::{places::origin, web_config::Secret};

/// The costliest hash that is taken: 12 is four times the usual 10, and seconds on a small board.
const COST_LIMIT: u32 = 12;
/// Good results that are remembered, as many as the exporters remember.
const REMEMBERED: usize = 100;
/// Passwords that wait to be checked.
const WAITING: usize = 16;
/// Checks at a time for one address, with the pauses after wrong ones.
const FROM_ONE: u32 = 4;
/// The pause after a first wrong password; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);
/// After so long without a wrong password an address begins anew.
const FORGIVEN: Duration = Duration::from_mins(10);
/// Addresses whose wrong passwords are counted.
const ADDRESSES: usize = 1_000;

/// Who may come in.
#[derive(Debug, Default)]
pub(super) struct Users {
    hashes: BTreeMap<String, Secret>,
    /// Of no password; takes as long as the costliest of the others.
    nobody: Secret,
}

impl Users {
    /// Checks the hashes; says what is wrong with them without showing them.
    pub(super) fn new(hashes: BTreeMap<String, Secret>, problems: &mut Vec<String>) -> Self {
        let mut most = 4;
        for (user, Secret(hash)) in &hashes {
            let mut problem =
                |why: &str| problems.push(format!("basic_auth_users: {user:?}: {why}"));
            match HashParts::from_str(hash).map(|parts| parts.get_cost()) {
                Ok(cost) if (4..=COST_LIMIT).contains(&cost) => most = most.max(cost),
                Ok(cost) if cost > COST_LIMIT => problem(&format!(
                    "a hash of cost {cost} takes this machine too long; make one of cost 10 (at most \
                     {COST_LIMIT}): htpasswd -nBC 10 \"\""
                )),
                _ => problem("this is not a bcrypt hash; make one: htpasswd -nBC 10 \"\""),
            }
        }
        let nobody = Secret(format!("$2y${most:02}$......................{}", ".".repeat(31)));
        Self { hashes, nobody }
    }

    /// Whether no password is asked for.
    pub(super) fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }
}

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Good,
    /// There is no password, or a wrong one.
    Wrong,
    /// Too many wait to be checked.
    Busy,
}

/// A password to be checked.
#[derive(Debug)]
pub(super) struct Job {
    password: Vec<u8>,
    hash: Secret,
    done: oneshot::Sender<bool>,
}

impl Job {
    /// Computes; on a slow board this takes a good part of a second.
    pub(super) fn work(self) {
        // Whoever asked may have gone meanwhile.
        let _ = self.done.send(bcrypt::verify(&self.password, &self.hash.0).unwrap_or(false));
    }
}

/// What is known of passwords that came.
#[derive(Debug)]
pub(super) struct Passwords {
    jobs: Sender<Job>,
    /// Digests of user, hash and password that belong together, oldest first.
    good: Mutex<VecDeque<[u8; 32]>>,
    tries: Mutex<HashMap<IpAddr, Tries>>,
}

#[derive(Debug)]
struct Tries {
    pending: u32,
    wrong: u32,
    last: Instant,
}

/// One check of an address; ends when dropped.
struct Check<'a> {
    passwords: &'a Passwords,
    origin: IpAddr,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Passwords {
    /// And the work that a thread must do.
    pub(super) fn new() -> (Self, Receiver<Job>) {
        let (jobs, work) = bounded(WAITING);
        (Self { jobs, good: Mutex::default(), tries: Mutex::default() }, work)
    }

    /// Whether the value of an `Authorization` header belongs to a user.
    pub(super) async fn check(
        &self,
        users: &Users,
        authorization: Option<&str>,
        address: IpAddr,
    ) -> Verdict {
        let Some((user, password)) = authorization.and_then(credentials) else {
            return Verdict::Wrong;
        };
        let known = users.hashes.get(&user);
        let hash = known.unwrap_or(&users.nobody);
        let digest = digest(&[user.as_bytes(), hash.0.as_bytes(), &password]);
        if known.is_some() && locked(&self.good).contains(&digest) {
            return Verdict::Good;
        }
        let Some(check) = self.begin(origin(address)) else { return Verdict::Busy };
        let (done, result) = oneshot::channel();
        if self.jobs.try_send(Job { password, hash: hash.clone(), done }).is_err() {
            return Verdict::Busy;
        }
        if result.await.unwrap_or(false) && known.is_some() {
            check.good(digest);
            return Verdict::Good;
        }
        let pause = check.wrong();
        tokio::time::sleep(pause).await;
        Verdict::Wrong
    }

    fn begin(&self, origin: IpAddr) -> Option<Check<'_>> {
        let mut tries = locked(&self.tries);
        let now = Instant::now();
        if tries.len() >= ADDRESSES && !tries.contains_key(&origin) {
            let idle = tries.iter().filter(|(_, tries)| tries.pending == 0);
            let oldest = idle.min_by_key(|(_, tries)| tries.last).map(|(address, _)| *address)?;
            tries.remove(&oldest);
        }
        let entry = tries.entry(origin).or_insert(Tries { pending: 0, wrong: 0, last: now });
        if now.saturating_duration_since(entry.last) > FORGIVEN {
            entry.wrong = 0;
        }
        if entry.pending >= FROM_ONE {
            return None;
        }
        entry.pending += 1;
        Some(Check { passwords: self, origin })
    }
}

impl Check<'_> {
    fn good(&self, digest: [u8; 32]) {
        let mut good = locked(&self.passwords.good);
        if good.len() >= REMEMBERED {
            good.pop_front();
        }
        good.push_back(digest);
        if let Some(tries) = locked(&self.passwords.tries).get_mut(&self.origin) {
            tries.wrong = 0;
        }
    }

    fn wrong(&self) -> Duration {
        let mut tries = locked(&self.passwords.tries);
        let Some(tries) = tries.get_mut(&self.origin) else { return LONGEST_PAUSE };
        let pause = FIRST_PAUSE * 2_u32.pow(tries.wrong.min(10));
        tries.wrong = tries.wrong.saturating_add(1);
        tries.last = Instant::now();
        pause.min(LONGEST_PAUSE)
    }
}

impl Drop for Check<'_> {
    fn drop(&mut self) {
        let mut tries = locked(&self.passwords.tries);
        if let Some(entry) = tries.get_mut(&self.origin) {
            entry.pending -= 1;
            if entry.pending == 0 && entry.wrong == 0 {
                tries.remove(&self.origin);
            }
        }
    }
}

/// User and password of `Basic …`.
fn credentials(authorization: &str) -> Option<(String, Vec<u8>)> {
    let (scheme, encoded) = authorization.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = BASE64_STANDARD.decode(encoded.trim()).ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let user = String::from_utf8(decoded[..colon].to_vec()).ok()?;
    Some((user, decoded[colon + 1..].to_vec()))
}

/// Of all parts with their lengths, so that no two lists of parts are alike.
fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_read() {
        // RFC 7617, section 2.
        let read = credentials("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(read, Some(("Aladdin".into(), b"open sesame".to_vec())));
        assert_eq!(credentials("basic Og=="), Some((String::new(), Vec::new())));
        for bad in
            ["", "Basic", "Basic !", "Bearer QWxhZGRpbjpv", "Basic QWxhZGRpbg==", "Basic /zo="]
        {
            assert_eq!(credentials(bad), None, "{bad}");
        }
    }

    #[test]
    fn hashes_are_checked_and_not_shown() {
        let of = |hash: &str| {
            let mut problems = Vec::new();
            Users::new(
                BTreeMap::from([("alice".to_owned(), Secret(hash.to_owned()))]),
                &mut problems,
            );
            problems.join("\n")
        };
        let hash = bcrypt::hash("secret", 4).unwrap();
        assert_eq!(of(&hash), "");
        let costly = of(&hash.replace("$04$", "$13$"));
        assert!(costly.contains("cost 13") && !costly.contains(&hash[7..]), "{costly}");
        let clear = of("secret");
        assert!(clear.contains("not a bcrypt hash") && !clear.contains("secret"), "{clear}");
    }

    #[test]
    fn an_unknown_user_costs_as_much_as_a_known_one() {
        let hash = bcrypt::hash("secret", 5).unwrap();
        let users = Users::new(BTreeMap::from([("a".to_owned(), Secret(hash))]), &mut Vec::new());
        assert_eq!(HashParts::from_str(&users.nobody.0).unwrap().get_cost(), 5);
        assert!(!bcrypt::verify("", &users.nobody.0).unwrap());
    }
}
