//! What the machine is doing, for those who ask: written by the conversation alone.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::media::Step;

/// What the conversation is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Activity {
    /// Nobody is there.
    #[default]
    Alone,
    /// Somebody is there and silent.
    Listening,
    /// Somebody speaks.
    Hearing,
    /// The kiosk thinks or speaks.
    Answering,
}

impl Activity {
    /// Its name for people and scripts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Alone => "idle",
            Self::Listening => "listening",
            Self::Hearing => "hearing",
            Self::Answering => "answering",
        }
    }
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The whole answer has sounded.
    Finished,
    /// Somebody spoke into it.
    Interrupted,
    /// A step could not do its part.
    Failed(Step),
    /// There was sound, but no words in it.
    Unheard,
}

impl End {
    /// Its label in the metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Interrupted => "interrupted",
            Self::Failed(_) => "failed",
            Self::Unheard => "unheard",
        }
    }
}

/// An exchange that has ended.
#[derive(Clone, Debug)]
pub struct Report {
    /// What the visitor said.
    pub heard: String,
    /// What the visitor heard of our answer.
    pub answer: String,
    /// How it ended.
    pub end: End,
    /// What each step took.
    pub steps: Vec<(&'static str, Duration)>,
    /// End of speech → first sound.
    pub first_sound: Option<Duration>,
    /// Whether the answer was a greeting or an apology, to which nobody had asked a question.
    pub apology: bool,
}

impl Report {
    /// There was sound, but no words in it.
    pub fn unheard(pause: Duration, asr: Duration) -> Self {
        Self {
            heard: String::new(),
            answer: String::new(),
            end: End::Unheard,
            steps: vec![("pause", pause), ("asr", asr)],
            first_sound: None,
            apology: false,
        }
    }
}

/// The journal. What was said is kept only while somebody waits for it.
#[derive(Debug, Default)]
pub struct Journal {
    page: Mutex<Page>,
    turned: Condvar,
}

#[derive(Debug, Default)]
struct Page {
    activity: Activity,
    turns: u64,
    last: Option<Timing>,
    /// Reports for the one who waits; `None` while nobody does.
    awaited: Option<VecDeque<Report>>,
    /// The machine stops: nothing will end any more.
    closed: bool,
}

/// How long the last exchange took, without what was said in it.
#[derive(Clone, Debug)]
pub struct Timing {
    /// How it ended.
    pub end: End,
    /// What each step took.
    pub steps: Vec<(&'static str, Duration)>,
    /// End of speech → first sound.
    pub first_sound: Option<Duration>,
}

/// Somebody is being answered, or another one already waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

impl Journal {
    fn page(&self) -> MutexGuard<'_, Page> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what the conversation is doing.
    pub fn is(&self, activity: Activity) {
        self.page().activity = activity;
        self.turned.notify_all();
    }

    /// Notes the end of an exchange.
    pub fn ended(&self, report: Report) {
        let mut page = self.page();
        page.turns += 1;
        page.last = Some(Timing {
            end: report.end,
            steps: report.steps.clone(),
            first_sound: report.first_sound,
        });
        if let Some(awaited) = &mut page.awaited {
            awaited.push_back(report);
        }
        self.turned.notify_all();
    }

    /// Says that the machine stops, so that nobody waits for it.
    pub fn close(&self) {
        self.page().closed = true;
        self.turned.notify_all();
    }

    /// Whether the machine stops.
    pub fn is_closed(&self) -> bool {
        self.page().closed
    }

    /// What the conversation is doing.
    pub fn activity(&self) -> Activity {
        self.page().activity
    }

    /// Exchanges that have ended, and how long the last one took.
    pub fn turns(&self) -> (u64, Option<Timing>) {
        let page = self.page();
        (page.turns, page.last.clone())
    }

    /// From now on keeps the reports of what ends, for the one who asks.
    pub fn subscribe(&self) -> Result<Reports<'_>, Busy> {
        let mut page = self.page();
        let busy = matches!(page.activity, Activity::Hearing | Activity::Answering);
        if busy || page.awaited.is_some() {
            return Err(Busy);
        }
        page.awaited = Some(VecDeque::new());
        Ok(Reports { journal: self })
    }
}

/// The reports of the exchanges that end while this lives.
#[derive(Debug)]
pub struct Reports<'a> {
    journal: &'a Journal,
}

impl Reports<'_> {
    /// Waits for the next exchange to end; `None` when none has until `deadline`, or the machine
    /// stops.
    pub fn next(&self, deadline: Instant) -> Option<Report> {
        let mut page = self.journal.page();
        loop {
            if let Some(report) = page.awaited.as_mut().and_then(VecDeque::pop_front) {
                return Some(report);
            }
            if page.closed {
                return None;
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            let waited = self.journal.turned.wait_timeout(page, left);
            page = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Reports<'_> {
    fn drop(&mut self) {
        self.journal.page().awaited = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_is_kept_only_for_the_one_who_waits() {
        let journal = Journal::default();
        let report =
            Report { heard: "hello".into(), ..Report::unheard(Duration::ZERO, Duration::ZERO) };
        journal.ended(report.clone());
        let reports = journal.subscribe().expect("nobody is busy");
        assert_eq!(journal.subscribe().map(drop), Err(Busy));
        assert!(reports.next(Instant::now()).is_none(), "the earlier one is gone");
        journal.ended(report);
        assert_eq!(
            reports.next(Instant::now()).map(|report| report.heard).as_deref(),
            Some("hello")
        );
        drop(reports);
        journal.is(Activity::Answering);
        assert_eq!(journal.subscribe().map(drop), Err(Busy));
        assert_eq!(journal.turns().0, 2);
    }
}
