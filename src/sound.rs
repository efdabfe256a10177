//! Sound in files: WAV of any kind in, 16 kHz mono out, and back; and the change of sample rate.
//!
//! The reader is our own because recordings come from everywhere: streaming writers leave 0 or
//! 0xFFFFFFFF where the size belongs, recorders that lost power leave half a file, and a daemon must
//! refuse an hour of sound before it has read it.

pub mod echo;
mod resample;
mod write;

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
    time::Duration,
};

use thiserror::Error;

use crate::media::SAMPLE_RATE;
pub(crate) use write::{cannot_write, to_16_bits};
pub use {
    resample::Resampler,
    write::{WavFile, wav_bytes, write_wav, write_whole},
};

/// Rates that a recording may have, in samples a second.
const RATES: std::ops::RangeInclusive<u32> = 1_000..=768_000;

/// Below this nobody spoke: −56 dB under full scale, in the loudest 100 ms.
const SILENCE: f32 = 0.0015;

const WAV_HEADER: usize = 44;

/// A recording, ready for the recogniser.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wav {
    /// Mono, 16 kHz, −1 to 1.
    pub samples: Vec<f32>,
    /// How long it lasts.
    pub seconds: f64,
    /// The file ended before its header said so; `samples` is what there was.
    pub truncated: bool,
    /// How many samples were not numbers and have been silenced.
    pub repaired: u64,
    /// Samples a second in the file.
    pub sample_rate: u32,
    /// Channels in the file; they have been averaged.
    pub channels: u16,
}

impl Wav {
    /// Reads a file that lasts at most `limit`.
    pub fn read(path: &Path, limit: Duration) -> Result<Self, WavError> {
        let name = path.display().to_string();
        let read = || {
            let file = File::open(path)?;
            let about = file.metadata()?;
            if about.is_dir() {
                return Err(io::Error::from(io::ErrorKind::IsADirectory).into());
            }
            // A pipe has no length, and says 0.
            let size = about.is_file().then_some(about.len());
            read_wav(BufReader::new(file), size, limit)
        };
        read().map_err(|problem| WavError { name, problem })
    }

    /// Reads a file that is already in memory; `name` is what messages call it.
    pub fn from_bytes(name: &str, bytes: &[u8], limit: Duration) -> Result<Self, WavError> {
        read_wav(bytes, Some(bytes.len() as u64), limit)
            .map_err(|problem| WavError { name: name.to_owned(), problem })
    }

    /// Whether there is nothing to hear in it.
    pub fn is_silent(&self) -> bool {
        loudness(&self.samples, SAMPLE_RATE) < SILENCE
    }
}

/// Why a recording cannot be used, with its name.
#[derive(Debug, Error)]
#[error("{name} {problem}")]
pub struct WavError {
    /// The file or whatever else it came from.
    pub name: String,
    /// What is wrong with it.
    pub problem: WavProblem,
}

