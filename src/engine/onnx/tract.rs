//! Models computed by tract: pure Rust, on the CPU.

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result, anyhow};
use tract_onnx::prelude::{Datum, InferenceModelExt, IntoRunnable, IntoTensor, tract_ndarray};
use tract_onnx::{pb, prelude as tract};

use super::{Contract, Kind, Tensor};

pub(super) struct Session {
    plan: Arc<tract::TypedRunnableModel>,
    /// Names of the inputs in the order in which the plan takes them.
    inputs: Vec<String>,
    kinds: Vec<Kind>,
}

impl Session {
    pub(super) fn new(graph: &pb::ModelProto, path: &Path, contract: &Contract) -> Result<Self> {
        let folder = path.parent().and_then(Path::to_str);
        // Types and shapes noted in the file may be stale after quantisation; tract infers its own.
        let framework = tract_onnx::onnx().with_ignore_value_info(true);
        let mut model = framework.parse(graph, folder)?.model;
        let names: Vec<String> = model
            .input_outlets()?
            .iter()
            .map(|outlet| model.node(outlet.node).name.clone())
            .collect();
        for (index, name) in names.iter().enumerate() {
            let Some(port) = contract.inputs.iter().find(|port| &port.name == name) else {
                continue;
            };
            let mut fact = model.input_fact(index)?.clone();
            for (axis, length) in port.shape.iter().enumerate() {
                if let Some(length) = length {
                    fact.shape.set_dim(axis, (*length).into());
                }
            }
            model.set_input_fact(index, fact)?;
        }
        let outputs: Vec<&str> = contract.outputs.iter().map(|port| port.name.as_str()).collect();
        let model = model.with_outputs_by_name(outputs)?;
        let plan = model.into_optimized()?.into_runnable()?;
        let kinds = contract.outputs.iter().map(|port| port.kind).collect();
        Ok(Self { plan, inputs: names, kinds })
    }

    pub(super) fn run(&mut self, mut inputs: Vec<(&str, Tensor)>) -> Result<Vec<Tensor>> {
        let mut values = tract::tvec!();
        for name in &self.inputs {
            let index = inputs
                .iter()
                .position(|(given, _)| given == name)
                .ok_or_else(|| anyhow!("input {name} is missing"))?;
            values.push(into_tract(inputs.swap_remove(index).1)?.into());
        }
        let outputs = self.plan.run(values)?;
        outputs.into_iter().zip(&self.kinds).map(|(value, kind)| from_tract(value, *kind)).collect()
    }
}

fn into_tract(tensor: Tensor) -> Result<tract::Tensor> {
    Ok(match tensor {
        Tensor::F32 { shape, data } => {
            tract_ndarray::ArrayD::from_shape_vec(shape, data)?.into_tensor()
        }
        Tensor::I64 { shape, data } => {
            tract_ndarray::ArrayD::from_shape_vec(shape, data)?.into_tensor()
        }
    })
}

fn from_tract(value: tract::TValue, kind: Kind) -> Result<Tensor> {
    let tensor = value.into_tensor();
    let shape = tensor.shape().to_vec();
    // Sums of shapes come out as tract's own dimension type.
    let tensor = tensor.cast_to_dt(datum_type(kind))?.into_owned();
    Ok(match kind {
        Kind::F32 => Tensor::F32 { shape, data: numbers(tensor)? },
        Kind::I64 => Tensor::I64 { shape, data: numbers(tensor)? },
    })
}

fn datum_type(kind: Kind) -> tract::DatumType {
    match kind {
        Kind::F32 => f32::datum_type(),
        Kind::I64 => i64::datum_type(),
    }
}

/// The numbers without a copy where the array lies in memory in its own order.
fn numbers<T: tract::Datum + Clone>(tensor: tract::Tensor) -> Result<Vec<T>> {
    let array = tensor.into_plain_array::<T>().context("tract made another type than expected")?;
    if array.is_standard_layout() {
        let (numbers, offset) = array.into_raw_vec_and_offset();
        if offset.unwrap_or(0) == 0 {
            return Ok(numbers);
        }
        return Ok(numbers.into_iter().skip(offset.unwrap_or(0)).collect());
    }
    Ok(array.iter().cloned().collect())
}
