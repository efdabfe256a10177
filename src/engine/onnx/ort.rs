//! Models computed by ONNX Runtime, which is opened at run time when it is there.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock},
};

use anyhow::{Context, Result, anyhow};
use ort::{
    environment::Environment,
    logging::LogLevel,
    session::{Session as OrtSession, builder::GraphOptimizationLevel},
    value::{DynValue, Tensor as OrtTensor},
};

use super::{Contract, Kind, Tensor};

/// ONNX Runtime, opened. It exists once in a process, as the library itself does.
#[derive(Clone)]
pub struct Library {
    path: PathBuf,
    environment: Arc<Environment>,
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Library").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Library {
    /// Opens the library at `path`; a second call in the same process returns the first's library.
    ///
    /// # Errors
    /// It cannot be opened, or it is older than the interface that we need (1.24).
    pub fn open(path: &Path) -> Result<Self> {
        // The library keeps one environment in a process and refuses a second.
        static OPENED: OnceLock<Library> = OnceLock::new();
        static OPENING: Mutex<()> = Mutex::new(());
        let _one_at_a_time =
            OPENING.lock().map_err(|_| anyhow!("opening it has panicked before"))?;
        if let Some(library) = OPENED.get() {
            return Ok(library.clone());
        }
        let environment = ort::init_from(path)
            .with_context(|| format!("failed to open ONNX Runtime at {}", path.display()))?
            .with_name("linly-edge")
            .with_telemetry(false)
            .build()
            .map_err(|error| anyhow!("failed to start ONNX Runtime: {error}"))?;
        let library = Self { path: path.to_owned(), environment: Arc::new(environment) };
        Ok(OPENED.get_or_init(|| library).clone())
    }

    /// The places where the library is looked for when the configuration names none, in order.
    pub fn places() -> Vec<PathBuf> {
        let mut places = Vec::new();
        if let Some(path) = std::env::var_os("ORT_DYLIB_PATH") {
            places.push(PathBuf::from(path));
        }
        if let Some(folder) = std::env::current_exe().ok().as_deref().and_then(Path::parent) {
            places.push(folder.join("libonnxruntime.so"));
        }
        for folder in [
            "/usr/lib/linly-edge",
            "/usr/local/lib",
            "/usr/lib/aarch64-linux-gnu",
            "/usr/lib/x86_64-linux-gnu",
            "/usr/lib",
        ] {
            places.push(Path::new(folder).join("libonnxruntime.so"));
        }
        places
    }

    /// The first of [`Self::places`] that exists.
    pub fn find() -> Option<PathBuf> {
        Self::places().into_iter().find(|path| path.is_file())
    }

    /// Where it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

pub(super) struct Session {
    session: OrtSession,
    outputs: Vec<(String, Kind)>,
}

impl Session {
    pub(super) fn new(
        library: &Library,
        path: &Path,
        contract: &Contract,
        threads: usize,
    ) -> Result<Self> {
        let session = build(library, path, threads).map_err(|error| anyhow!("{error}"))?;
        let outputs = contract.outputs.iter().map(|port| (port.name.clone(), port.kind)).collect();
        Ok(Self { session, outputs })
    }

    pub(super) fn run(&mut self, inputs: Vec<(&str, Tensor)>) -> Result<Vec<Tensor>> {
        let inputs = inputs
            .into_iter()
            .map(|(name, tensor)| Ok((name.to_owned(), into_ort(tensor)?)))
            .collect::<Result<Vec<(String, DynValue)>>>()?;
        let outputs = self.session.run(inputs).map_err(|error| anyhow!("{error}"))?;
        self.outputs
            .iter()
            .map(|(name, kind)| {
                let value = outputs.get(name).ok_or_else(|| anyhow!("output {name} is missing"))?;
                from_ort(value, *kind)
            })
            .collect()
    }
}

fn build(library: &Library, path: &Path, threads: usize) -> ort::Result<OrtSession> {
    let mut builder = OrtSession::builder(&library.environment)?
        .with_log_level(LogLevel::Error)?
        .with_optimization_level(GraphOptimizationLevel::Level3)?
        .with_intra_threads(threads)?
        // A thread that spins while it waits would take a core from the other models.
        .with_intra_op_spinning(false)?;
    builder.commit_from_file(path)
}

fn into_ort(tensor: Tensor) -> Result<DynValue> {
    match tensor {
        Tensor::F32 { shape, data } => {
            OrtTensor::from_array((shape, data)).map(OrtTensor::into_dyn)
        }
        Tensor::I64 { shape, data } => {
            OrtTensor::from_array((shape, data)).map(OrtTensor::into_dyn)
        }
    }
    .map_err(|error| anyhow!("{error}"))
}

fn from_ort(value: &DynValue, kind: Kind) -> Result<Tensor> {
    let shape =
        |shape: &[i64]| shape.iter().map(|axis| usize::try_from(*axis).unwrap_or(0)).collect();
    Ok(match kind {
        Kind::F32 => {
            let (axes, data) =
                value.try_extract_tensor::<f32>().map_err(|error| anyhow!("{error}"))?;
            Tensor::F32 { shape: shape(axes), data: data.to_vec() }
        }
        Kind::I64 => {
            let (axes, data) =
                value.try_extract_tensor::<i64>().map_err(|error| anyhow!("{error}"))?;
            Tensor::I64 { shape: shape(axes), data: data.to_vec() }
        }
    })
}