/// What can be wrong with a recording; each text continues a sentence that began with its name.
#[derive(Debug, Error)]
pub enum WavProblem {
    /// The file system says no.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// Not one byte.
    #[error("is empty: record it again")]
    Empty,
    /// Another format.
    #[error(
        "is not a WAV file but looks like {looks_like}: convert it, for example with \
         `ffmpeg -i INPUT -c:a pcm_s16le OUTPUT.wav`"
    )]
    NotWav {
        /// What its first bytes tell.
        looks_like: &'static str,
    },
    /// A WAV whose header makes no sense.
    #[error("is a damaged WAV file, {0}: record or export it again")]
    Damaged(&'static str),
    /// A WAV with an encoding that is not read.
    #[error(
        "holds {0}, which is not supported: convert it, for example with \
         `ffmpeg -i INPUT -c:a pcm_s16le OUTPUT.wav`"
    )]
    Unsupported(String),
    /// A header and nothing after it.
    #[error("is a WAV file without any sound in it: record it again")]
    NoSound,
    /// More than was allowed.
    #[error("lasts {seconds:.0} s or more, and {limit:.0} s are allowed: cut it into shorter ones")]
    TooLong {
        /// How long it is, as far as one can tell without reading it all.
        seconds: f64,
        /// How long it might be.
        limit: f64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Encoding {
    Unsigned8,
    Int16,
    Int24,
    Int32,
    Float32,
    Float64,
}

impl Encoding {
    fn bytes(self) -> usize {
        match self {
            Self::Unsigned8 => 1,
            Self::Int16 => 2,
            Self::Int24 => 3,
            Self::Int32 | Self::Float32 => 4,
            Self::Float64 => 8,
        }
    }

    /// Decodes one sample from exactly `bytes()` bytes.
    fn decode(self, b: &[u8]) -> f32 {
        match (self, b) {
            (Self::Unsigned8, &[a]) => (f32::from(a) - 128.0) / 128.0,
            (Self::Int16, &[a, b]) => f32::from(i16::from_le_bytes([a, b])) / 32_768.0,
            (Self::Int24, &[a, b, c]) => i32::from_le_bytes([0, a, b, c]) as f32 / 2_147_483_648.0,
            (Self::Int32, &[a, b, c, d]) => {
                i32::from_le_bytes([a, b, c, d]) as f32 / 2_147_483_648.0
            }
            (Self::Float32, &[a, b, c, d]) => f32::from_le_bytes([a, b, c, d]),
            (Self::Float64, &[a, b, c, d, e, f, g, h]) => {
                f64::from_le_bytes([a, b, c, d, e, f, g, h]) as f32
            }
            _ => 0.0,
        }
    }
}

/// How the bytes of the data chunk are to be read.
#[derive(Clone, Copy, Debug)]
struct Layout {
    encoding: Encoding,
    channels: u16,
    rate: u32,
}

impl Layout {
    fn frame(self) -> usize {
        usize::from(self.channels) * self.encoding.bytes()
    }

    fn seconds(self, bytes: u64) -> f64 {
        bytes as f64 / self.frame() as f64 / f64::from(self.rate)
    }
}

/// Counts what it has read, and reads on until the buffer is full or nothing is left.
struct Source<R> {
    reader: R,
    position: u64,
}

impl<R: Read> Source<R> {
    fn fill(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.reader.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.position += filled as u64;
        Ok(filled)
    }

    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        self.position += io::copy(&mut self.reader.by_ref().take(bytes), &mut io::sink())?;
        Ok(())
    }
}

/// Reads a WAV; `size` is the number of bytes that there are, where that is known.
fn read_wav(
    reader: impl Read,
    size: Option<u64>,
    limit: Duration,
) -> std::result::Result<Wav, WavProblem> {
    let mut source = Source { reader, position: 0 };
    let mut head = [0; 64];
    let found = source.fill(&mut head[..12])?;
    if found == 0 {
        return Err(WavProblem::Empty);
    }
    match (&head[..4], &head[8..12]) {
        (b"RIFF" | b"RF64" | b"BW64", b"WAVE") => {}
        (b"RIFX", b"WAVE") => return Err(WavProblem::Unsupported("big-endian samples".into())),
        _ => {
            let found = found + source.fill(&mut head[found..])?;
            return Err(WavProblem::NotWav { looks_like: look(&head[..found]) });
        }
    }
    let riff_size = little(&head[4..8]);

    let mut layout = None;
    let data_size = loop {
        let mut header = [0; 8];
        if source.fill(&mut header)? < header.len() {
            return Err(match layout {
                Some(_) => WavProblem::NoSound,
                None => WavProblem::Damaged("it ends before it says what it holds"),
            });
        }
        let length = little(&header[4..]);
        match &header[..4] {
            b"fmt " => {
                let mut format = [0; 40];
                let wanted = format.len().min(length as usize);
                let found = source.fill(&mut format[..wanted])?;
                layout = Some(read_format(&format[..found])?);
                source.skip(u64::from(length) - found as u64 + u64::from(length % 2))?;
            }
            b"data" => break length,
            _ => source.skip(u64::from(length) + u64::from(length % 2))?,
        }
    };
    let layout = layout.ok_or(WavProblem::Damaged("its data comes before its format"))?;

    // Streaming writers cannot know the size beforehand and write the largest one or none; "none" is
    // believed only of a file whose outer size is right.
    let honest = size.is_some_and(|size| u64::from(riff_size) + 8 == size);
    let open_ended = data_size >= 0x7FFF_0000 || (data_size == 0 && !honest);
    let left = size.map(|size| size.saturating_sub(source.position));
    let claimed = if open_ended { u64::MAX } else { u64::from(data_size) };
    let expected = left.map_or(claimed, |left| left.min(claimed));
    let allowed =
        (limit.as_secs_f64() * f64::from(layout.rate)).ceil() as u64 * layout.frame() as u64;
    let too_long =
        |bytes| WavProblem::TooLong { seconds: layout.seconds(bytes), limit: limit.as_secs_f64() };
    if expected != u64::MAX && expected > allowed {
        return Err(too_long(expected));
    }

    let mut wav = Wav { sample_rate: layout.rate, channels: layout.channels, ..Wav::default() };
    let mut resampler = Resampler::new(layout.rate, SAMPLE_RATE)
        .map_err(|error| WavProblem::Unsupported(error.to_string()))?;
    let mut block = vec![0; layout.frame() * (65_536 / layout.frame()).max(1)];
    let mut mono = Vec::new();
    let mut bytes = 0;
    while bytes < claimed {
        let wanted = (claimed - bytes).min(block.len() as u64) as usize;
        let found = source.fill(&mut block[..wanted])?;
        bytes += found as u64;
        if bytes > allowed {
            return Err(too_long(bytes));
        }
        mono.clear();
        mono.extend(block[..found].chunks_exact(layout.frame()).map(|frame| {
            let samples = frame.chunks_exact(layout.encoding.bytes());
            let sum: f32 = samples.map(|sample| layout.encoding.decode(sample)).sum();
            if sum.is_finite() {
                (sum / f32::from(layout.channels)).clamp(-1.0, 1.0)
            } else {
                wav.repaired += 1;
                0.0
            }
        }));
        resampler.process(&mono, &mut wav.samples);
        if found < wanted {
            break;
        }
    }
    resampler.finish(&mut wav.samples);
    if wav.samples.is_empty() {
        return Err(WavProblem::NoSound);
    }
    wav.truncated = !open_ended && bytes < claimed;
    wav.seconds = layout.seconds(bytes / layout.frame() as u64 * layout.frame() as u64);
    Ok(wav)
}

