//! Sound → FLAC.

use anyhow::{Result, anyhow, ensure};
use flacenc::{
    bitsink::ByteSink,
    component::{BitRepr, StreamInfo},
    config, encode_fixed_size_frame,
    error::{Verified, Verify},
    source::{Fill, FrameBuf},
};
use shiguredo_mp4::{
    FixedPointNumber, Uint,
    boxes::{AudioSampleEntryFields, DflaBox, FlacBox, FlacMetadataBlock, SampleEntry},
};

use crate::sound::to_16_bits;

/// Samples a frame.
const BLOCK: usize = 4_096;

/// The shortest last frame that the encoder takes; silence makes up what is missing.
const SHORTEST: usize = 64;

/// Encodes mono sound, 16 bits, without loss.
pub(super) struct Flac {
    config: Verified<config::Encoder>,
    info: StreamInfo,
    rate: u32,
    waiting: Vec<i32>,
    frames: usize,
}

impl Flac {
    pub(super) fn new(rate: u32) -> Result<Self> {
        ensure!((1_000..=65_535).contains(&rate), "{rate} samples a second: 1000 to 65535 can be");
        let mut config = config::Encoder::default();
        config.block_size = BLOCK;
        let config = config.into_verified().map_err(|(_, error)| anyhow!("{error}"))?;
        let info = StreamInfo::new(rate as usize, 1, 16).map_err(|error| anyhow!("{error}"))?;
        Ok(Self { config, info, rate, waiting: Vec::with_capacity(BLOCK), frames: 0 })
    }

    /// Takes sound; calls `frame` with the bytes and the number of samples of each frame made.
    pub(super) fn push(
        &mut self,
        samples: &[f32],
        frame: &mut dyn FnMut(&[u8], u64),
    ) -> Result<()> {
        for &sample in samples {
            self.waiting.push(i32::from(to_16_bits(sample)));
            if self.waiting.len() == BLOCK {
                self.encode(frame)?;
            }
        }
        Ok(())
    }

    /// Encodes what is left.
    pub(super) fn finish(&mut self, frame: &mut dyn FnMut(&[u8], u64)) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.waiting.resize(self.waiting.len().max(SHORTEST), 0);
        self.encode(frame)
    }

    fn encode(&mut self, frame: &mut dyn FnMut(&[u8], u64)) -> Result<()> {
        let count = self.waiting.len();
        let mut block = FrameBuf::with_size(1, count).map_err(|error| anyhow!("{error}"))?;
        block.fill_interleaved(&self.waiting).map_err(|error| anyhow!("{error}"))?;
        self.waiting.clear();
        let encoded = encode_fixed_size_frame(&self.config, &block, self.frames, &self.info)
            .map_err(|error| anyhow!("{error}"))?;
        self.frames += 1;
        let mut bytes = ByteSink::new();
        encoded.write(&mut bytes).map_err(|error| anyhow!("{error}"))?;
        frame(bytes.as_slice(), count as u64);
        Ok(())
    }

    /// How MP4 describes the sound.
    pub(super) fn entry(&self) -> Result<SampleEntry> {
        // The stream's description as FLAC defines it; what is not known beforehand (sizes of
        // frames, number of samples, checksum) is 0.
        let block = (BLOCK as u16).to_be_bytes();
        let (mono, bits) = (0_u64, 16_u64);
        let about = u64::from(self.rate) << 44 | mono << 41 | (bits - 1) << 36;
        let mut description = [block, block].concat();
        description.extend([0; 6]);
        description.extend(about.to_be_bytes());
        description.extend([0; 16]);
        let audio = AudioSampleEntryFields {
            data_reference_index: AudioSampleEntryFields::DEFAULT_DATA_REFERENCE_INDEX,
            channelcount: 1,
            samplesize: AudioSampleEntryFields::DEFAULT_SAMPLESIZE,
            samplerate: FixedPointNumber::new(self.rate as u16, 0),
        };
        let block = FlacMetadataBlock {
            last_metadata_block_flag: Uint::new(1),
            block_type: FlacMetadataBlock::BLOCK_TYPE_STREAMINFO,
            block_data: description,
        };
        let dfla_box = DflaBox { metadata_blocks: vec![block] };
        Ok(SampleEntry::Flac(FlacBox { audio, dfla_box, unknown_boxes: Vec::new() }))
    }
}
