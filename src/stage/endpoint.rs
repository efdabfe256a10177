//! Where an utterance begins and ends: pure arithmetic on speech probabilities.

use std::{collections::VecDeque, time::Duration};

use crate::media::{Chunk, SAMPLE_RATE};

/// When speech begins and ends.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Probability from which a chunk counts as speech.
    pub threshold: f32,
    /// Speech of this length is an utterance; less is a click.
    pub onset: Duration,
    /// Sound before the onset that belongs to the utterance, so that no first syllable is lost.
    pub preroll: Duration,
    /// Silence that ends an utterance.
    pub pause: Duration,
    /// Silence that ends one whose text is already complete.
    pub short_pause: Duration,
    /// An utterance ends here even if somebody goes on talking.
    pub longest: Duration,
    /// Speech of this length is told as such, even while no word of it is known.
    pub persist: Duration,
}

/// What a chunk means for the utterance.
#[derive(Debug, PartialEq)]
pub enum Verdict {
    /// Nobody speaks.
    Silence,
    /// Somebody has begun to speak; the sound so far, from before the onset.
    Began(Vec<Chunk>),
    /// Somebody still speaks, or pauses.
    Continues,
    /// The utterance has ended; the last speech in it was `ago`.
    Ended {
        /// How long ago the last speech was.
        ago: Duration,
    },
}

/// Finds utterances in a stream of chunks.
#[derive(Debug)]
pub struct Endpointer {
    limits: Limits,
    /// The newest sound, while nobody speaks: onset and pre-roll.
    recent: VecDeque<Chunk>,
    recent_samples: usize,
    /// Speech and silence in a row, in samples.
    speech: usize,
    silence: usize,
    /// Length of the utterance; `None` while nobody speaks.
    spoken: Option<usize>,
    /// All speech of the utterance, without the pauses in it.
    lasted: usize,
}

fn samples(time: Duration) -> usize {
    (time.as_secs_f64() * f64::from(SAMPLE_RATE)) as usize
}

fn time(samples: usize) -> Duration {
    Duration::from_secs_f64(samples as f64 / f64::from(SAMPLE_RATE))
}

impl Endpointer {
    /// Nobody speaks yet.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            recent: VecDeque::new(),
            recent_samples: 0,
            speech: 0,
            silence: 0,
            spoken: None,
            lasted: 0,
        }
    }

    /// How long there has been speech in the utterance, without the pauses in it.
    pub fn lasted(&self) -> Duration {
        time(self.lasted)
    }

    /// Whether somebody is speaking.
    pub fn is_speaking(&self) -> bool {
        self.spoken.is_some()
    }

    /// How long nobody has spoken within the utterance.
    pub fn silence(&self) -> Duration {
        time(self.silence)
    }

    /// Takes the next chunk and its probability; `complete` says that the text so far is a whole
    /// sentence.
    pub fn take(&mut self, chunk: &Chunk, probability: f32, complete: bool) -> Verdict {
        let length = chunk.samples.len();
        // Leaving speech needs a clearly lower value than entering it, so that a soft syllable does not
        // count as a pause.
        let threshold = match self.spoken {
            Some(_) => self.limits.threshold * 0.7,
            None => self.limits.threshold,
        };
        if probability >= threshold {
            self.speech += length;
            self.silence = 0;
        } else {
            self.silence += length;
            // Short gaps do not undo an onset: plosives are silent for up to 100 ms.
            if self.silence > samples(Duration::from_millis(100)) {
                self.speech = 0;
            }
        }
        let Some(spoken) = &mut self.spoken else { return self.before_speech(chunk) };
        *spoken += length;
        if self.silence == 0 {
            self.lasted += length;
        }
        let pause = if complete { self.limits.short_pause } else { self.limits.pause };
        if self.silence >= samples(pause) || *spoken >= samples(self.limits.longest) {
            let ago = time(self.silence);
            self.reset();
            return Verdict::Ended { ago };
        }
        Verdict::Continues
    }

    fn before_speech(&mut self, chunk: &Chunk) -> Verdict {
        self.recent.push_back(chunk.clone());
        self.recent_samples += chunk.samples.len();
        let keep = samples(self.limits.preroll)
            + self.speech
            + self.silence.min(samples(self.limits.onset));
        while let Some(oldest) = self.recent.front() {
            if self.recent_samples - oldest.samples.len() < keep {
                break;
            }
            self.recent_samples -= oldest.samples.len();
            self.recent.pop_front();
        }
        if self.speech < samples(self.limits.onset) {
            return Verdict::Silence;
        }
        self.spoken = Some(self.recent_samples);
        self.lasted = self.speech;
        self.recent_samples = 0;
        Verdict::Began(self.recent.drain(..).collect())
    }

    /// Forgets the utterance.
    pub fn reset(&mut self) {
        self.recent.clear();
        (self.recent_samples, self.speech, self.silence, self.spoken) = (0, 0, 0, None);
        self.lasted = 0;
    }
}