/// Reads the `fmt ` chunk.
fn read_format(format: &[u8]) -> std::result::Result<Layout, WavProblem> {
    if format.len() < 16 {
        return Err(WavProblem::Damaged("its format chunk is too short"));
    }
    let short = |at: usize| u16::from_le_bytes([format[at], format[at + 1]]);
    let (tag, channels, rate, block, bits) =
        (short(0), short(2), little(&format[4..8]), short(12), short(14));
    if channels == 0 {
        return Err(WavProblem::Damaged("it has no channels"));
    }
    if channels > 64 {
        return Err(WavProblem::Unsupported(format!("{channels} channels")));
    }
    if !RATES.contains(&rate) {
        return Err(WavProblem::Unsupported(format!("{rate} samples a second")));
    }
    // An extensible format carries the real tag at the beginning of its GUID.
    let tag = if tag == 0xFFFE && format.len() >= 26 { short(24) } else { tag };
    // 20 bits lie in the upper part of three bytes, so the container is what counts.
    let bytes = match block / channels {
        bytes if bytes * channels == block && bytes * 8 >= bits && bytes > 0 => bytes,
        _ => bits.div_ceil(8),
    };
    let encoding = match (tag, bytes) {
        (1, 1) => Encoding::Unsigned8,
        (1, 2) => Encoding::Int16,
        (1, 3) => Encoding::Int24,
        (1, 4) => Encoding::Int32,
        (3, 4) => Encoding::Float32,
        (3, 8) => Encoding::Float64,
        (1 | 3, _) => {
            return Err(WavProblem::Unsupported(format!("samples of {bits} bits")));
        }
        (2, _) => return Err(WavProblem::Unsupported("Microsoft ADPCM sound".into())),
        (6, _) => return Err(WavProblem::Unsupported("A-law sound".into())),
        (7, _) => return Err(WavProblem::Unsupported("µ-law sound".into())),
        (0x11, _) => return Err(WavProblem::Unsupported("IMA ADPCM sound".into())),
        (0x31, _) => return Err(WavProblem::Unsupported("GSM sound".into())),
        (0x50 | 0x55, _) => return Err(WavProblem::Unsupported("MPEG sound in a WAV".into())),
        _ => return Err(WavProblem::Unsupported(format!("sound of WAV format {tag:#06x}"))),
    };
    Ok(Layout { encoding, channels, rate })
}

