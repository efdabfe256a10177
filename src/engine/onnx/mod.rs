//! ONNX models behind one interface. This folder alone knows an ONNX runtime.

mod ort;
mod tract;

use std::{
    fmt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use tract_onnx::{
    pb::{self, tensor_shape_proto::dimension, type_proto},
    prelude::Framework as _,
};

pub use ort::Library;

/// A runtime that computes models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Backend {
    /// Pure Rust, on the CPU, always there.
    Tract,
    /// ONNX Runtime, loaded at run time.
    Ort,
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tract => "tract",
            Self::Ort => "ort",
        })
    }
}

/// How to compute a model.
#[derive(Clone, Debug)]
pub struct Options {
    /// ONNX Runtime; without it the model is computed by tract.
    pub library: Option<Library>,
    /// Threads of one model run; tract always uses one.
    pub threads: usize,
}

impl Options {
    /// Pure Rust, one thread.
    pub fn tract() -> Self {
        Self { library: None, threads: 1 }
    }

    /// ONNX Runtime with `threads` threads.
    pub fn ort(library: Library, threads: usize) -> Self {
        Self { library: Some(library), threads }
    }

    /// Memory of the GPU that each model takes, as far as the runtime tells. Both compute on the CPU,
    /// where ONNX Runtime stays unless it is given another provider, so it is 0.
    pub fn gpu_memory_bytes(&self) -> Option<u64> {
        match self.backend() {
            Backend::Tract | Backend::Ort => Some(0),
        }
    }

    /// Which runtime these options choose.
    pub fn backend(&self) -> Backend {
        if self.library.is_some() { Backend::Ort } else { Backend::Tract }
    }
}

/// What the numbers of a tensor are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 32-bit floating point.
    F32,
    /// 64-bit signed integers.
    I64,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "float32",
            Self::I64 => "int64",
        })
    }
}

/// Numbers with a shape, rows last.
#[derive(Clone, Debug, PartialEq)]
pub enum Tensor {
    /// 32-bit floating point.
    F32 {
        /// Length of each axis.
        shape: Vec<usize>,
        /// As many as the product of `shape`.
        data: Vec<f32>,
    },
    /// 64-bit signed integers.
    I64 {
        /// Length of each axis.
        shape: Vec<usize>,
        /// As many as the product of `shape`.
        data: Vec<i64>,
    },
}

impl Tensor {
    /// Floating-point numbers of a shape.
    pub fn f32(shape: &[usize], data: Vec<f32>) -> Self {
        Self::F32 { shape: shape.to_vec(), data }
    }

    /// Integers of a shape.
    pub fn i64(shape: &[usize], data: Vec<i64>) -> Self {
        Self::I64 { shape: shape.to_vec(), data }
    }

    /// Length of each axis.
    pub fn shape(&self) -> &[usize] {
        match self {
            Self::F32 { shape, .. } | Self::I64 { shape, .. } => shape,
        }
    }

    /// What its numbers are.
    pub fn kind(&self) -> Kind {
        match self {
            Self::F32 { .. } => Kind::F32,
            Self::I64 { .. } => Kind::I64,
        }
    }

    /// Its numbers, if they are floating point.
    pub fn as_f32(&self) -> Result<&[f32]> {
        match self {
            Self::F32 { data, .. } => Ok(data),
            Self::I64 { .. } => bail!("a tensor of float32 was expected, not of int64"),
        }
    }
}

/// An input or an output of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its name in the graph.
    pub name: String,
    /// What its numbers are.
    pub kind: Kind,
    /// Length of each axis; `None` where it varies.
    pub shape: Vec<Option<usize>>,
}

/// A port of a contract.
pub fn port(name: &str, kind: Kind, shape: &[Option<usize>]) -> Port {
    Port { name: name.to_owned(), kind, shape: shape.to_vec() }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}[", self.name, self.kind)?;
        for (i, axis) in self.shape.iter().enumerate() {
            let comma = if i > 0 { ", " } else { "" };
            match axis {
                Some(length) => write!(f, "{comma}{length}")?,
                None => write!(f, "{comma}?")?,
            }
        }
        f.write_str("]")
    }
}

/// What goes into a model and what comes out: what an engine asks for, or what a file offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contract {
    /// In any order.
    pub inputs: Vec<Port>,
    /// In the order in which `Model::run` hands them out.
    pub outputs: Vec<Port>,
}

impl Contract {
    /// What the file offers, read from its header.
    ///
    /// # Errors
    /// The file cannot be read or is no ONNX model.
    pub fn of_file(path: &Path) -> Result<Self> {
        Self::of_graph(&read(path)?)
    }

