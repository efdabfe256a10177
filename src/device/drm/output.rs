//! A lit panel: two buffers that take turns, flipped while the panel does not draw.
//!
//! This is the kernel's older interface, one ioctl a flip, which every driver has; the atomic one would
//! add planes and colours, and a kiosk shows one opaque picture.

use std::{
    io,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use drm::{
    buffer::DrmFourcc,
    control::{
        Device as _, Event, Mode, PageFlipFlags, connector, crtc,
        dumbbuffer::{DumbBuffer, DumbMapping},
        framebuffer,
    },
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{
    card::{Card, Found, timing},
    copy::{Format, Missed, Target, Turn, copy},
    mode::{self, Timing, Wish},
};
use crate::media::Picture;

/// A flip that takes longer will not come: the slowest panels show 24 pictures a second.
const PATIENCE: Duration = Duration::from_millis(500);

/// Flips by which the pace of a panel is measured.
const MEASURED: u32 = 4;

/// A panel that shows our pictures.
pub(super) struct Output {
    pub(super) card: Card,
    crtc: crtc::Handle,
    connector: connector::Handle,
    /// `HDMI-A-1`.
    pub(super) name: String,
    /// What the panel calls itself.
    pub(super) panel: Option<String>,
    pub(super) timing: Timing,
    mode: Mode,
    format: Format,
    buffers: [Buffer; 2],
    back: usize,
    missed: Missed<2>,
    /// Whether flips are possible; else each picture is a new setting of the mode.
    flips: bool,
    /// How long one flip after the other takes; shorter than the mode says where nothing waits for the
    /// panel, as on virtual ones.
    pub(super) measured: Duration,
}

struct Buffer {
    framebuffer: framebuffer::Handle,
    dumb: DumbBuffer,
    memory: DumbMapping<'static>,
    pitch: usize,
}

impl Output {
    /// Lights what was found: in the wished mode, or in another one that works. `keep` is the size, on
    /// the panel, of the pictures that are painted already.
    pub(super) fn light(
        found: Found,
        wish: Option<Wish>,
        keep: Option<(u32, u32)>,
        turn: Turn,
    ) -> Result<Self> {
        let Found { card, connector, name, modes, crtcs, panel } = found;
        let timings: Vec<Timing> = modes.iter().map(timing).collect();
        if panel.is_none() && !timings.iter().any(|timing| timing.preferred) {
            tracing::warn!(
                connector = %name,
                "the panel does not say what it is (no EDID): its mode is a guess; set screen.mode, or \
                 the kernel's parameter video={name}:1920x1080@60e"
            );
        }
        let mut wrong = None;
        for number in mode::order(&timings, wish, keep) {
            let (mode, timing) = (modes[number], timings[number]);
            let size = (timing.width, timing.height);
            let met = wish.is_none_or(|wish| (wish.width, wish.height) == size);
            if !met && wrong.is_none() {
                tracing::warn!(connector = %name, "the panel has no mode as screen.mode wants it");
            }
            for &crtc in &crtcs {
                let made = Buffers::make(&card, size).and_then(|buffers| {
                    let lit = card.set_crtc(
                        crtc,
                        Some(buffers.pair[0].framebuffer),
                        (0, 0),
                        &[connector],
                        Some(mode),
                    );
                    match lit {
                        Ok(()) => Ok(buffers),
                        Err(error) => {
                            buffers.drop_from(&card);
                            Err(error).with_context(|| format!("the mode {timing} was refused"))
                        }
                    }
                });
                match made {
                    Ok(Buffers { pair, format }) => {
                        card.hide_cursor(crtc);
                        card.darken_others(crtc);
                        let upright = turn.size(size);
                        let mut output = Self {
                            card,
                            crtc,
                            connector,
                            name,
                            panel,
                            timing,
                            mode,
                            format,
                            buffers: pair,
                            back: 1,
                            missed: Missed::new(upright),
                            flips: true,
                            measured: Duration::ZERO,
                        };
                        output.measure();
                        return Ok(output);
                    }
                    Err(error) => {
                        tracing::warn!(
                            connector = %name,
                            "{error:#}; the next one is tried"
                        );
                        wrong = Some(error);
                    }
                }
            }
        }
        match wrong {
            Some(error) => Err(error).with_context(|| format!("{name} cannot be lit")),
            None => bail!("{name} offers no mode"),
        }
    }

    /// How long a picture lasts by the mode.
    pub(super) fn period(&self) -> Duration {
        Duration::from_micros(1_000_000_000 / u64::from(self.timing.millihertz.max(1)))
    }

    /// Whether flips wait for the panel, as they should.
    pub(super) fn waits(&self) -> bool {
        self.measured > self.period() / 2
    }

    fn measure(&mut self) {
        let began = Instant::now();
        for number in 0..=MEASURED {
            if number == 1 {
                // The first one may have waited for anything.
                self.measured = Duration::ZERO;
            }
            let begun = Instant::now();
            if let Err(error) = self.flip() {
                tracing::debug!(%error, connector = %self.name, "flips cannot be measured");
                break;
            }
            self.measured += if number == 0 { Duration::ZERO } else { begun.elapsed() };
        }
        self.measured /= MEASURED;
        tracing::debug!(measured = ?self.measured, took = ?began.elapsed(), "measured the panel");
    }

    /// Shows a picture; returns when it became visible.
    pub(super) fn show(&mut self, picture: &Picture, turn: Turn) -> io::Result<Instant> {
        self.missed.note(picture.changed);
        let area = self.missed.take(self.back);
        if area.is_empty() && picture.changed.is_empty() {
            // What is there is what is wanted.
            return Ok(Instant::now());
        }
        let Buffer { memory, pitch, .. } = &mut self.buffers[self.back];
        let mut target = Target { bytes: &mut memory[..], pitch: *pitch, format: self.format };
        copy(picture, area, turn, &mut target);
        let shown = self.flip();
        if shown.is_err() {
            self.missed.forget();
        }
        shown
    }

    /// Brings the back buffer to the front and waits until it is there.
    fn flip(&mut self) -> io::Result<Instant> {
        let framebuffer = self.buffers[self.back].framebuffer;
        if self.flips {
            match self.card.page_flip(self.crtc, framebuffer, PageFlipFlags::EVENT, None) {
                Ok(()) => self.wait_for_flip()?,
                Err(error)
                    if [rustix::io::Errno::NOSYS, rustix::io::Errno::OPNOTSUPP]
                        .iter()
                        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error())) =>
                {
                    tracing::warn!(connector = %self.name, "the driver knows no flips: pictures may tear");
                    self.flips = false;
                }
                Err(error) => return Err(error),
            }
        }
        if !self.flips {
            let connectors = [self.connector];
            self.card.set_crtc(
                self.crtc,
                Some(framebuffer),
                (0, 0),
                &connectors,
                Some(self.mode),
            )?;
        }
        self.back = 1 - self.back;
        Ok(Instant::now())
    }

    fn wait_for_flip(&self) -> io::Result<()> {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            let timeout = Timespec {
                tv_sec: left.as_secs().cast_signed(),
                tv_nsec: left.subsec_nanos().into(),
            };
            let mut ready = [PollFd::new(&self.card, PollFlags::IN)];
            match poll(&mut ready, Some(&timeout)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            match self.card.receive_events() {
                Ok(mut events) => {
                    if events.any(|event| matches!(event, Event::PageFlip(_))) {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        for buffer in &self.buffers {
            let _ = self.card.destroy_framebuffer(buffer.framebuffer);
            let _ = self.card.destroy_dumb_buffer(buffer.dumb);
        }
        // With the card closed, the kernel brings its console back.
    }
}

struct Buffers {
    pair: [Buffer; 2],
    format: Format,
}

impl Buffers {
    /// Two buffers; small pixels where the driver takes no others.
    fn make(card: &Card, size: (u32, u32)) -> Result<Self> {
        let pair = |format| -> Result<[Buffer; 2]> {
            let first = Buffer::make(card, size, format)?;
            match Buffer::make(card, size, format) {
                Ok(second) => Ok([first, second]),
                Err(error) => {
                    first.drop_from(card);
                    Err(error)
                }
            }
        };
        let (width, height) = size;
        pair(Format::Xrgb8888)
            .map(|pair| Self { pair, format: Format::Xrgb8888 })
            .or_else(|error: anyhow::Error| {
                tracing::debug!("{error:#}: trying 16 bits a pixel");
                pair(Format::Rgb565).map(|pair| Self { pair, format: Format::Rgb565 })
            })
            .with_context(|| format!("no memory for pictures of {width}x{height} was given"))
    }

    fn drop_from(self, card: &Card) {
        for buffer in self.pair {
            buffer.drop_from(card);
        }
    }
}

impl Buffer {
    fn make(card: &Card, size: (u32, u32), format: Format) -> Result<Self> {
        let (fourcc, depth, bits) = match format {
            Format::Xrgb8888 => (DrmFourcc::Xrgb8888, 24, 32),
            Format::Rgb565 => (DrmFourcc::Rgb565, 16, 16),
        };
        let dumb = card.create_dumb_buffer(size, fourcc, bits)?;
        let framebuffer = match card.add_framebuffer(&dumb, depth, bits) {
            Ok(framebuffer) => framebuffer,
            Err(error) => {
                let _ = card.destroy_dumb_buffer(dumb);
                return Err(error.into());
            }
        };
        // The mapping borrows the description, which is a few bytes; a panel is lit some times in a
        // kiosk's life, so they may as well stay.
        let described: &'static mut DumbBuffer = Box::leak(Box::new(dumb));
        match card.map_dumb_buffer(described) {
            Ok(memory) => {
                let pitch = drm::buffer::Buffer::pitch(&dumb) as usize;
                Ok(Self { framebuffer, dumb, memory, pitch })
            }
            Err(error) => {
                let _ = card.destroy_framebuffer(framebuffer);
                let _ = card.destroy_dumb_buffer(dumb);
                Err(error.into())
            }
        }
    }

    fn drop_from(self, card: &Card) {
        let _ = card.destroy_framebuffer(self.framebuffer);
        let _ = card.destroy_dumb_buffer(self.dumb);
    }
}