fn little(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |value, &byte| value << 8 | u32::from(byte))
}

/// Tells from the first bytes what somebody has taken for a WAV file.
fn look(head: &[u8]) -> &'static str {
    match head {
        [b'I', b'D', b'3', ..] | [0xFF, 0xFB | 0xF3 | 0xF2 | 0xFA, ..] => "MP3",
        [0xFF, 0xF1 | 0xF9, ..] => "AAC",
        [b'O', b'g', b'g', b'S', ..] => "Ogg (Vorbis or Opus)",
        [b'f', b'L', b'a', b'C', ..] => "FLAC",
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => "MP4 or M4A",
        [0x1A, 0x45, 0xDF, 0xA3, ..] => "WebM or Matroska",
        [b'F', b'O', b'R', b'M', ..] => "AIFF",
        [b'.', b's', b'n', b'd', ..] => "Sun AU",
        [b'#', b'!', b'A', b'M', b'R', ..] => "AMR",
        [b'R', b'I', b'F', b'F', ..] => "another kind of RIFF file",
        [b'P', b'K', 3, 4, ..] => "a ZIP archive",
        [0x1F, 0x8B, ..] => "a gzip archive",
        [b'%', b'P', b'D', b'F', ..] => "PDF",
        [0x89, b'P', b'N', b'G', ..] | [0xFF, 0xD8, ..] => "a picture",
        [b'<', ..] => "HTML or XML",
        [b'{' | b'[', ..] => "JSON",
        _ if head.iter().all(|&b| b >= 0x20 && b != 0x7F || b.is_ascii_whitespace()) => "text",
        _ => "raw samples or unknown data",
    }
}

