//! `pack.toml`: which models are in a folder, their files, hashes and licences.

use std::{
    fmt,
    io::Read,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow, ensure};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::media::Step;

/// Name of the list in a pack's folder.
const LIST: &str = "pack.toml";

/// A folder of models.
#[derive(Clone, Debug)]
pub struct Pack {
    /// Where it is.
    pub folder: PathBuf,
    /// The models in it.
    pub models: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    #[serde(rename = "model")]
    models: Vec<Entry>,
}

/// A model of a pack.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The step that it is for.
    pub kind: Kind,
    /// Its name in reports and metrics.
    pub name: String,
    /// The contract that it fulfils, which says who can read it.
    pub engine: String,
    /// ISO 639-1 codes of the languages that it knows; none for a face.
    #[serde(default)]
    pub language: Vec<String>,
    /// Samples a second of the sound that it takes or makes; 0 where there is none.
    #[serde(default)]
    pub sample_rate: u32,
    /// How its weights are stored.
    pub quantisation: String,
    /// SPDX identifier.
    pub licence: String,
    /// Its files.
    pub files: Vec<File>,
}

/// The step that a model is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Recognition.
    Asr,
    /// The language model.
    Llm,
    /// The voice.
    Tts,
    /// The face.
    Face,
    /// What finds faces in the camera's pictures; a pack may do without.
    Vision,
}

impl From<Step> for Kind {
    fn from(step: Step) -> Self {
        match step {
            Step::Asr => Self::Asr,
            Step::Llm => Self::Llm,
            Step::Tts => Self::Tts,
            Step::Face => Self::Face,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Asr => "asr",
            Self::Llm => "llm",
            Self::Tts => "tts",
            Self::Face => "face",
            Self::Vision => "vision",
        })
    }
}

/// A file of a model.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Its name in the pack's folder.
    pub path: String,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
}

/// The places where something that ships with the program is looked for, in order: beside the
/// program, where packages put it, in the checkout that the program was built in, and in the folder
/// that it was started in. `what` is for example `models/starter`.
pub fn places(what: &str) -> Vec<PathBuf> {
    let program = std::env::current_exe().ok();
    let mut places = Vec::new();
    let beside = program.as_deref().and_then(Path::parent);
    places.extend(beside.map(|folder| folder.join(what)));
    places.push(Path::new("/usr/share/linly-edge").join(what));
    // `target/release/linly-edge` and `target/release/deps/a_test` lie in a checkout.
    let checkouts = beside.into_iter().flat_map(Path::ancestors).skip(1).take(3);
    places.extend(
        checkouts.filter(|folder| folder.join("Cargo.toml").is_file()).map(|f| f.join(what)),
    );
    places.extend(std::env::current_dir().ok().map(|folder| folder.join(what)));
    let mut seen = std::collections::HashSet::new();
    places.retain(|place| seen.insert(place.clone()));
    places
}

/// The first of [`places`] that has `file`; an error names them all.
pub fn find(what: &str, file: &str) -> Result<PathBuf> {
    let places = places(what);
    places.iter().find(|place| place.join(file).is_file()).cloned().ok_or_else(|| {
        let looked: String =
            places.iter().map(|place| format!("\n  {}", place.display())).collect();
        anyhow!("{what}/{file} was not found; looked in:{looked}")
    })
}

impl Pack {
    /// The pack that ships with the program.
    ///
    /// # Errors
    /// It is nowhere, or its list is wrong.
    pub fn starter() -> Result<Self> {
        Self::open(&find("models/starter", LIST)?)
    }

    /// The pack in a folder. Only its list is read.
    ///
    /// # Errors
    /// There is no list, or it is wrong.
    pub fn open(folder: &Path) -> Result<Self> {
        let path = folder.join(LIST);
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!("failed to read {}: a model pack is a folder with a {LIST}", path.display())
        })?;
        let list: List =
            toml::from_str(&text).with_context(|| format!("failed to parse {}", path.display()))?;
        for file in list.models.iter().flat_map(|entry| &entry.files) {
            // A list from elsewhere must not reach out of its folder.
            let plain = Path::new(&file.path).components().count() == 1 && file.path != "..";
            ensure!(plain, "{}: {:?} is no plain file name", path.display(), file.path);
        }
        Ok(Self { folder: folder.to_owned(), models: list.models })
    }

    /// The model for a step.
    ///
    /// # Errors
    /// The pack has none.
    pub fn model(&self, kind: Kind) -> Result<&Entry> {
        self.models.iter().find(|entry| entry.kind == kind).ok_or_else(|| {
            anyhow!("the pack in {} has no model of the kind {kind}", self.folder.display())
        })
    }
}

