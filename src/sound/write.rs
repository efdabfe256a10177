//! Sound to files.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use super::WAV_HEADER;

/// Mono sound as a WAV file of 16 bits.
pub fn wav_bytes(samples: &[f32], rate: u32) -> Vec<u8> {
    let size = u32::try_from(samples.len() * 2).unwrap_or(u32::MAX);
    let mut bytes = Vec::with_capacity(WAV_HEADER + samples.len() * 2);
    bytes.extend(wav_header(size, rate));
    bytes.extend(samples.iter().flat_map(|&sample| to_16_bits(sample).to_le_bytes()));
    bytes
}

/// Writes mono sound to a WAV file of 16 bits; the file is there whole or not at all.
pub fn write_wav(path: &Path, samples: &[f32], rate: u32) -> Result<()> {
    write_whole(path, &wav_bytes(samples, rate))
}

/// Writes a file beside its place and moves it there, so that nobody sees half of it.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let Some(name) = path.file_name() else {
        bail!("cannot write {}: it does not name a file", path.display());
    };
    // A device or a pipe is written to and not replaced.
    if fs::metadata(path).is_ok_and(|about| !about.is_file()) {
        return fs::write(path, bytes).with_context(|| cannot_write(path));
    }
    let mut part = std::ffi::OsString::from(".");
    part.push(name);
    part.push(format!(".{}", std::process::id()));
    let part = path.with_file_name(part);
    let written = fs::write(&part, bytes).and_then(|()| fs::rename(&part, path));
    if written.is_err() {
        // Whatever went wrong is what counts, not whether there was something to remove.
        let _ = fs::remove_file(&part);
    }
    written.with_context(|| cannot_write(path))
}

/// What a message about a file that could not be written begins with.
pub(crate) fn cannot_write(path: &Path) -> String {
    format!("cannot write {}: check its folder, its rights and the space left", path.display())
}

/// Sixteen bits, without the noise that wrapping around would make.
pub(crate) fn to_16_bits(sample: f32) -> i16 {
    (sample.clamp(-1.0, 1.0) * 32_767.0).round() as i16
}

pub(super) fn wav_header(size: u32, rate: u32) -> [u8; WAV_HEADER] {
    let mut header = [0; WAV_HEADER];
    header[..4].copy_from_slice(b"RIFF");
    header[4..8].copy_from_slice(&size.saturating_add(WAV_HEADER as u32 - 8).to_le_bytes());
    header[8..16].copy_from_slice(b"WAVEfmt ");
    header[16] = 16; // length of the format
    header[20] = 1; // integers
    header[22] = 1; // channel
    header[24..28].copy_from_slice(&rate.to_le_bytes());
    header[28..32].copy_from_slice(&rate.saturating_mul(2).to_le_bytes());
    header[32] = 2; // bytes a frame
    header[34] = 16; // bits a sample
    header[36..40].copy_from_slice(b"data");
    header[40..].copy_from_slice(&size.to_le_bytes());
    header
}

/// A WAV file that grows while it is being heard; its header is right every second.
#[derive(Debug)]
pub struct WavFile {
    path: PathBuf,
    file: BufWriter<File>,
    rate: u32,
    samples: u64,
    /// Up to where the header knows.
    marked: u64,
}

impl WavFile {
    /// Most samples that a header can count.
    const LIMIT: u64 = (u32::MAX as u64 - WAV_HEADER as u64) / 2;

    /// Begins a file, in place of what was there.
    pub fn create(path: &Path, rate: u32) -> Result<Self> {
        let open = || {
            let mut file = BufWriter::new(File::create(path)?);
            file.write_all(&wav_header(0, rate))?;
            file.flush()?;
            Ok::<_, io::Error>(file)
        };
        let file = open().with_context(|| cannot_write(path))?;
        Ok(Self { path: path.to_owned(), file, rate, samples: 0, marked: 0 })
    }

    /// Appends mono samples, −1 to 1.
    pub fn write(&mut self, samples: &[f32]) -> Result<()> {
        if self.samples + samples.len() as u64 > Self::LIMIT {
            bail!("{} is as long as a WAV file can be: begin another one", self.path.display());
        }
        let mut write = || {
            for &sample in samples {
                self.file.write_all(&to_16_bits(sample).to_le_bytes())?;
            }
            self.samples += samples.len() as u64;
            if self.samples - self.marked >= u64::from(self.rate) {
                self.mark()?;
            }
            Ok::<_, io::Error>(())
        };
        write().with_context(|| cannot_write(&self.path))
    }

    /// Ends the file.
    pub fn finish(mut self) -> Result<()> {
        self.mark().with_context(|| cannot_write(&self.path))
    }

    fn mark(&mut self) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&wav_header((self.samples * 2) as u32, self.rate))?;
        self.file.seek(SeekFrom::End(0))?;
        self.file.flush()?;
        self.marked = self.samples;
        Ok(())
    }
}

impl Drop for WavFile {
    fn drop(&mut self) {
        if self.marked < self.samples {
            // Who wants to know whether it worked calls `finish`.
            let _ = self.mark();
        }
    }
}