/// The loudest tenth of a second, as root mean square without the mean; 0 for no sound.
pub fn loudness(samples: &[f32], rate: u32) -> f32 {
    let window = (rate as usize / 10).max(1);
    let rms = |part: &[f32]| {
        let count = part.len() as f64;
        let mean = part.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
        (part.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / count).sqrt() as f32
    };
    samples.chunks(window).map(rms).fold(0.0, f32::max)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{write::wav_header, *};

    const MINUTE: Duration = Duration::from_mins(1);

    fn tone(seconds: f64, rate: u32, hertz: f64) -> Vec<f32> {
        let count = (seconds * f64::from(rate)) as usize;
        let wave = |i: usize| (i as f64 / f64::from(rate) * hertz * std::f64::consts::TAU).sin();
        (0..count).map(|i| 0.5 * wave(i) as f32).collect()
    }

    /// A WAV with this format chunk and data.
    fn wav(format: &[u8], data: &[u8]) -> Vec<u8> {
        let mut bytes = b"RIFF".to_vec();
        bytes.extend((4 + 8 + format.len() + 8 + data.len()).to_le_bytes()[..4].iter());
        bytes.extend(b"WAVEfmt ");
        bytes.extend((format.len() as u32).to_le_bytes());
        bytes.extend(format);
        bytes.extend(b"data");
        bytes.extend((data.len() as u32).to_le_bytes());
        bytes.extend(data);
        bytes
    }

    fn format(tag: u16, channels: u16, rate: u32, bits: u16) -> Vec<u8> {
        let block = channels * bits.div_ceil(8);
        let mut bytes = [tag, channels].map(u16::to_le_bytes).concat();
        bytes.extend(rate.to_le_bytes());
        bytes.extend((rate * u32::from(block)).to_le_bytes());
        bytes.extend([block, bits].map(u16::to_le_bytes).concat());
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Wav, WavError> {
        Wav::from_bytes("the recording", bytes, MINUTE)
    }

    fn message(bytes: &[u8]) -> String {
        read(bytes).unwrap_err().to_string()
    }

    /// What half a sample at 16 kHz makes of a tone of up to 500 Hz.
    const SHIFT: f32 = 0.5 * 500.0 * std::f32::consts::TAU / 16_000.0 / 2.0 + 0.001;

    /// How far two sounds are apart, in their middles.
    fn distance(a: &[f32], b: &[f32]) -> f32 {
        assert!(a.len().abs_diff(b.len()) <= 1, "{} and {} samples", a.len(), b.len());
        let middle = a.len() / 10..a.len() * 9 / 10;
        middle.map(|i| (a[i] - b[i]).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn every_width_rate_and_channel_count_is_read() {
        let encode = |samples: &[f32], bits: u16, float: bool| -> Vec<u8> {
            let wide = |x: f32| (f64::from(x) * 2_147_483_647.0) as i32;
            let one = |x: f32| match (bits, float) {
                (8, _) => vec![(x * 127.0 + 128.0).round() as u8],
                (64, _) => f64::from(x).to_le_bytes().to_vec(),
                (32, true) => x.to_le_bytes().to_vec(),
                _ => wide(x).to_le_bytes()[4 - usize::from(bits) / 8..].to_vec(),
            };
            samples.iter().flat_map(|&x| one(x)).collect()
        };
        for rate in [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000] {
            for channels in [1, 2, 6] {
                for (bits, float) in
                    [(8, false), (16, false), (24, false), (32, false), (32, true), (64, true)]
                {
                    let frames = tone(0.25, rate, 440.0);
                    let all: Vec<f32> =
                        frames.iter().flat_map(|&x| vec![x; usize::from(channels)]).collect();
                    let tag = if float { 3 } else { 1 };
                    let bytes = wav(&format(tag, channels, rate, bits), &encode(&all, bits, float));
                    let heard = read(&bytes).unwrap();
                    assert!(!heard.truncated && heard.repaired == 0);
                    assert!((heard.seconds - 0.25).abs() < 1e-3);
                    assert_eq!((heard.sample_rate, heard.channels), (rate, channels));
                    let off = distance(&heard.samples, &tone(0.25, 16_000, 440.0));
                    let allowed = SHIFT + if bits == 8 { 0.01 } else { 0.001 };
                    assert!(off < allowed, "{rate} Hz, {channels} ch, {bits} bits: {off}");
                }
            }
        }
    }

    #[test]
    fn extensible_format_is_read_by_its_real_tag() {
        let mut extensible = format(0xFFFE, 1, 16_000, 16);
        extensible.extend([22, 0, 16, 0, 4, 0, 0, 0]);
        extensible.extend([1, 0, 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71]);
        let samples = wav_bytes(&tone(0.1, 16_000, 300.0), 16_000)[WAV_HEADER..].to_vec();
        assert_eq!(read(&wav(&extensible, &samples)).unwrap().samples.len(), 1_600);
        // 20 bits in three bytes.
        let mut twenty = format(0xFFFE, 1, 16_000, 24);
        twenty[14] = 20;
        twenty.extend([22, 0, 20, 0, 4, 0, 0, 0]);
        twenty.extend([1, 0, 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71]);
        let read = read(&wav(&twenty, &[0, 0, 0x40, 0, 0, 0xC0])).unwrap();
        assert_eq!(read.samples, [0.5, -0.5]);
    }

    #[test]
    fn what_was_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tone.wav");
        let sound = tone(0.5, 16_000, 440.0);
        write_wav(&path, &sound, 16_000).unwrap();
        let heard = Wav::read(&path, MINUTE).unwrap();
        assert!(distance(&heard.samples, &sound) < 1e-4);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left behind");
        assert!(!heard.is_silent());
    }

    #[test]
    fn what_is_no_wav_is_named() {
        for (bytes, named) in [
            (&b"ID3\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"[..], "MP3"),
            (b"OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00", "Ogg"),
            (b"fLaC\x00\x00\x00\x22", "FLAC"),
            (b"\x00\x00\x00\x20ftypM4A isom", "M4A"),
            (b"Where is the toilet? Down the corridor.", "text"),
            (b"hi", "text"),
            ("你好,请问洗手间在哪里?".as_bytes(), "text"),
            (b"<!DOCTYPE html><html>", "HTML"),
            (b"{\"text\": \"hello\"}", "JSON"),
            (b"RIFF\x10\x00\x00\x00AVI LIST", "another kind of RIFF"),
            (b"\x00\x01\x02\x03\x00\x01\x02\x03\x00\x01\x02\x03\x04", "unknown"),
        ] {
            let text = message(bytes);
            assert!(text.starts_with("the recording is not a WAV file"), "{text}");
            assert!(text.contains(named) && text.contains("ffmpeg"), "{text}");
        }
        assert!(message(b"").contains("is empty"));
        assert!(message(b"RIFX\x10\x00\x00\x00WAVEfmt ").contains("big-endian"));
    }

    #[test]
    fn unsupported_and_damaged_ones_are_named() {
        for (tag, bits, named) in [
            (6, 8, "A-law"),
            (7, 8, "µ-law"),
            (2, 4, "Microsoft ADPCM"),
            (0x11, 4, "IMA ADPCM"),
            (0x55, 0, "MPEG"),
            (0x1234, 16, "0x1234"),
            (1, 40, "40 bits"),
            (3, 16, "16 bits"),
        ] {
            let text = message(&wav(&format(tag, 1, 16_000, bits), &[0; 64]));
            assert!(text.contains(named) && text.contains("not supported"), "{text}");
        }
        assert!(message(&wav(&format(1, 0, 16_000, 16), &[0; 64])).contains("no channels"));
        assert!(message(&wav(&format(1, 500, 16_000, 16), &[0; 64])).contains("500 channels"));
        assert!(message(&wav(&format(1, 1, 0, 16), &[0; 64])).contains("0 samples a second"));
        assert!(message(&wav(&format(1, 1, 16_000, 16)[..8], &[0; 64])).contains("too short"));
        assert!(message(b"RIFF\x04\x00\x00\x00WAVE").contains("ends before"));
        assert!(message(b"RIFF\x04\x00\x00\x00WAVEdata\x04\x00\x00\x00abcd").contains("before"));
        assert!(message(&wav(&format(1, 1, 16_000, 16), &[])).contains("without any sound"));
        assert!(message(&wav(&format(1, 1, 16_000, 16), &[1])).contains("without any sound"));
        let missing = Wav::read(Path::new("/nowhere/a.wav"), MINUTE).unwrap_err().to_string();
        assert!(
            missing.contains("/nowhere/a.wav") && missing.contains("No such file"),
            "{missing}"
        );
        assert!(Wav::read(Path::new("/"), MINUTE).unwrap_err().to_string().contains("directory"));
    }

    #[test]
    fn truncated_one_is_read_as_far_as_it_goes() {
        let whole = wav_bytes(&tone(1.0, 16_000, 440.0), 16_000);
        let half = read(&whole[..=(whole.len() / 2)]).unwrap();
        assert!(half.truncated);
        assert!((half.seconds - 0.5).abs() < 0.01);
        assert_eq!(half.samples.len(), (half.seconds * 16_000.0).round() as usize);
        // Wherever it is cut, there is an answer and no panic.
        for end in (0..200).chain([whole.len() - 1]) {
            let _ = read(&whole[..end]);
        }
    }

    #[test]
    fn sizes_that_streaming_writers_leave_are_understood() {
        let sound = tone(0.5, 16_000, 440.0);
        for (outer, inner) in [(0, 0), (u32::MAX, u32::MAX), (0x7FFF_F024, 0x7FFF_F000), (36, 0)] {
            let mut bytes = wav_bytes(&sound, 16_000);
            bytes[4..8].copy_from_slice(&outer.to_le_bytes());
            bytes[40..44].copy_from_slice(&inner.to_le_bytes());
            let heard = read(&bytes).unwrap();
            assert!(!heard.truncated, "{outer} {inner}");
            assert_eq!(heard.samples.len(), sound.len(), "{outer} {inner}");
            // The same through a pipe, whose length nobody knows.
            assert_eq!(read_wav(&bytes[..], None, MINUTE).unwrap().samples.len(), sound.len());
        }
    }

    #[test]
    fn an_hour_is_refused_before_it_is_read() {
        /// Hands out zeros, and notes how many.
        struct Zeros(std::rc::Rc<std::cell::Cell<u64>>);
        impl Read for Zeros {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                buffer.fill(0);
                self.0.set(self.0.get() + buffer.len() as u64);
                Ok(buffer.len())
            }
        }
        let limit = Duration::from_secs(30);
        let hour = 3_600 * 16_000 * 2;
        let read = std::rc::Rc::new(std::cell::Cell::new(0));
        let header = wav_header(hour, 16_000);
        let source = (&header[..]).chain(Zeros(read.clone()));
        let text = read_wav(source, Some(u64::from(hour) + 44), limit).unwrap_err().to_string();
        assert!(text.contains("lasts 3600 s") && text.contains("30 s are allowed"), "{text}");
        assert_eq!(read.get(), 0, "the header was enough");
        // Without a length it is read up to the limit and no further.
        let header = wav_header(u32::MAX, 16_000);
        let endless = (&header[..]).chain(Zeros(read.clone()));
        assert!(read_wav(endless, None, limit).unwrap_err().to_string().contains("allowed"));
        assert!(read.get() < 2_000_000);
        // A small file that claims an hour is only truncated.
        let mut small = wav_bytes(&tone(1.0, 16_000, 440.0), 16_000);
        small[40..44].copy_from_slice(&hour.to_le_bytes());
        assert!(Wav::from_bytes("it", &small, limit).unwrap().truncated);
    }

    #[test]
    fn samples_that_are_no_numbers_are_silenced() {
        let samples = [0.5_f32, f32::NAN, f32::INFINITY, -2.0, 0.25];
        let data: Vec<u8> = samples.iter().flat_map(|x| x.to_le_bytes()).collect();
        let heard = read(&wav(&format(3, 1, 16_000, 32), &data)).unwrap();
        assert_eq!(heard.samples, [0.5, 0.0, 0.0, -1.0, 0.25]);
        assert_eq!(heard.repaired, 2);
    }

    #[test]
    fn silence_is_told_from_sound() {
        let mut silent = Wav { samples: vec![0.01; 16_000], ..Wav::default() };
        assert!(silent.is_silent(), "an offset cannot be heard");
        silent.samples.clear();
        assert!(silent.is_silent());
        let quiet = Wav {
            samples: [vec![0.0; 160_000], tone(0.2, 16_000, 200.0)].concat(),
            ..Wav::default()
        };
        assert!(!quiet.is_silent(), "one word in ten seconds is enough");
    }

    #[test]
    fn resampling_in_pieces_is_resampling_at_once() {
        for (from, to) in [(22_050, 16_000), (16_000, 48_000), (48_000, 16_000), (44_101, 8_000)] {
            let sound = tone(0.3, from, 500.0);
            let mut resampler = Resampler::new(from, to).unwrap();
            for _ in 0..2 {
                let mut out = Vec::new();
                for piece in sound.chunks(617) {
                    resampler.process(piece, &mut out);
                }
                resampler.finish(&mut out);
                let off = distance(&out, &tone(0.3, to, 500.0));
                assert!(off < SHIFT * 16_000.0 / f64::from(to) as f32, "{from} to {to}: {off}");
            }
        }
        // What the lower rate cannot carry is gone and does not come back as another tone.
        let mut resampler = Resampler::new(48_000, 16_000).unwrap();
        let mut out = Vec::new();
        resampler.process(&tone(0.3, 48_000, 9_500.0), &mut out);
        resampler.finish(&mut out);
        assert!(loudness(&out[800..4_000], 16_000) < 0.001);
        assert!(Resampler::new(0, 16_000).is_err());
    }

    #[test]
    fn growing_file_can_be_read_at_any_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("growing.wav");
        let mut file = WavFile::create(&path, 16_000).unwrap();
        file.write(&tone(1.5, 16_000, 440.0)).unwrap();
        assert!(Wav::read(&path, MINUTE).unwrap().seconds >= 1.0);
        file.write(&tone(0.25, 16_000, 440.0)).unwrap();
        file.finish().unwrap();
        let whole = Wav::read(&path, MINUTE).unwrap();
        assert!(!whole.truncated);
        assert_eq!(whole.samples.len(), 28_000);
    }

    #[test]
    fn full_disk_is_an_error_that_names_the_file() {
        let full = Path::new("/dev/full");
        if full.exists() {
            let error = format!("{:#}", WavFile::create(full, 16_000).unwrap_err());
            assert!(error.contains("/dev/full") && error.contains("No space left"), "{error}");
        }
        let folder = tempfile::tempdir().unwrap();
        let error = write_wav(&folder.path().join("no/such/a.wav"), &[0.0], 16_000).unwrap_err();
        assert!(format!("{error:#}").contains("no/such/a.wav"), "{error:#}");
        assert!(write_wav(Path::new("/"), &[0.0], 16_000).is_err());
    }
}
