//! Voice → beats: picture-long pieces of sound with the mouth that goes with each.

use std::{
    collections::VecDeque,
    ops::ControlFlow,
    time::{Duration, Instant},
};

use anyhow::Result;

use super::think::{PATIENCE, outcome};
use crate::{
    engine::Face,
    flow::{Inbox, Outbox, Pulse, Seat, Turn},
    media::{Beat, Event, Mouth, Part, Sentence, Step, Voice},
    metrics::{Metrics, Outcome},
};

/// Runs until there is no more voice.
pub fn run(
    pulse: &Pulse,
    face: Seat<Box<dyn Face>>,
    sample_rate: u32,
    voices: &Inbox<Part<Voice>>,
    beats: &Outbox<Part<Beat>>,
    events: &Outbox<Event>,
    metrics: &Metrics,
) -> Result<()> {
    let mut animator = Animator::new(face, sample_rate);
    let mut failed = 0;
    while let Some(Part { turn, body }) = voices.next(pulse) {
        if animator.turn.as_ref() != Some(&turn) {
            animator.begin(&turn);
        }
        let send = &mut |beat| beats.send(pulse, Part::of(&turn, beat));
        let ended = body.is_none();
        let began = Instant::now();
        let animated = if let Some(voice) = body {
            animator.take(voice, send)
        } else {
            let rest = animator.complete(None, send);
            rest.map(|_| beats.send(pulse, Part::end(&turn)))
        };
        let took = began.elapsed().saturating_sub(animator.take_waited());
        turn.times().face.add(took);
        metrics.face_duration.observe(took.as_secs_f64());
        match animated {
            Ok(_) => {
                failed = 0;
                if ended {
                    metrics.request(Step::Face, outcome(&turn));
                }
            }
            Err(error) => {
                metrics.request(Step::Face, Outcome::Failed);
                tracing::warn!(error = format!("{error:#}"), "the face failed");
                animator.begin(&turn);
                failed += 1;
                if failed == PATIENCE {
                    return Err(error.context("the face failed three times in a row"));
                }
                let _ = events.send(pulse, Event::Failed { turn, step: Step::Face });
            }
        }
    }
    Ok(())
}

/// Cuts sound into beats and pairs each with its mouth.
struct Animator {
    face: Seat<Box<dyn Face>>,
    sample_rate: u32,
    /// Samples of one beat.
    length: usize,
    turn: Option<Turn>,
    /// Sound that does not fill a beat yet.
    rest: Vec<f32>,
    /// The sentence that begins in `rest`.
    begins: Option<Sentence>,
    /// Sound whose mouth is not known yet, oldest first, and the sentence that begins with it.
    owed: VecDeque<(Vec<f32>, Option<Sentence>)>,
    /// Mouths that the face has just handed out; kept for its memory.
    certain: Vec<Mouth>,
    /// Beats of this turn so far.
    count: u32,
    /// Time spent waiting for room in the next link.
    waited: Duration,
}

impl Animator {
    fn new(mut face: Seat<Box<dyn Face>>, sample_rate: u32) -> Self {
        let length = (sample_rate / face.now().rate()) as usize;
        Self {
            face,
            sample_rate,
            length,
            turn: None,
            rest: Vec::with_capacity(length),
            begins: None,
            owed: VecDeque::new(),
            certain: Vec::new(),
            count: 0,
            waited: Duration::ZERO,
        }
    }

    fn begin(&mut self, turn: &Turn) {
        if self.face.relieve() {
            self.length = (self.sample_rate / self.face.now().rate()) as usize;
        }
        self.face.now().reset();
        self.turn = Some(turn.clone());
        self.rest.clear();
        self.begins = None;
        self.owed.clear();
        self.count = 0;
    }

    fn take_waited(&mut self) -> Duration {
        std::mem::take(&mut self.waited)
    }

