//! What the admin may know and ask of the machine.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{
    admin::{Ask, Front, ModelStatus, Refusal, Status, Told, TurnStatus},
    device::recording::Recording,
    flow::Pulses,
    journal::{End, Journal, Report, Timing},
    kiosk::{Kiosk, Teller},
    media::Press,
};

/// The longest that anybody waits for an answer.
const PATIENCE: Duration = Duration::from_secs(90);

/// Which models the machine has; a reload brings others.
#[derive(Clone, Debug)]
pub struct Models(Arc<RwLock<Vec<ModelStatus>>>);

impl Models {
    /// These take the place of those from before.
    pub fn put(&self, models: Vec<ModelStatus>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = models;
    }

    fn get(&self) -> Vec<ModelStatus> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The front desk of a running machine.
#[derive(Debug)]
pub struct Desk {
    teller: Teller,
    journal: Arc<Journal>,
    lit: Arc<AtomicBool>,
    pulses: Pulses,
    recording: Recording,
    started: Instant,
    models: Models,
    devices: BTreeMap<String, String>,
}

impl Desk {
    /// The front desk of `kiosk`, whose sound and pictures `recording` can record.
    pub fn new(
        kiosk: &Kiosk,
        recording: Recording,
        models: Vec<ModelStatus>,
        devices: BTreeMap<String, String>,
    ) -> Self {
        Self {
            teller: kiosk.tell(),
            journal: kiosk.journal.clone(),
            lit: kiosk.lit.clone(),
            pulses: kiosk.pulses.clone(),
            recording,
            started: Instant::now(),
            models: Models(Arc::new(RwLock::new(models))),
            devices,
        }
    }

    /// Where to tell of other models.
    pub fn models(&self) -> Models {
        self.models.clone()
    }
}

fn ms(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// Each step of an exchange in milliseconds.
pub fn steps_ms(steps: &[(&'static str, Duration)]) -> BTreeMap<&'static str, f64> {
    steps.iter().map(|(step, time)| (*step, ms(*time))).collect()
}

impl Front for Desk {
    fn ready(&self) -> Result<(), String> {
        if self.journal.is_closed() {
            return Err("the daemon is about to stop".into());
        }
        if self.lit.load(Ordering::Acquire) {
            Ok(())
        } else {
            Err("no picture has been shown yet".into())
        }
    }

    fn stuck(&self) -> Vec<String> {
        self.pulses.stuck_now().into_iter().map(String::from).collect()
    }

    fn status(&self) -> Status {
        let (turns, last) = self.journal.turns();
        let state =
            if self.journal.is_closed() { "stopping" } else { self.journal.activity().name() };
        Status {
            state: state.into(),
            version: env!("CARGO_PKG_VERSION").into(),
            uptime_s: self.started.elapsed().as_secs_f64(),
            models: self.models.get(),
            devices: self.devices.clone(),
            turns,
            last_turn: last.map(|Timing { end, steps, first_sound }| TurnStatus {
                end: end.name().into(),
                first_sound_ms: first_sound.map_or(0.0, ms),
                steps_ms: steps.iter().map(|(step, time)| ((*step).into(), ms(*time))).collect(),
            }),
        }
    }

    fn press(&self, press: Press) -> bool {
        self.teller.pressed(press)
    }

    fn talk(&self, request: Ask) -> Result<Told, Refusal> {
        let busy = Refusal::Busy { retry_after_s: 3 };
        let reports = self.journal.subscribe().map_err(|_| busy)?;
        if let Err(error) = self.recording.start() {
            tracing::warn!(error = format!("{error:#}"), "the video cannot be made");
        }
        let runs = match request {
            Ask::Text(text) => self.teller.typed(text),
            Ask::Sound(samples) => {
                self.teller.recorded(samples);
                true
            }
        };
        if !runs || self.journal.is_closed() {
            return Err(Refusal::Stopping);
        }
        let Some(report) = reports.next(Instant::now() + PATIENCE) else {
            return Err(if self.journal.is_closed() {
                Refusal::Stopping
            } else {
                Refusal::Failed(format!("there was no answer within {PATIENCE:?}"))
            });
        };
        let video = self.recording.finish().unwrap_or_else(|error| {
            tracing::warn!(error = format!("{error:#}"), "the video was not made");
            Vec::new()
        });
        told(report, video)
    }
}

fn told(report: Report, video: Vec<u8>) -> Result<Told, Refusal> {
    match report.end {
        End::Finished => Ok(Told {
            heard: report.heard,
            answer: report.answer,
            steps_ms: steps_ms(&report.steps),
            first_sound_ms: report.first_sound.map_or(0.0, ms),
            video,
        }),
        End::Unheard => Err(Refusal::Bad("no words were understood in the recording".into())),
        End::Interrupted => Err(Refusal::Failed("somebody spoke into the answer".into())),
        End::Failed(step) => Err(Refusal::Failed(format!("the step {} failed", step.name()))),
    }
}