/// Words after which a sentence goes on.
const DANGLING: &[&str] = &[
    "a", "an", "and", "are", "at", "but", "can", "could", "do", "does", "for", "from", "have", "i",
    "if", "in", "is", "it's", "my", "of", "on", "or", "our", "the", "to", "uh", "um", "was",
    "what", "where's", "who", "with", "would", "your",
];

/// Words with which a question or a request begins.
const OPENING: &[&str] = &[
    "are", "can", "could", "did", "do", "does", "how", "i'd", "is", "may", "please", "tell",
    "what", "what's", "when", "where", "where's", "which", "who", "who's", "why", "will", "would",
];

/// Whether `text` may already be all that the visitor wants to say: it ends with a full stop or a
/// question mark, or it has a question of at least four words that does not end on a word after which
/// English goes on.
pub fn is_complete(text: &str) -> bool {
    let text = text.trim();
    if text.ends_with(['.', '?', '!', '。', '？', '！']) {
        return true;
    }
    let text = text.to_lowercase();
    let words: Vec<&str> = text.split_whitespace().collect();
    // Greetings and words misheard may come before the question.
    let question = words.iter().position(|word| OPENING.contains(word));
    question.is_some_and(|begin| words.len() - begin >= 4)
        && words.last().is_some_and(|last| !DANGLING.contains(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        threshold: 0.5,
        onset: Duration::from_millis(200),
        preroll: Duration::from_millis(300),
        pause: Duration::from_millis(500),
        short_pause: Duration::from_millis(300),
        longest: Duration::from_secs(5),
        persist: Duration::from_millis(400),
    };

    fn chunk(mark: f32) -> Chunk {
        Chunk::of(vec![mark; 512])
    }

    /// Feeds silence, speech and silence, in chunks of 32 ms; returns the chunk numbers at which the
    /// utterance began and ended, and what it contains.
    fn run(
        silence: usize,
        speech: usize,
        complete: bool,
    ) -> (Option<usize>, Option<usize>, Vec<Chunk>) {
        let mut endpointer = Endpointer::new(LIMITS);
        let (mut began, mut ended, mut heard) = (None, None, Vec::new());
        for number in 0..silence + speech + 40 {
            let speaks = (silence..silence + speech).contains(&number);
            let chunk = chunk(number as f32);
            let speaking = endpointer.is_speaking();
            match endpointer.take(&chunk, if speaks { 0.9 } else { 0.05 }, complete) {
                Verdict::Silence => assert!(!speaking),
                Verdict::Began(chunks) => {
                    began = Some(number);
                    heard = chunks;
                }
                Verdict::Continues => {
                    heard.push(chunk);
                    let most = Duration::from_millis(32) * (number - silence + 1) as u32;
                    assert!(
                        endpointer.lasted() <= most.min(Duration::from_millis(32) * speech as u32)
                    );
                }
                Verdict::Ended { .. } => ended = Some(number),
            }
        }
        (began, ended, heard)
    }

    #[test]
    fn an_utterance_has_its_first_syllable_and_ends_after_the_pause() {
        let (began, ended, heard) = run(50, 30, false);
        assert_eq!(began, Some(56), "200 ms are reached in the seventh chunk");
        assert_eq!(ended, Some(79 + 16), "500 ms are reached in the sixteenth chunk of silence");
        let first = heard[0].samples[0] as usize;
        assert!((40..=41).contains(&first), "300 ms before the first speech, not {first}");
        let numbers: Vec<f32> = heard.iter().map(|chunk| chunk.samples[0]).collect();
        assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1.0), "no chunk is lost");
    }

    #[test]
    fn a_complete_sentence_ends_sooner() {
        assert_eq!(run(50, 30, true).1, Some(79 + 10));
    }

    #[test]
    fn a_click_is_no_utterance() {
        assert_eq!(run(20, 4, false).0, None);
    }

    #[test]
    fn nobody_talks_forever() {
        let (_, ended, heard) = run(10, 400, false);
        assert!(ended.is_some());
        assert!(heard.len() < 170, "5 s are 157 chunks");
    }

    #[test]
    fn a_question_is_complete_unless_it_dangles() {
        for text in [
            "hello where is the training room",
            "where is the training room",
            "Fine, thanks.",
            "几点关门？",
            "how much is a ticket",
        ] {
            assert!(is_complete(text), "{text}");
        }
        for text in
            ["", "where is the", "hello", "where is", "i would like to", "what time do you open on"]
        {
            assert!(!is_complete(text), "{text}");
        }
    }
}
