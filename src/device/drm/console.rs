//! The text console that the kernel draws: put aside while the kiosk has the screen.

#![expect(unsafe_code, reason = "no library that is at hand knows the console's requests")]

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

use rustix::{
    fs::{Mode, OFlags, open},
    ioctl::{IntegerSetter, Opcode, ioctl},
};

/// `KDSETMODE` of `linux/kd.h`: what a console is for.
const SET_MODE: Opcode = 0x4b3a;

/// `KD_TEXT` and `KD_GRAPHICS` of `linux/kd.h`.
const TEXT: usize = 0;
const GRAPHICS: usize = 1;

/// A console on which the kernel draws no text. At the end it draws again.
#[derive(Debug)]
pub(super) struct Console {
    terminal: OwnedFd,
}

impl Console {
    /// Puts the console on the screen aside. `None` where there is none, or where that is not allowed:
    /// then the pictures hide it all the same while the kiosk owns the screen, but a line of text may
    /// be seen before and after.
    pub(super) fn take() -> Option<Self> {
        let active = std::fs::read_to_string("/sys/class/tty/tty0/active").ok()?;
        let name = active.split_whitespace().next_back()?;
        let path = Path::new("/dev").join(name);
        // It must not become the terminal whose hang-up ends us.
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let opened = open(&path, flags, Mode::empty()).map_err(io::Error::from);
        let taken = opened.and_then(|terminal| {
            set_mode(&terminal, GRAPHICS)?;
            Ok(Self { terminal })
        });
        match taken {
            Ok(console) => Some(console),
            Err(error) => {
                tracing::debug!(%error, console = %path.display(), "the text console stays as it is");
                None
            }
        }
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        // To text whatever it was before: a kiosk that crashed may have left it without.
        let _ = set_mode(&self.terminal, TEXT);
    }
}

fn set_mode(terminal: impl AsFd, mode: usize) -> io::Result<()> {
    // SAFETY: KDSETMODE takes a number and touches no memory of ours.
    unsafe {
        let request = IntegerSetter::<SET_MODE>::new_usize(mode);
        ioctl(terminal, request)?;
    }
    Ok(())
}
