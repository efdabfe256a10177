//! Pictures and sound in one MP4: H.264 and FLAC, which browsers and ffmpeg play.
//!
//! What is encoded waits for at most a second and goes out as one run of pictures and one of sound:
//! a player reads both together, and the index that stays in memory grows by kilobytes a minute.

mod picture;
mod sound;

use std::{
    io::{Cursor, Seek, SeekFrom, Write},
    num::NonZeroU32,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use shiguredo_mp4::{
    TrackKind,
    boxes::SampleEntry,
    mux::{Mp4FileMuxer, Sample},
};

use self::{picture::Pictures, sound::Flac};
use crate::media::Picture;

/// Ticks a second of the pictures' times.
const TICKS: u32 = 90_000;

/// Pictures are encoded again after this, though nothing has changed: players dislike longer ones.
const HOLD: Duration = Duration::from_secs(1);

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// Pixels a row; an odd last column is left out.
    pub width: u32,
    /// Rows; an odd last one is left out.
    pub height: u32,
    /// Pictures a second, about; each picture says when it comes.
    pub picture_rate: u32,
    /// Samples a second of the sound; at most 65,535.
    pub sample_rate: u32,
}

/// Writes an MP4 while it is being made.
pub struct Mp4<W> {
    out: W,
    muxer: Mp4FileMuxer,
    /// Where the next byte goes.
    position: u64,
    format: Format,
    pictures: Pictures,
    picture_track: Track,
    /// The picture that is being shown: how long is not known before the next one comes.
    showing: Option<Showing>,
    flac: Flac,
    sound_track: Track,
    /// Samples of sound so far.
    heard: u64,
}

struct Showing {
    start: u64,
    bytes: Vec<u8>,
    key: bool,
}

impl<W> std::fmt::Debug for Mp4<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mp4").field("format", &self.format).finish_non_exhaustive()
    }
}

/// What is encoded and not yet written of the pictures or of the sound.
struct Track {
    kind: TrackKind,
    timescale: NonZeroU32,
    entry: Option<SampleEntry>,
    bytes: Vec<u8>,
    samples: Vec<(usize, u32, bool)>,
    duration: u64,
}

impl Track {
    fn new(kind: TrackKind, timescale: u32, entry: Option<SampleEntry>) -> Result<Self> {
        let timescale = NonZeroU32::new(timescale).context("no samples a second")?;
        let (bytes, samples) = (Vec::new(), Vec::new());
        Ok(Self { kind, timescale, entry, bytes, samples, duration: 0 })
    }

    fn push(&mut self, bytes: &[u8], duration: u64, key: bool) {
        let duration = u32::try_from(duration).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(bytes);
        self.samples.push((bytes.len(), duration, key));
        self.duration += u64::from(duration);
    }

    fn is_due(&self) -> bool {
        self.duration >= u64::from(self.timescale.get())
    }
}

impl Mp4<Cursor<Vec<u8>>> {
    /// Begins a file in memory.
    pub fn in_memory(format: Format) -> Result<Self> {
        Self::new(Cursor::new(Vec::new()), format)
    }
}

impl<W: Write + Seek> Mp4<W> {
    /// Begins a file at the start of `out`.
    pub fn new(mut out: W, format: Format) -> Result<Self> {
        let muxer = Mp4FileMuxer::new().map_err(|error| anyhow!("{error}"))?;
        let head = muxer.initial_boxes_bytes();
        out.seek(SeekFrom::Start(0))?;
        out.write_all(head)?;
        let position = head.len() as u64;
        let flac = Flac::new(format.sample_rate)?;
        let sound_track = Track::new(TrackKind::Audio, format.sample_rate, Some(flac.entry()?))?;
        Ok(Self {
            out,
            muxer,
            position,
            format,
            pictures: Pictures::new(format.width, format.height, format.picture_rate)?,
            picture_track: Track::new(TrackKind::Video, TICKS, None)?,
            showing: None,
            flac,
            sound_track,
            heard: 0,
        })
    }

    /// What the file holds.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Bytes so far, with those that are not yet written.
    pub fn size(&self) -> u64 {
        let waiting = self.picture_track.bytes.len() + self.sound_track.bytes.len();
        self.position + waiting as u64
    }

    /// How long the sound is so far.
    pub fn heard(&self) -> Duration {
        Duration::from_secs_f64(self.heard as f64 / f64::from(self.format.sample_rate))
    }