    fn take(
        &mut self,
        voice: Voice,
        send: &mut dyn FnMut(Beat) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>> {
        if voice.begins.is_some() {
            self.begins = voice.begins;
        }
        for sample in voice.samples {
            self.rest.push(sample);
            if self.rest.len() == self.length && self.beat(send)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        match voice.completes {
            Some(sentence) => self.complete(Some(sentence), send),
            None => Ok(ControlFlow::Continue(())),
        }
    }

    /// A sentence ends in silence, so the face need not wait for the sound of the next one.
    fn complete(
        &mut self,
        sentence: Option<Sentence>,
        send: &mut dyn FnMut(Beat) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>> {
        if !self.rest.is_empty() {
            self.rest.resize(self.length, 0.0);
            if self.beat(send)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        let mut mouths = std::mem::take(&mut self.certain);
        self.face.now().finish(&mut |mouth| mouths.push(mouth))?;
        self.face.now().reset();
        mouths.resize(self.owed.len(), Mouth::default());
        let mut sent = mouths.drain(..).try_for_each(|mouth| self.pair(mouth, None, send));
        self.certain = mouths;
        if sent.is_continue() && sentence.is_some() {
            // The sentence's end travels behind all of its sound, on one beat of silence.
            let begins = self.begins.take();
            self.owed.push_back((vec![0.0; self.length], begins));
            sent = self.pair(Mouth::default(), sentence, send);
        }
        Ok(sent)
    }

    /// One beat's worth of sound goes to the face; what is certain goes on.
    fn beat(&mut self, send: &mut dyn FnMut(Beat) -> ControlFlow<()>) -> Result<ControlFlow<()>> {
        let sound = std::mem::replace(&mut self.rest, Vec::with_capacity(self.length));
        let mut certain = std::mem::take(&mut self.certain);
        self.face.now().accept(&sound, &mut |mouth| certain.push(mouth))?;
        self.owed.push_back((sound, self.begins.take()));
        let sent = certain.drain(..).try_for_each(|mouth| self.pair(mouth, None, send));
        self.certain = certain;
        Ok(sent)
    }

    fn pair(
        &mut self,
        mouth: Mouth,
        completes: Option<Sentence>,
        send: &mut dyn FnMut(Beat) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Some((samples, begins)) = self.owed.pop_front() else {
            return ControlFlow::Continue(());
        };
        let at = Duration::from_secs(1) * self.count / self.face.now().rate();
        self.count += 1;
        let sending = Instant::now();
        let sent = send(Beat { at, samples, mouth, begins, completes });
        self.waited += sending.elapsed();
        sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A face that knows a mouth `behind` beats later: the loudness of the beat.
    struct Late {
        behind: usize,
        heard: VecDeque<f32>,
    }

    impl Face for Late {
        fn rate(&self) -> u32 {
            25
        }
        fn accept(&mut self, sound: &[f32], mouth: &mut dyn FnMut(Mouth)) -> Result<()> {
            self.heard.push_back(sound[0]);
            if self.heard.len() > self.behind {
                let open = self.heard.pop_front().expect("not empty");
                mouth(Mouth { open, ..Mouth::default() });
            }
            Ok(())
        }
        fn finish(&mut self, mouth: &mut dyn FnMut(Mouth)) -> Result<()> {
            self.heard.drain(..).for_each(|open| mouth(Mouth { open, ..Mouth::default() }));
            Ok(())
        }
        fn reset(&mut self) {
            self.heard.clear();
        }
    }

    #[test]
    fn every_sample_keeps_its_place_and_its_mouth() {
        for behind in 0..4 {
            let turn = crate::flow::Turns::default().begin(Instant::now());
            let face: Box<dyn Face> = Box::new(Late { behind, heard: VecDeque::new() });
            let mut animator = Animator::new(face.into(), 1000);
            animator.begin(&turn);
            let mut beats = Vec::new();
            let mut send = |beat| {
                beats.push(beat);
                ControlFlow::Continue(())
            };
            // 100 samples in pieces of 7: two and a half beats of 40.
            let samples: Vec<f32> = (1..=100).map(|number| number as f32).collect();
            let sentence = Sentence("Hello.".into());
            let mut begins = Some(sentence.clone());
            for piece in samples.chunks(7) {
                let samples = piece.to_vec();
                let voice = Voice { samples, begins: begins.take(), completes: None };
                assert!(animator.take(voice, &mut send).expect("no failure").is_continue());
            }
            let completes = Some(sentence.clone());
            let end = Voice { completes, ..Voice::default() };
            assert!(animator.take(end, &mut send).expect("no failure").is_continue());

            let sound: Vec<f32> = beats.iter().flat_map(|beat| beat.samples.clone()).collect();
            assert_eq!(sound[..100], samples[..]);
            assert!(sound[100..].iter().all(|sample| *sample == 0.0));
            for beat in &beats {
                assert_eq!(beat.mouth.open, beat.samples[0], "{behind} behind");
                assert_eq!(beat.samples.len(), 40);
            }
            assert_eq!(beats[0].begins, Some(sentence.clone()));
            assert!(beats[1..].iter().all(|beat| beat.begins.is_none()));
            assert_eq!(beats.last().expect("beats").completes, Some(sentence));
            let times: Vec<u128> = beats.iter().map(|beat| beat.at.as_millis()).collect();
            assert_eq!(times, [0, 40, 80, 120]);
        }
    }
}
