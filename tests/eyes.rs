//! The detectors on public pictures, and what becomes of their faces.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use linly_edge::{
    engine::{
        onnx::{Library, Options},
        vision::{
            Boxes, Detector, Eyes, Habits, Motion, Patience, Seeta, Sight, Spot, Ultra, Watcher,
            Yunet, notice,
        },
    },
    media::Frame,
};

/// A file of the shared test data, if there is any.
fn shared(path: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = ["../shared/data", "../../shared/data"].map(|data| root.join(data).join(path));
    let found = found.into_iter().find(|file| file.exists());
    if found.is_none() {
        eprintln!("skipped: {path} is not there");
    }
    found
}

fn picture(path: &Path) -> Frame {
    let grey = image::open(path).expect("a picture").into_luma8();
    let (width, height) = grey.dimensions();
    Frame { width, height, luma: grey.into_raw(), taken: Instant::now() }
}

/// A grey frame of which each pixel is what `pixel` says.
fn drawn(pixel: impl Fn(u32, u32) -> u8) -> Frame {
    let (width, height) = (640, 480);
    let luma = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let luma = luma.map(|(x, y)| pixel(x, y)).collect();
    Frame { width, height, luma, taken: Instant::now() }
}

/// Puts a picture into the middle of a grey wall of 640 by 480 pixels.
fn on_a_wall(picture: &Frame) -> Frame {
    let factor = 480.0 / picture.height as f32;
    let width = (picture.width as f32 * factor) as u32;
    let left = (640 - width.min(640)) / 2;
    drawn(|x, y| {
        let at = |x: u32, y: u32| picture.luma[(y * picture.width + x) as usize];
        if (left..left + width.min(640)).contains(&x) {
            let x = ((x - left) as f32 / factor) as u32;
            at(x.min(picture.width - 1), ((y as f32 / factor) as u32).min(picture.height - 1))
        } else {
            120
        }
    })
}

/// Every detector that can be had here, by its name.
fn detectors() -> Vec<(String, Box<dyn Detector>)> {
    let mut all: Vec<(String, Box<dyn Detector>)> =
        vec![("rustface".into(), Box::new(Seeta::new().expect("a detector")))];
    let mut backends = vec![Options::tract()];
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("out/onnxruntime/libonnxruntime.so");
    if library.exists() {
        backends.push(Options::ort(Library::open(&library).expect("a library"), 1));
    }
    for options in &backends {
        let backend = options.backend();
        for file in ["yunet_n_320_320.onnx", "yunet_n_dynamic.onnx"] {
            if let Some(path) = shared(&format!("models/vision/{file}")) {
                let yunet = Yunet::load(&path, options).unwrap_or_else(|e| panic!("{file}: {e:#}"));
                all.push((format!("{file} on {backend}"), Box::new(yunet)));
            }
        }
        for (file, boxes) in [
            ("version-RFB-320.onnx", Boxes::Finished),
            ("version-slim-320_without_postprocessing.onnx", Boxes::Raw),
        ] {
            if let Some(path) = shared(&format!("models/vision/{file}")) {
                let ultra =
                    Ultra::load(&path, boxes, options).unwrap_or_else(|e| panic!("{file}: {e:#}"));
                all.push((format!("{file} on {backend}"), Box::new(ultra)));
            }
        }
    }
    all
}

/// Where faces are, in pixels: left, top, right, bottom.
const PORTRAITS: [(&str, [f32; 4]); 2] = [
    ("images/astronaut.png", [179.0, 61.0, 268.0, 173.0]),
    ("images/grace_hopper.jpg", [174.0, 122.0, 362.0, 337.0]),
];

/// Whether a spot is about where a face is: detectors differ in how much of the forehead and the chin
/// they take.
fn about(spot: &Spot, [left, top, right, bottom]: [f32; 4]) -> bool {
    let (width, height) = (right - left, bottom - top);
    let [x, y] = spot.centre();
    let near = (x - left - width / 2.0).hypot(y - top - height / 2.0) < 0.3 * height;
    near && (0.6..1.6).contains(&(spot.height / height))
}

#[test]
fn each_detector_finds_the_one_face_of_a_portrait() {
    for (file, place) in PORTRAITS {
        let Some(path) = shared(file) else { continue };
        let frame = picture(&path);
        for (name, mut detector) in detectors() {
            let spots = detector.detect(&frame, 0.15 * frame.height as f32).expect("a look");
            assert!(spots.len() == 1 && about(&spots[0], place), "{name} in {file}: {spots:?}");
        }
    }
}

#[test]
fn no_detector_sees_a_face_where_there_is_none() {
    let noise = |x: u32, y: u32| {
        let mut number = x.wrapping_mul(0x9e37_79b9) ^ y.wrapping_mul(0x85eb_ca6b);
        number ^= number >> 15;
        (number.wrapping_mul(0x2c1b_3c6d) >> 24) as u8
    };
    let pictures = [
        ("black", drawn(|_, _| 0)),
        ("white", drawn(|_, _| 255)),
        ("a slope", drawn(|x, y| ((x + y) * 255 / 1_120) as u8)),
        ("noise", drawn(noise)),
        ("bricks", drawn(|x, y| if (x + y / 24 * 32) % 64 < 2 || y % 24 < 2 { 200 } else { 110 })),
    ];
    for (name, mut detector) in detectors() {
        for (what, frame) in &pictures {
            let spots = detector.detect(frame, 72.0).expect("a look");
            assert!(spots.is_empty(), "{name} in {what}: {spots:?}");
        }
    }
}