    fn of_graph(model: &pb::ModelProto) -> Result<Self> {
        let graph =
            model.graph.as_ref().context("the file holds no graph: is it an ONNX model?")?;
        let weights: std::collections::HashSet<&str> =
            graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
        let inputs = graph.input.iter().filter(|input| !weights.contains(input.name.as_str()));
        Ok(Self {
            inputs: inputs.map(port_of).collect::<Result<_>>()?,
            outputs: graph.output.iter().map(port_of).collect::<Result<_>>()?,
        })
    }

    /// Whether what a file `offers` is what this contract asks for; all differences at once.
    fn check(&self, offers: &Self) -> Result<()> {
        let mut differences = Vec::new();
        for (what, asked, offered) in
            [("input", &self.inputs, &offers.inputs), ("output", &self.outputs, &offers.outputs)]
        {
            for port in asked {
                match offered.iter().find(|offer| offer.name == port.name) {
                    None => differences.push(format!("no {what} {port}")),
                    Some(offer) if !fits(port, offer) => {
                        differences.push(format!("{what} {offer} where {port} is needed"));
                    }
                    Some(_) => {}
                }
            }
        }
        for offer in &offers.inputs {
            if !self.inputs.iter().any(|port| port.name == offer.name) {
                differences.push(format!("an input that nobody fills: {offer}"));
            }
        }
        ensure!(differences.is_empty(), "the model has {}", differences.join("; "));
        Ok(())
    }
}

fn fits(asked: &Port, offered: &Port) -> bool {
    asked.kind == offered.kind
        && (offered.shape.is_empty()
            || asked.shape.len() == offered.shape.len()
                && asked.shape.iter().zip(&offered.shape).all(|pair| match pair {
                    (Some(asked), Some(offered)) => asked == offered,
                    _ => true,
                }))
}

fn port_of(info: &pb::ValueInfoProto) -> Result<Port> {
    let Some(type_proto::Value::TensorType(tensor)) =
        info.r#type.as_ref().and_then(|kind| kind.value.as_ref())
    else {
        bail!("{} has no tensor type", info.name);
    };
    // Numbers of the ONNX standard's TensorProto.DataType.
    let kind = match tensor.elem_type {
        1 => Kind::F32,
        7 => Kind::I64,
        other => bail!("{} has element type {other}; float32 and int64 are supported", info.name),
    };
    let axes = tensor.shape.as_ref().map_or(&[][..], |shape| &shape.dim);
    let shape = axes.iter().map(|axis| match axis.value {
        Some(dimension::Value::DimValue(length)) => usize::try_from(length).ok(),
        _ => None,
    });
    Ok(Port { name: info.name.clone(), kind, shape: shape.collect() })
}

fn read(path: &Path) -> Result<pb::ModelProto> {
    let mut file =
        std::fs::File::open(path).with_context(|| format!("failed to open {}", path.display()))?;
    tract_onnx::onnx()
        .proto_model_for_read(&mut file)
        .with_context(|| format!("{} is no ONNX model", path.display()))
}

/// A model, ready to compute.
pub struct Model {
    path: PathBuf,
    outputs: usize,
    session: Session,
}

enum Session {
    Tract(tract::Session),
    Ort(ort::Session),
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model")
            .field("path", &self.path)
            .field("backend", &self.backend())
            .finish_non_exhaustive()
    }
}

impl Model {
    /// Loads the model at `path`, which must fulfil `contract`.
    ///
    /// # Errors
    /// The file is missing, is no ONNX model, differs from the contract, or uses an operator that the
    /// runtime lacks.
    pub fn load(path: &Path, contract: &Contract, options: &Options) -> Result<Self> {
        let graph = read(path)?;
        Contract::of_graph(&graph)
            .and_then(|offers| contract.check(&offers))
            .with_context(|| format!("{} does not fit this engine", path.display()))?;
        let session = match &options.library {
            None => tract::Session::new(&graph, path, contract).map(Session::Tract),
            Some(library) => {
                ort::Session::new(library, path, contract, options.threads).map(Session::Ort)
            }
        };
        let session = session
            .with_context(|| format!("{} failed to load {}", options.backend(), path.display()))?;
        Ok(Self { path: path.to_owned(), outputs: contract.outputs.len(), session })
    }

    /// Which runtime computes it.
    pub fn backend(&self) -> Backend {
        match self.session {
            Session::Tract(_) => Backend::Tract,
            Session::Ort(_) => Backend::Ort,
        }
    }

    /// Computes the outputs, in the order of the contract.
    ///
    /// # Errors
    /// An input is missing or has a wrong shape.
    pub fn run(&mut self, inputs: Vec<(&str, Tensor)>) -> Result<Vec<Tensor>> {
        let outputs = match &mut self.session {
            Session::Tract(session) => session.run(inputs),
            Session::Ort(session) => session.run(inputs),
        }
        .with_context(|| format!("failed to compute {}", self.path.display()))?;
        debug_assert_eq!(outputs.len(), self.outputs);
        Ok(outputs)
    }
}