    /// Shows a picture from `at`, counted from the beginning of the file, until the next one comes.
    ///
    /// The first picture is shown from the beginning. Only what `picture.changed` tells is looked
    /// at, so every picture that was drawn must come; nothing changed costs nothing.
    pub fn picture(&mut self, picture: &Picture, at: Duration) -> Result<()> {
        let start = (at.as_secs_f64() * f64::from(TICKS)).round() as u64;
        let start = match &self.showing {
            None => 0,
            Some(showing) => {
                let hold = (HOLD.as_secs_f64() * f64::from(TICKS)) as u64;
                let same = picture.changed.width == 0 || picture.changed.height == 0;
                if same && start < showing.start + hold {
                    return Ok(());
                }
                start.max(showing.start + 1)
            }
        };
        let time = Duration::from_secs_f64(start as f64 / f64::from(TICKS));
        let encoded = self.pictures.encode(picture, time)?;
        let Some((bytes, key)) = encoded else { return Ok(()) };
        self.end_picture(start);
        self.showing = Some(Showing { start, bytes, key });
        if self.picture_track.entry.is_none() {
            self.picture_track.entry = self.pictures.entry()?;
        }
        self.write_if_due()
    }

    /// Appends sound, mono, −1 to 1; it is continuous from the beginning of the file.
    pub fn sound(&mut self, samples: &[f32]) -> Result<()> {
        self.heard += samples.len() as u64;
        let track = &mut self.sound_track;
        self.flac.push(samples, &mut |bytes, count| track.push(bytes, count, true))?;
        self.write_if_due()
    }

    /// Ends the file and hands the output back; fails when nothing was ever shown or heard.
    pub fn finish(mut self) -> Result<W> {
        let track = &mut self.sound_track;
        self.flac.finish(&mut |bytes, count| track.push(bytes, count, true))?;
        if let Some(showing) = &self.showing {
            let period = u64::from(TICKS / self.format.picture_rate.clamp(1, TICKS));
            let heard = self.heard * u64::from(TICKS) / u64::from(self.format.sample_rate);
            self.end_picture(heard.max(showing.start + period));
        }
        ensure!(
            self.heard > 0 || self.picture_track.entry.is_some(),
            "there is nothing to write: no picture and no sound came"
        );
        // Where the disk is full, what was written before is still worth an index.
        let written = self.write_waiting();
        let end = self.muxer.finalize().map_err(|error| anyhow!("{error}"));
        let end = match (&written, end) {
            (Err(_), Err(_)) => return Err(written.expect_err("it has just been matched")),
            (_, end) => end?,
        };
        for (offset, bytes) in end.offset_and_bytes_pairs() {
            self.out.seek(SeekFrom::Start(offset))?;
            self.out.write_all(bytes)?;
        }
        self.out.flush()?;
        written.map(|()| self.out)
    }

    fn end_picture(&mut self, end: u64) {
        if let Some(Showing { start, bytes, key }) = self.showing.take() {
            self.picture_track.push(&bytes, end.saturating_sub(start).max(1), key);
        }
    }

    fn write_if_due(&mut self) -> Result<()> {
        if self.picture_track.is_due() || self.sound_track.is_due() {
            self.write_waiting()?;
        }
        Ok(())
    }

    fn write_waiting(&mut self) -> Result<()> {
        for track in [&mut self.picture_track, &mut self.sound_track] {
            let samples = std::mem::take(&mut track.samples);
            let bytes = std::mem::take(&mut track.bytes);
            track.duration = 0;
            if samples.is_empty() {
                continue;
            }
            let Some(entry) = &track.entry else { bail!("the encoder has not described itself") };
            if let Err(error) = self.out.write_all(&bytes) {
                // The index, if it fits, goes where this run would have stood.
                self.out.seek(SeekFrom::Start(self.position))?;
                return Err(error.into());
            }
            for (size, duration, keyframe) in samples {
                self.muxer
                    .append_sample(&Sample {
                        track_kind: track.kind,
                        sample_entry: Some(entry.clone()),
                        keyframe,
                        timescale: track.timescale,
                        duration,
                        composition_time_offset: None,
                        data_offset: self.position,
                        data_size: size,
                    })
                    .map_err(|error| anyhow!("{error}"))?;
                self.position += size as u64;
            }
        }
        Ok(())
    }
}

