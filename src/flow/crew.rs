//! Named threads: started in one place, watched while they work, joined with a deadline.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};
use crossbeam_channel::{Receiver, Sender, bounded, never, select};

/// Whether a stage waits or works, and since when it works on one thing.
#[derive(Clone, Debug, Default)]
pub struct Pulse {
    /// Milliseconds since the process first asked for the time; 0 while waiting.
    working_since: Arc<AtomicU64>,
}

fn now_ms() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let elapsed = START.get_or_init(Instant::now).elapsed().as_millis();
    u64::try_from(elapsed).unwrap_or(u64::MAX) + 1
}

impl Pulse {
    /// Marks the stage as waiting until the result is dropped.
    pub fn waiting(&self) -> Waiting<'_> {
        self.working_since.store(0, Ordering::Release);
        Waiting { pulse: self }
    }

    /// Marks the beginning of the next piece of work, for a stage that never waits on a link.
    pub fn beat(&self) {
        self.working_since.store(now_ms(), Ordering::Release);
    }

    fn working_for(&self) -> Option<Duration> {
        match self.working_since.load(Ordering::Acquire) {
            0 => None,
            since => Some(Duration::from_millis(now_ms().saturating_sub(since))),
        }
    }
}

/// A stage waits while this lives.
#[derive(Debug)]
pub struct Waiting<'a> {
    pulse: &'a Pulse,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.pulse.beat();
    }
}

/// All threads of the machine.
#[derive(Debug)]
pub struct Crew {
    members: Vec<Member>,
    /// The names of those that have said that they end.
    ended: Vec<&'static str>,
    ends: Receiver<End>,
    end: Sender<End>,
}

#[derive(Debug)]
struct Member {
    name: &'static str,
    pulse: Pulse,
    thread: JoinHandle<()>,
}

#[derive(Debug)]
struct End {
    name: &'static str,
    result: Result<()>,
}

/// How long the cause of an end may come after its consequence.
const CAUSE: Duration = Duration::from_millis(100);

/// The most threads that a crew has.
const MOST: usize = 64;

impl Default for Crew {
    fn default() -> Self {
        let (end, ends) = bounded(MOST);
        Self { members: Vec::new(), ended: Vec::new(), ends, end }
    }
}

impl Crew {
    /// Starts a thread.
    ///
    /// # Errors
    /// The system has no room for another thread.
    pub fn spawn(
        &mut self,
        name: &'static str,
        work: impl FnOnce(Pulse) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let pulse = Pulse::default();
        let (end, its_pulse) = (self.end.clone(), pulse.clone());
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let result = work(its_pulse.clone());
                drop(its_pulse.waiting());
                its_pulse.working_since.store(0, Ordering::Release);
                let _ = end.try_send(End { name, result });
            })
            .with_context(|| format!("failed to start the thread {name}"))?;
        self.members.push(Member { name, pulse, thread });
        Ok(())
    }

    /// The pulses of all threads, for whoever watches them.
    pub fn pulses(&self) -> Pulses {
        Pulses(self.members.iter().map(|member| (member.name, member.pulse.clone())).collect())
    }

    /// Waits until somebody asks to stop, or a thread ends by itself, which is a fault.
    ///
    /// # Errors
    /// A thread ended.
    pub fn wait(&mut self, stop_asked: &Receiver<()>) -> Result<()> {
        while self.wake(stop_asked, &never(), Duration::from_hours(1))? != Woken::Stop {}
        Ok(())
    }

    /// Waits until somebody asks to stop or calls, or `time` has passed.
    ///
    /// # Errors
    /// A thread ended by itself, which is a fault.
    pub fn wake(
        &mut self,
        stop_asked: &Receiver<()>,
        calls: &Receiver<()>,
        time: Duration,
    ) -> Result<Woken> {
        let first = select! {
            recv(stop_asked) -> _ => return Ok(Woken::Stop),
            recv(calls) -> called => return Ok(if called.is_ok() { Woken::Called } else { Woken::Stop }),
            recv(self.ends) -> end => end,
            default(time) => return Ok(Woken::Waited),
        };
        // A thread that fails closes its links, and its neighbour may be the first to say that it ends;
        // the cause follows at once.
        let mut quiet = Vec::from_iter(first);
        while quiet.last().is_some_and(|end| end.result.is_ok()) {
            let Ok(end) = self.ends.recv_timeout(CAUSE) else { break };
            quiet.push(end);
        }
        self.ended.extend(quiet.iter().map(|end| end.name));
        match quiet.pop() {
            None => Ok(Woken::Stop),
            Some(End { name, result: Err(error) }) => Err(error.context(format!("{name} failed"))),
            Some(End { name, .. }) => {
                bail!("{} ended by itself", quiet.first().map_or(name, |end| end.name))
            }
        }
    }

    /// Waits for all threads to end.
    ///
    /// # Errors
    /// A thread failed, or is late: then all the late ones are named.
    pub fn join(mut self, grace: Duration) -> Result<()> {
        let until = Instant::now() + grace;
        let mut failed = Ok(());
        while self.ended.len() < self.members.len() {
            let Ok(End { name, result }) = self.ends.recv_deadline(until) else { break };
            self.ended.push(name);
            failed = failed.and(result.with_context(|| format!("{name} failed")));
        }
        let mut late = Vec::new();
        for Member { name, thread, .. } in self.members {
            if !self.ended.contains(&name) {
                late.push(name);
            } else if thread.join().is_err() {
                failed = failed.and(Err(anyhow!("{name} panicked")));
            }
        }
        if late.is_empty() { failed } else { Err(anyhow!("still busy at the end: {late:?}")) }
    }
}

