//! `run` while it runs: tells systemd how the kiosk is, and reads the configuration anew when that is asked.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use anyhow::Result;
use crossbeam_channel::{Receiver, TryRecvError, bounded};

use super::run::{LOADING, Run};
use crate::{
    admin::Admin,
    config::Config,
    flow::{Crew, Woken},
    front::Models,
    journal::{Activity, Journal},
    kiosk::Kiosk,
    machine::{self, Absent, Reloaded},
    metrics::Metrics,
    sensors::Latest,
    systemd, update,
    vigil::{self, Vigil},
};

/// How often systemd is told, unless it wants to hear more often.
const TELL: Duration = Duration::from_secs(2);

/// How often it is looked whether an update has ended, or a device has appeared.
const LOOK: Duration = Duration::from_secs(10);

/// The longest that the first picture may take once everything is loaded.
const FIRST_PICTURE: Duration = Duration::from_secs(30);

/// The configuration that is being read.
type Reading = (Crew, Receiver<Result<Reloaded>>);

/// Serves until somebody asks to stop.
pub(super) struct Server<'a> {
    run: &'a Run,
    config: Config,
    metrics: Arc<Metrics>,
    latest: Option<Latest>,
    models: Models,
    reading: Option<Reading>,
    hung: bool,
    /// When that was looked for.
    looked: Option<Instant>,
    absent: Absent,
}

impl<'a> Server<'a> {
    pub(super) fn new(
        run: &'a Run,
        config: &Config,
        metrics: Arc<Metrics>,
        latest: Option<Latest>,
        models: Models,
        absent: Absent,
    ) -> Self {
        metrics.config_reload_successful.set(1);
        Self {
            run,
            config: config.clone(),
            metrics,
            latest,
            models,
            reading: None,
            hung: false,
            looked: None,
            absent,
        }
    }

    /// Serves; ends when that was asked for, or because it is time to start anew.
    ///
    /// # Errors
    /// A stage ended by itself, which is a fault.
    pub(super) fn serve(mut self, kiosk: &mut Kiosk, admin: &Admin) -> Result<()> {
        let (stop, reload) = (admin.stop_asked(), admin.reload_asked());
        let period = systemd::watchdog().map_or(TELL, |limit| TELL.min(limit / 3));
        let began = Instant::now();
        let journal = kiosk.journal.clone();
        let mut vigil = Vigil::new(began);
        let mut ready = false;
        loop {
            let lit = kiosk.lit.load(Ordering::Acquire);
            if !ready && (lit || began.elapsed() > FIRST_PICTURE) {
                // Whoever waits for the kiosk sees it.
                ready = true;
                tracing::info!(address = %admin.address(), "ready");
                systemd::ready(&self.line(&journal));
            }
            self.watch(&mut vigil, kiosk, &journal);
            if self.look(&journal) {
                return Ok(());
            }
            self.poll(&journal);
            // The first picture and a reload are waited for closely.
            let soon = Duration::from_millis(50);
            let wait = if ready && self.reading.is_none() { period } else { soon };
            match kiosk.wake(&stop, &reload, wait)? {
                Woken::Stop => return Ok(()),
                Woken::Called => self.reload(kiosk)?,
                Woken::Waited => {}
            }
        }
    }

    /// Tells systemd that the kiosk lives, if it does.
    fn watch(&mut self, vigil: &mut Vigil, kiosk: &Kiosk, journal: &Journal) {
        let readings = self.latest.as_ref().map(Latest::count);
        let hangs = vigil.hangs(&self.metrics, &kiosk.pulses, readings, Instant::now());
        if hangs.is_empty() {
            self.hung = false;
            systemd::alive(&self.line(journal));
        } else if !std::mem::replace(&mut self.hung, true) {
            tracing::error!(hangs = hangs.join(", "), "the kiosk makes no progress");
            systemd::status(&format!("hangs: {}", hangs.join(", ")));
        }
    }

    /// Looks now and then what has become different around this process; true if it should start anew.
    fn look(&mut self, journal: &Journal) -> bool {
        if self.looked.is_some_and(|at| at.elapsed() < LOOK) {
            return false;
        }
        self.looked = Some(Instant::now());
        // The updater is done only after this process has begun.
        if let Some(update) = update::last(&self.config.sensors.root) {
            self.metrics.updated(&update);
        }
        let Some(device) = self.absent.arrived() else { return false };
        let device = device.name();
        if !systemd::present() {
            tracing::warn!(device, "a device has appeared, which a restart would take into use");
            // Once is enough.
            self.absent = Absent::default();
            return false;
        }
        // Nobody is to see it.
        let anew = journal.activity() == Activity::Alone;
        if anew {
            tracing::info!(
                device,
                "a device has appeared: the kiosk starts anew and takes it into use"
            );
        }
        anew
    }

    fn line(&self, journal: &Journal) -> String {
        vigil::line(journal, self.latest.as_ref())
    }

    /// Begins to read the configuration anew, beside what goes on; models may take their time.
    fn reload(&mut self, kiosk: &Kiosk) -> Result<()> {
        if self.reading.is_some() {
            return Ok(());
        }
        systemd::reloading();
        systemd::extend(LOADING);
        tracing::info!("reading the configuration anew");
        let (run, old) = (self.run.clone(), self.config.clone());
        let (successors, metrics) = (kiosk.successors.clone(), self.metrics.clone());
        let (done, result) = bounded(1);
        let mut crew = Crew::default();
        crew.spawn("reload", move |_| {
            let read = || machine::reload(&old, &run.read()?, &successors, &metrics);
            let _ = done.send(read());
            Ok(())
        })?;
        self.reading = Some((crew, result));
        Ok(())
    }

    /// Looks whether the configuration has been read, and says how that went.
    fn poll(&mut self, journal: &Journal) {
        let Some((_, result)) = &self.reading else { return };
        let status = match result.try_recv() {
            Err(TryRecvError::Empty) => return,
            Err(TryRecvError::Disconnected) => "the configuration was not read".to_owned(),
            Ok(Err(error)) => {
                self.metrics.config_reload_successful.set(0);
                let error = format!("{error:#}");
                tracing::error!(error, "the configuration stays as it was");
                format!("{} · the configuration stays as it was: {error}", self.line(journal))
            }
            Ok(Ok(Reloaded { live, restart, config, models })) => {
                self.metrics.config_reload_successful.set(1);
                tracing::info!(live = live.join(", "), "the configuration was read");
                self.config = config;
                self.models.put(models);
                if restart.is_empty() {
                    self.line(journal)
                } else {
                    let keys = restart.join(", ");
                    tracing::warn!(keys, "these keys need a restart");
                    format!("{} · needs a restart: {keys}", self.line(journal))
                }
            }
        };
        self.reading = None;
        systemd::ready(&status);
    }
}