/// Checks that a picture is as large as the file's.
fn check_size(picture: &Picture, width: u32, height: u32) -> Result<()> {
    let (w, h) = (picture.width, picture.height);
    ensure!(w == width && h == height, "a picture of {w}×{h} in a film of {width}×{height}");
    ensure!(
        picture.pixels.len() == 4 * w as usize * h as usize,
        "a picture of {w}×{h} with {} bytes",
        picture.pixels.len()
    );
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use std::{io, sync::Arc};

    use super::*;
    use crate::media::Rect;

    pub(crate) const FORMAT: Format =
        Format { width: 64, height: 96, picture_rate: 25, sample_rate: 16_000 };

    /// A picture whose brightness is `level` where it has changed.
    pub(crate) fn picture(format: Format, level: u8) -> Picture {
        let (width, height) = (format.width, format.height);
        let pixels = [level, level / 2, 255 - level, 255].repeat((width * height) as usize);
        let changed = Rect { x: 0, y: 0, width, height };
        Picture { width, height, pixels: Arc::new(pixels), changed }
    }

    pub(crate) fn boxes(bytes: &[u8]) -> Vec<String> {
        let mut names = Vec::new();
        let mut at = 0;
        while at + 8 <= bytes.len() {
            let mut size = u64::from(u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()));
            if size == 1 {
                size = u64::from_be_bytes(bytes[at + 8..at + 16].try_into().unwrap());
            }
            names.push(String::from_utf8_lossy(&bytes[at + 4..at + 8]).into_owned());
            at += size as usize;
        }
        assert_eq!(at, bytes.len(), "the boxes fill the file");
        names
    }

    fn tone(count: usize) -> Vec<f32> {
        (0..count).map(|i| (i as f32 * 0.17).sin() * 0.5).collect()
    }

    #[test]
    fn film_has_pictures_sound_and_an_index() {
        let mut mp4 = Mp4::in_memory(FORMAT).unwrap();
        for i in 0..60 {
            mp4.picture(&picture(FORMAT, (i * 4) as u8), Duration::from_millis(40 * i)).unwrap();
            mp4.sound(&tone(640)).unwrap();
        }
        let bytes = mp4.finish().unwrap().into_inner();
        assert_eq!(boxes(&bytes), ["ftyp", "free", "mdat", "moov"]);
        for name in [b"avc1", b"avcC", b"fLaC", b"dfLa"] {
            assert!(bytes.windows(4).any(|window| window == name), "{name:?}");
        }
    }

    #[test]
    fn times_may_vary_and_stand_still() {
        let mut mp4 = Mp4::in_memory(FORMAT).unwrap();
        for at in [500, 510, 510, 400, 900, 5_000] {
            mp4.picture(&picture(FORMAT, (at % 251) as u8), Duration::from_millis(at)).unwrap();
        }
        let before = mp4.size();
        let still = Picture { changed: Rect::default(), ..picture(FORMAT, 9) };
        mp4.picture(&still, Duration::from_millis(5_040)).unwrap();
        assert_eq!(mp4.size(), before, "nothing has changed");
        boxes(&mp4.finish().unwrap().into_inner());
    }

    #[test]
    fn sound_or_pictures_alone_are_enough_but_nothing_is_not() {
        let mut sound = Mp4::in_memory(FORMAT).unwrap();
        sound.sound(&[0.1; 3]).unwrap();
        boxes(&sound.finish().unwrap().into_inner());
        let mut pictures = Mp4::in_memory(FORMAT).unwrap();
        pictures.picture(&picture(FORMAT, 7), Duration::ZERO).unwrap();
        boxes(&pictures.finish().unwrap().into_inner());
        let nothing = Mp4::in_memory(FORMAT).unwrap().finish().unwrap_err();
        assert!(format!("{nothing:#}").contains("nothing to write"), "{nothing:#}");
    }

    #[test]
    fn wrong_sizes_and_rates_are_errors() {
        for bad in [
            Format { width: 0, ..FORMAT },
            Format { height: 20_000, ..FORMAT },
            Format { sample_rate: 0, ..FORMAT },
            Format { sample_rate: 96_000, ..FORMAT },
            Format { picture_rate: 0, ..FORMAT },
        ] {
            assert!(Mp4::in_memory(bad).is_err(), "{bad:?}");
        }
        let mut mp4 = Mp4::in_memory(FORMAT).unwrap();
        let other = picture(Format { width: 32, ..FORMAT }, 1);
        assert!(mp4.picture(&other, Duration::ZERO).unwrap_err().to_string().contains("32×96"));
        let short = Picture { pixels: Arc::new(vec![0; 5]), ..picture(FORMAT, 1) };
        assert!(mp4.picture(&short, Duration::ZERO).is_err());
        // Odd sizes lose a row or a column.
        let odd = Format { width: 65, height: 97, ..FORMAT };
        let mut mp4 = Mp4::in_memory(odd).unwrap();
        let mut shown = picture(odd, 1);
        mp4.picture(&shown, Duration::ZERO).unwrap();
        shown.changed = Rect { x: 64, y: 96, width: 9, height: 9 };
        mp4.picture(&shown, Duration::from_millis(40)).unwrap();
        mp4.sound(&[f32::NAN, f32::INFINITY, 9.0]).unwrap();
        mp4.finish().unwrap();
    }

    /// A disk with room for so many bytes.
    struct Disk {
        file: Cursor<Vec<u8>>,
        room: u64,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let room = self.room.saturating_sub(self.file.position()) as usize;
            if room == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.file.write(&bytes[..bytes.len().min(room)])
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Seek for Disk {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.file.seek(to)
        }
    }

    #[test]
    fn full_disk_is_an_error_at_every_size() {
        for room in [0, 10, 200, 1_000, 20_000] {
            let disk = Disk { file: Cursor::default(), room };
            let film = |disk| {
                let mut mp4 = Mp4::new(disk, FORMAT)?;
                for i in 0..100 {
                    mp4.sound(&tone(640))?;
                    mp4.picture(&picture(FORMAT, i as u8), Duration::from_millis(40 * i))?;
                }
                mp4.finish().map(|_| ())
            };
            let error: anyhow::Error = film(disk).unwrap_err();
            assert!(format!("{error:#}").contains("no storage space"), "{room}: {error:#}");
        }
    }

    /// Prints what the encoder does in a second of a core; `FILM=/some/file.mp4` keeps the film.
    #[test]
    #[ignore = "measures the encoder"]
    fn speed() {
        let format = Format { width: 720, height: 1280, picture_rate: 25, sample_rate: 22_050 };
        let mut shown = picture(format, 0);
        let noise = |i: usize| (i.wrapping_mul(2_654_435_761) >> 13 & 15) as u8;
        let pixels = Arc::make_mut(&mut shown.pixels);
        for (i, pixel) in pixels.chunks_exact_mut(4).enumerate() {
            let (x, y) = (i % 720, i / 720);
            let face =
                (x as f32 - 360.0).powi(2) / 62_500.0 + (y as f32 - 560.0).powi(2) / 122_500.0;
            let base = if face < 1.0 { [224, 180, 150] } else { [60, 90 + (y / 16) as u8, 140] };
            for c in 0..3 {
                pixel[c] = base[c] + noise(i * 3 + c) / 3;
            }
        }
        // Time on the processor and not on the clock: the machine has other things to do.
        let busy = || {
            let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
            Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
        };
        let still = Arc::clone(&shown.pixels);
        let mut mp4 = Mp4::in_memory(format).unwrap();
        let count = 250_u32;
        let (mut drawing, mut sounding) = (Duration::ZERO, Duration::ZERO);
        for i in 0..count {
            let open = ((f64::from(i) * 0.9).sin() + 1.0) * 40.0;
            let shift = (f64::from(i) * 0.15).sin() * 3.0;
            let rect = Rect { x: 230, y: 640, width: 260, height: 240 };
            let pixels = Arc::make_mut(&mut shown.pixels);
            for y in rect.y..rect.y + rect.height {
                for x in rect.x..rect.x + rect.width {
                    let from = (y * 720 + (f64::from(x) + shift) as u32) as usize * 4;
                    let to = (y * 720 + x) as usize * 4;
                    let dx = (f64::from(x) - 360.0) / 70.0;
                    let dy = (f64::from(y) - 740.0) / (6.0 + open);
                    if dx * dx + dy * dy < 1.0 {
                        pixels[to..to + 3].copy_from_slice(&[90, 20, 30]);
                    } else {
                        pixels[to..to + 3].copy_from_slice(&still[from..from + 3]);
                    }
                }
            }
            shown.changed = if i == 0 { picture(format, 0).changed } else { rect };
            let began = busy();
            mp4.picture(&shown, Duration::from_millis(40) * i).unwrap();
            drawing += busy().saturating_sub(began);
            let began = busy();
            mp4.sound(&tone(882).iter().map(|x| x * (open / 80.0) as f32).collect::<Vec<_>>())
                .unwrap();
            sounding += busy().saturating_sub(began);
        }
        let bytes = mp4.finish().unwrap().into_inner();
        eprintln!(
            "{:.0} pictures/s, sound {:.4} of real time, {:.0} kB/s",
            f64::from(count) / drawing.as_secs_f64(),
            sounding.as_secs_f64() / 10.0,
            bytes.len() as f64 / 1e4
        );
        if let Some(path) = std::env::var_os("FILM") {
            std::fs::write(path, bytes).unwrap();
        }
    }
}
