//! The screen before the kiosk can use it: a thread shows that it is starting, or that it cannot.

use std::{
    process::ExitCode,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use crossbeam_channel::{Receiver, bounded};

use crate::{
    config,
    device::{DeviceError, Display},
    flow::{Crew, Pulse},
    machine::Screen,
    screen::{
        Look,
        splash::{Splash, Told},
    },
};

/// The longest that a picture takes to be shown.
const GRACE: Duration = Duration::from_secs(5);

/// A screen that tells how far the start is.
#[derive(Debug)]
pub(super) struct Front {
    told: Arc<Mutex<Told>>,
    ends: Arc<AtomicBool>,
    crew: Crew,
    display: Receiver<Box<dyn Display>>,
    size: (u32, u32),
    lit: bool,
}

impl Front {
    /// Takes the screen and shows on it that the kiosk is starting.
    ///
    /// # Errors
    /// The looks of the configuration are wrong, or the system has no room for another thread.
    pub(super) fn start(screen: Screen, looks: &config::Screen) -> Result<Self> {
        let Screen { display, size, lit, .. } = screen;
        // What is wrong with the looks is told by whoever paints the kiosk.
        let look = Look::new(looks).or_else(|_| Look::new(&config::Screen::default()))?;
        let splash = Splash::new(look, size);
        let told = Arc::new(Mutex::new(Told::Starting(0.0)));
        let ends = Arc::new(AtomicBool::new(false));
        let (back, display_back) = bounded(1);
        let mut crew = Crew::default();
        let (its_told, its_ends) = (told.clone(), ends.clone());
        crew.spawn("start", move |pulse| {
            let _ = back.try_send(run(&pulse, splash, display, &its_told, &its_ends));
            Ok(())
        })?;
        Ok(Self { told, ends, crew, display: display_back, size, lit })
    }

    /// Tells how much is done, 0 to 1.
    pub(super) fn say(&self, done: f32) {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = Told::Starting(done);
    }

    /// Shows for a while that the kiosk is out of order, if anybody can see it.
    pub(super) fn out_of_order(self, code: String, time: Duration) {
        if !self.lit {
            return;
        }
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = Told::OutOfOrder(code);
        // The process may be told to end meanwhile, and then does so.
        std::thread::sleep(time);
        let _ = self.hand_over();
    }

    /// Gives the screen to the kiosk.
    ///
    /// # Errors
    /// The screen does not answer.
    pub(super) fn hand_over(self) -> Result<Screen> {
        self.ends.store(true, Ordering::Release);
        let display = self.display.recv_timeout(GRACE).context("the screen does not answer")?;
        self.crew.join(GRACE)?;
        Ok(Screen { display, size: self.size, real: true, lit: self.lit })
    }
}

/// Takes the screen, wherever it is, and shows for a while that the configuration cannot be used.
pub(super) fn wrong_configuration(code: String) {
    let config = config::Config::default();
    let time = Duration::from_secs(config.screen.fault_s.into());
    let shown = crate::machine::screen(&config).and_then(|screen| {
        if screen.lit {
            Front::start(screen, &config.screen)?.out_of_order(code, time);
        }
        Ok(())
    });
    if let Err(error) = shown {
        tracing::debug!("nothing can be shown: {error:#}");
    }
}

/// Takes the screen and says on it that the kiosk is out of order, until the process is told to end.
///
/// # Errors
/// The screen cannot be had.
pub(super) fn out_of_order(config: &config::Config, code: &str) -> Result<ExitCode> {
    let screen = crate::machine::screen(config)?;
    ensure!(screen.lit, "there is no screen to say it on");
    let front = Front::start(screen, &config.screen)?;
    front.out_of_order(code.to_owned(), Duration::MAX);
    Ok(ExitCode::SUCCESS)
}

/// Shows what is told until `ends`; a screen that fails is no reason not to start.
fn run(
    pulse: &Pulse,
    mut splash: Splash,
    mut display: Box<dyn Display>,
    told: &Mutex<Told>,
    ends: &AtomicBool,
) -> Box<dyn Display> {
    let began = Instant::now();
    let mut works = true;
    let mut last = None;
    while !ends.load(Ordering::Acquire) {
        let _waiting = pulse.waiting();
        if let Err(error) = display.wait()
            && !matches!(error, DeviceError::Away | DeviceError::Xrun)
        {
            works = false;
        }
        // Ten pictures a second are enough here, and leave the processor to the models.
        let now = told.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let due = last.as_ref().is_none_or(|(at, shown): &(Instant, Told)| {
            at.elapsed() >= Duration::from_millis(100)
                && (*shown != now || matches!(now, Told::Starting(_)))
        });
        if !works {
            std::thread::park_timeout(Duration::from_millis(50));
        } else if due {
            let picture = splash.paint(&now, began.elapsed());
            if let Err(error) = display.show(&picture)
                && !matches!(error, DeviceError::Away | DeviceError::Xrun)
            {
                tracing::warn!("the start cannot be shown: {error}");
                works = false;
            }
            last = Some((Instant::now(), now));
        }
    }
    display
}
