//! One suite for every model on every backend, and how far the backends may differ.

use std::{ops::ControlFlow, path::Path, time::Duration};

use linly_edge::{
    config::{BackendKind, Config},
    engine::{Vad, load::Loader, onnx::Library, vad::Earshot},
    media::{Chunk, Message, Mouth, Role},
    sound::Wav,
};

/// What the backends may differ in the position of a mouth: they sum int8 products in another order.
const CLOSE: f32 = 0.06;
/// What they may differ in the length of a sentence, as a part of it.
const APPROXIMATE: f32 = 0.05;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn loader(backend: BackendKind) -> Option<Loader> {
    let mut config = Config::default();
    config.models.backend = backend;
    if backend == BackendKind::Ort {
        let fetched = root().join("out/onnxruntime/libonnxruntime.so");
        let library = if fetched.is_file() { Some(fetched) } else { Library::find() };
        let Some(library) = library else {
            println!("skipped: no libonnxruntime.so; scripts/onnxruntime.sh fetches it");
            return None;
        };
        config.models.library = library;
    }
    Some(Loader::new(&config).expect("the starter pack"))
}

/// The same work on each backend that is there.
fn each<T>(work: impl Fn(&Loader) -> T) -> Vec<T> {
    [BackendKind::Tract, BackendKind::Ort]
        .into_iter()
        .filter_map(loader)
        .map(|l| work(&l))
        .collect()
}

fn visitor() -> Vec<f32> {
    let path = root().join("tests/data/audio/visitor.wav");
    Wav::read(&path, Duration::from_mins(1)).expect("a recording").samples
}

fn recognise(loader: &Loader, samples: &[f32]) -> String {
    let mut asr = loader.asr().expect("a recogniser");
    for chunk in samples.chunks(320) {
        asr.accept(&Chunk::of(chunk.to_vec())).expect("text");
    }
    asr.finish().expect("text")
}

#[test]
fn a_visitor_is_understood() {
    for heard in each(|loader| recognise(loader, &visitor())) {
        assert!(heard.contains("where is the"), "{heard}");
    }
}

#[test]
fn nothing_is_heard_in_silence_and_noise() {
    for silence in each(|loader| recognise(loader, &[0.0; 48_000])) {
        assert_eq!(silence, "");
    }
    // Noise does not get past the speech detector.
    let mut seed = 1_u32;
    let mut noise = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed as f32 / u32::MAX as f32 - 0.5) * 0.02
    };
    let mut vad = Earshot::default();
    for _ in 0..100 {
        let chunk = Chunk::of((0..512).map(|_| noise()).collect());
        assert!(vad.probability(&chunk).expect("a probability") < 0.5);
    }
}

#[test]
fn a_question_is_answered_alike() {
    let answers = each(|loader| {
        let mut llm = loader.llm().expect("a language model");
        let question = "where is the training room";
        let history = [Message { role: Role::Visitor, text: question.into() }];
        let mut answer = String::new();
        llm.reply(&history, &mut |token| {
            answer.push_str(token);
            ControlFlow::Continue(())
        })
        .expect("an answer");
        answer
    });
    for answer in &answers {
        assert!(answer.split_whitespace().count() >= 3, "{answer}");
        assert_eq!(answer, &answers[0]);
    }
}

#[test]
fn an_answer_ends_when_nobody_wants_it() {
    for mut llm in each(|loader| loader.llm().expect("a language model")) {
        let history = [Message { role: Role::Visitor, text: "who are you".into() }];
        let mut tokens = 0;
        llm.reply(&history, &mut |_| {
            tokens += 1;
            ControlFlow::Break(())
        })
        .expect("no failure");
        assert_eq!(tokens, 1);
    }
}

fn speak(loader: &Loader, text: &str) -> Vec<f32> {
    let mut tts = loader.tts().expect("a voice");
    let mut samples = Vec::new();
    tts.speak(text, &mut |piece| {
        samples.extend_from_slice(piece);
        ControlFlow::Continue(())
    })
    .expect("sound");
    samples
}

fn loudness(samples: &[f32]) -> f32 {
    (samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len().max(1) as f32).sqrt()
}

#[test]
fn a_sentence_sounds_alike_and_is_neither_faint_nor_clipped() {
    let voices = each(|loader| speak(loader, "The training room is on the second floor."));
    for voice in &voices {
        assert!((20_000..80_000).contains(&voice.len()), "{} samples", voice.len());
        assert!(voice.iter().all(|sample| sample.abs() <= 1.0));
        assert!((0.02..0.5).contains(&loudness(voice)), "loudness {}", loudness(voice));
        let (length, first) = (voice.len() as f32, voices[0].len() as f32);
        assert!((length / first - 1.0).abs() < APPROXIMATE, "{length} samples against {first}");
    }
}

#[test]
fn what_cannot_be_spoken_is_no_failure() {
    let loader = loader(BackendKind::Tract).expect("always there");
    for text in ["", "   ", "…", "😀", "你好", "a\u{0}b", "((((("] {
        let samples = speak(&loader, text);
        assert!(samples.len() < 16_000 * 5, "{text:?}");
    }
}

#[test]
fn a_mouth_moves_alike_and_rests_in_silence() {
    let sound = speak(&loader(BackendKind::Tract).expect("always there"), "Good morning, welcome.");
    let all = each(|loader| {
        let mut face = loader.face(16_000).expect("a face");
        let mut mouths: Vec<Mouth> = Vec::new();
        let mut sound = sound.clone();
        sound.resize(sound.len().next_multiple_of(640) + 16_000, 0.0);
        let beats = sound.len() / 640;
        for beat in sound.chunks_exact(640) {
            face.accept(beat, &mut |mouth| mouths.push(mouth)).expect("mouths");
        }
        face.finish(&mut |mouth| mouths.push(mouth)).expect("mouths");
        assert_eq!(mouths.len(), beats, "one mouth for each beat");
        mouths
    });
    for mouths in &all {
        let widest = mouths.iter().map(|mouth| mouth.open).fold(0.0, f32::max);
        assert!(widest > 0.25, "the mouth opens to {widest}");
        let rest = &mouths[mouths.len() - 12..];
        assert!(rest.iter().all(|mouth| mouth.open < 0.12), "it rests: {rest:?}");
        for (mouth, other) in mouths.iter().zip(&all[0]) {
            assert!((mouth.open - other.open).abs() < CLOSE, "{mouth:?} against {other:?}");
        }
    }
}