impl Entry {
    /// Compares size and hash of every file with the list; all differences.
    pub fn problems(&self, folder: &Path) -> Vec<String> {
        self.files.iter().filter_map(|file| file.check(folder).err()).collect()
    }

    /// Fails with all of [`Self::problems`].
    ///
    /// # Errors
    /// A file is missing or altered.
    pub fn verify(&self, folder: &Path) -> Result<()> {
        let problems = self.problems(folder);
        ensure!(problems.is_empty(), "the model {} is damaged: {}", self.name, problems.join("; "));
        Ok(())
    }

    /// The path of the file whose name ends with `ending`.
    ///
    /// # Errors
    /// The list names no such file.
    pub fn file(&self, folder: &Path, ending: &str) -> Result<PathBuf> {
        let file = self.files.iter().find(|file| file.path.ends_with(ending));
        let file = file.ok_or_else(|| {
            anyhow!("the model {} lists no file that ends with {ending}", self.name)
        })?;
        Ok(folder.join(&file.path))
    }
}

impl File {
    fn check(&self, folder: &Path) -> Result<(), String> {
        let path = folder.join(&self.path);
        let again = "restore it from the package, or run `make starter`";
        let hash = |path: &Path| -> std::io::Result<(u64, String)> {
            let mut file = std::fs::File::open(path)?;
            let (mut hasher, mut buffer, mut bytes) = (Sha256::new(), vec![0; 1 << 16], 0);
            loop {
                let read = file.read(&mut buffer)?;
                if read == 0 {
                    break;
                }
                bytes += read as u64;
                hasher.update(&buffer[..read]);
            }
            let hex = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
            Ok((bytes, hex))
        };
        match hash(&path) {
            Err(error) => Err(format!("{}: {error}: {again}", path.display())),
            Ok((bytes, _)) if bytes != self.bytes => Err(format!(
                "{} has {bytes} bytes instead of {}: {again}",
                path.display(),
                self.bytes
            )),
            Ok((_, sha256)) if sha256 != self.sha256 => {
                Err(format!("{} has been altered (SHA-256 {sha256}): {again}", path.display()))
            }
            Ok(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(list: &str) -> (tempfile::TempDir, Result<Pack>) {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(LIST), list).expect("written");
        std::fs::write(folder.path().join("a.onnx"), "abc").expect("written");
        let pack = Pack::open(folder.path());
        (folder, pack)
    }

    fn list(path: &str, sha256: &str, bytes: u64) -> String {
        format!(
            "[[model]]\nkind = \"asr\"\nname = \"a\"\nengine = \"nemo-ctc\"\nquantisation = \"int8\"\n\
             licence = \"Apache-2.0\"\nfiles = [{{ path = \"{path}\", sha256 = \"{sha256}\", bytes = {bytes} }}]"
        )
    }

    /// SHA-256 of "abc", from FIPS 180-2, appendix B.1.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_whole_file_passes_and_an_altered_or_missing_one_is_named() {
        let (folder, whole) = pack(&list("a.onnx", ABC, 3));
        let whole = whole.expect("a pack");
        let entry = whole.model(Kind::Asr).expect("a model");
        assert!(entry.verify(folder.path()).is_ok());
        assert!(whole.model(Kind::Tts).is_err());
        for (path, sha256, bytes, told) in [
            ("a.onnx", "00", 3, "has been altered"),
            ("a.onnx", ABC, 4, "has 3 bytes instead of 4"),
            ("b.onnx", ABC, 3, "No such file"),
        ] {
            let (folder, pack) = pack(&list(path, sha256, bytes));
            let pack = pack.expect("a pack");
            let error = pack.models[0].verify(folder.path()).expect_err("a problem").to_string();
            assert!(error.contains(told) && error.contains(path), "{error}");
        }
    }

    #[test]
    fn a_list_is_strict_and_stays_in_its_folder() {
        for (list, told) in [
            (list("../a.onnx", ABC, 3), "no plain file name"),
            (list("a.onnx", ABC, 3) + "\ncolour = \"red\"", "unknown field `colour`"),
            ("nonsense".into(), "failed to parse"),
        ] {
            let error = format!("{:#}", pack(&list).1.expect_err("a wrong list"));
            assert!(error.contains(told), "{error}");
        }
    }
}