#[test]
fn pictures_of_odd_shapes_do_no_harm() {
    for (name, mut detector) in detectors() {
        for (width, height) in
            [(0, 0), (1, 1), (3, 480), (640, 2), (64, 64), (40, 1_000), (1_921, 1_081)]
        {
            let luma = (0..width * height).map(|at| (at % 251) as u8).collect();
            let frame = Frame { width, height, luma, taken: Instant::now() };
            assert!(
                detector.detect(&frame, 0.15 * frame.height as f32).is_ok(),
                "{name} in {width}×{height}"
            );
        }
    }
}

fn habits() -> Habits {
    let patience =
        Patience { arrive: Duration::from_secs(1), leave: Duration::from_secs(2), smallest: 0.15 };
    Habits { rate: 4.0, idle_rate: 2.0, idle_after: Duration::from_secs(30), patience }
}

/// Looks at `pictures`, four a second.
fn watch(eyes: &mut Eyes, pictures: &[&Frame]) -> Vec<Sight> {
    let start = Instant::now();
    let look = |(number, picture): (usize, &&Frame)| {
        let taken = start + Duration::from_millis(250) * number as u32;
        eyes.look(&Frame { taken, ..(*picture).clone() }).expect("a look")
    };
    pictures.iter().enumerate().map(look).collect()
}

/// The kiosk's own portrait, which is drawn, and so is there on every machine.
fn own() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("avatar/portrait.png")
}

#[test]
fn the_detector_that_is_built_in_finds_the_kiosks_own_face() {
    let frame = picture(&own());
    let spots = Seeta::new().expect("a detector").detect(&frame, 150.0).expect("a look");
    assert!(spots.len() == 1 && about(&spots[0], [188.0, 361.0, 530.0, 703.0]), "{spots:?}");
    assert!(notice().starts_with("Copyright"));
}

#[test]
fn who_stands_there_is_followed_and_who_comes_beside_is_seen() {
    let wall = on_a_wall(&picture(&own()));
    // Somebody in the left half; after four seconds somebody else in the right half.
    let people = |count: u32| {
        let at = |x: u32, y: u32| wall.luma[(y * 640 + x % 320 + 160) as usize];
        drawn(|x, y| if x / 320 < count { at(x, y) } else { 120 })
    };
    let (one, two) = (people(1), people(2));
    let mut pictures = vec![&one; 16];
    pictures.extend([&two; 16]);
    let detector = Box::new(Seeta::new().expect("a detector"));
    let seen = watch(&mut Eyes::new(detector, habits()), &pictures);
    let counts: Vec<u32> = seen.iter().map(|sight| sight.people).collect();
    assert_eq!(counts[4..16], [1; 12], "{counts:?}");
    // The whole picture is searched once a second, and a second later they are here.
    assert_eq!(counts[26..], [2; 6], "{counts:?}");
}

#[test]
fn who_stands_in_front_of_the_camera_comes_and_goes() {
    let path = shared("images/astronaut.png");
    let astronaut = path.is_some();
    let someone = on_a_wall(&picture(&path.unwrap_or_else(own)));
    let wall = drawn(|_, _| 120);
    let mut pictures = vec![&wall; 4];
    pictures.extend([&someone; 8]);
    pictures.extend([&wall; 12]);
    for (name, detector) in detectors() {
        let seen = watch(&mut Eyes::new(detector, habits()), &pictures);
        let present: Vec<usize> = (0..24).filter(|number| seen[*number].present).collect();
        // Somebody is in pictures 4 to 11: here one second after the first, gone two after the last.
        assert_eq!(present, (8..19).collect::<Vec<_>>(), "{name}");
        assert!(seen.iter().all(|sight| sight.people <= 1), "{name}");
        if name.starts_with("yunet") && astronaut {
            assert_eq!(seen[10].looking, Some(true), "{name}: she looks into the camera");
        } else if !name.starts_with("yunet") {
            assert_eq!(seen[10].looking, None, "{name}");
        }
    }
}

/// Grey pictures of a film, `rate` a second, 640 by 480 pixels; `None` where ffmpeg is missing.
fn film(path: &Path, rate: u32) -> Option<Vec<Frame>> {
    let filter = format!("fps={rate},scale=640:480,format=gray");
    let done = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args(["-vf", &filter, "-f", "rawvideo", "-"])
        .output()
        .ok()
        .filter(|done| done.status.success());
    if done.is_none() {
        eprintln!("skipped: ffmpeg is not there");
    }
    let pictures = done?.stdout;
    let frame =
        |luma: &[u8]| Frame { width: 640, height: 480, luma: luma.to_vec(), taken: Instant::now() };
    Some(pictures.chunks_exact(640 * 480).map(frame).collect())
}

#[test]
fn people_in_a_film_move_and_an_empty_hall_does_not() {
    let Some(path) = shared("images/one-by-one-person-detection.mp4") else { return };
    let Some(pictures) = film(&path, 4) else { return };
    let pictures: Vec<&Frame> = pictures.iter().take(160).collect();
    let patience = Patience { leave: Duration::from_secs(4), ..habits().patience };
    let motion = Box::new(Motion::default());
    let seen = watch(&mut Eyes::new(motion, Habits { patience, ..habits() }), &pictures);
    let present = seen.iter().filter(|sight| sight.present).count();
    println!("somebody moves in {present} of {} pictures", seen.len());
    assert!(present > 10, "somebody moves in {present} of {} pictures", seen.len());
    let still = vec![pictures[0]; 40];
    let patience = Patience { leave: Duration::from_secs(4), ..habits().patience };
    let motion = Box::new(Motion::default());
    let seen = watch(&mut Eyes::new(motion, Habits { patience, ..habits() }), &still);
    assert!(seen.iter().all(|sight| !sight.present), "a photograph of a hall");
}