/// Why a wait is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// Somebody asks to stop.
    Stop,
    /// Somebody calls.
    Called,
    /// The time has passed.
    Waited,
}

/// A thread that has worked on one thing for so long is stuck.
const STUCK: Duration = Duration::from_secs(10);

/// The pulses of a crew.
#[derive(Clone, Debug, Default)]
pub struct Pulses(Vec<(&'static str, Pulse)>);

impl Pulses {
    /// The threads that have worked on one thing for longer than 10 s.
    pub fn stuck_now(&self) -> Vec<&'static str> {
        self.stuck(STUCK)
    }

    /// Watches those of another crew as well.
    pub fn add(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// The threads that have worked on one thing for longer than `limit`.
    pub fn stuck(&self, limit: Duration) -> Vec<&'static str> {
        self.0
            .iter()
            .filter(|(_, pulse)| pulse.working_for().is_some_and(|time| time > limit))
            .map(|(name, _)| *name)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_ends_by_itself_is_a_fault() {
        let mut crew = Crew::default();
        let (_keep, never) = bounded(0);
        crew.spawn("speak", |_| bail!("no voice")).expect("a thread");
        let error = crew.wait(&never).expect_err("a fault");
        assert_eq!(format!("{error:#}"), "speak failed: no voice");
        crew.join(Duration::from_secs(1)).expect("the failure was told before");
    }

    #[test]
    fn the_late_ones_are_named() {
        let mut crew = Crew::default();
        let (release, gate) = bounded::<()>(0);
        crew.spawn("think", move |_| {
            let _ = gate.recv();
            Ok(())
        })
        .expect("a thread");
        crew.spawn("play", |_| Ok(())).expect("a thread");
        let error = crew.join(Duration::from_millis(50)).expect_err("think is late");
        assert_eq!(error.to_string(), r#"still busy at the end: ["think"]"#);
        drop(release);
    }

    #[test]
    fn only_a_stage_that_works_can_be_stuck() {
        let pulse = Pulse::default();
        let pulses = Pulses(vec![("show", pulse.clone())]);
        assert!(pulses.stuck(Duration::ZERO).is_empty());
        pulse.beat();
        let limit = Duration::from_millis(5);
        while pulses.stuck(limit).is_empty() {
            std::thread::yield_now();
        }
        let waiting = pulse.waiting();
        assert!(pulses.stuck(Duration::ZERO).is_empty());
        drop(waiting);
        assert!(pulses.stuck(Duration::from_secs(1)).is_empty());
    }
}
