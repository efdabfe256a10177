//! A decoder with the inputs and outputs of the public Qwen2.5 and `SmolLM2` exports, and its memory of
//! the tokens it has read.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::engine::onnx::{Contract, Kind, Model, Options, Tensor, port};

/// Reads tokens and says how likely each token of the vocabulary is to come next.
#[derive(Debug)]
pub struct Decoder {
    model: Model,
    /// Names of the inputs that hold what was read, in the order of the outputs that replace them.
    past: Vec<String>,
    heads: usize,
    head: usize,
    takes_positions: bool,
    /// The tokens read so far, …
    tokens: Vec<u32>,
    /// … and for each of them its keys and values, `[1, heads, tokens, head]`, a layer's two in turn.
    memory: Vec<Tensor>,
}

impl Decoder {
    /// Loads the model at `path`; its layers and heads are read from the file.
    ///
    /// # Errors
    /// The file is missing, is no ONNX model, or has other inputs than such a decoder.
    pub fn load(path: &Path, options: &Options) -> Result<Self> {
        let offers = Contract::of_file(path)?;
        let layers = (0..)
            .take_while(|layer| {
                let name = format!("past_key_values.{layer}.key");
                offers.inputs.iter().any(|port| port.name == name)
            })
            .count();
        let Some(first) = offers.inputs.iter().find(|port| port.name == "past_key_values.0.key")
        else {
            bail!("{} is no decoder: it has no input past_key_values.0.key", path.display());
        };
        let [_, Some(heads), _, Some(head)] = first.shape[..] else {
            bail!("{} does not say how many heads it has: {first}", path.display());
        };
        let takes_positions = offers.inputs.iter().any(|port| port.name == "position_ids");

        let rows = [Some(1), None];
        let mut contract = Contract::default();
        contract.inputs.push(port("input_ids", Kind::I64, &rows));
        contract.inputs.push(port("attention_mask", Kind::I64, &rows));
        if takes_positions {
            contract.inputs.push(port("position_ids", Kind::I64, &rows));
        }
        contract.outputs.push(port("logits", Kind::F32, &[Some(1), None, None]));
        let mut past = Vec::new();
        for layer in 0..layers {
            for part in ["key", "value"] {
                let shape = [Some(1), Some(heads), None, Some(head)];
                let name = format!("past_key_values.{layer}.{part}");
                contract.inputs.push(port(&name, Kind::F32, &shape));
                past.push(name);
                let name = format!("present.{layer}.{part}");
                contract.outputs.push(port(&name, Kind::F32, &shape));
            }
        }
        let model = Model::load(path, &contract, options)?;
        let mut decoder = Self {
            model,
            past,
            heads,
            head,
            takes_positions,
            tokens: Vec::new(),
            memory: Vec::new(),
        };
        decoder.forget(0)?;
        Ok(decoder)
    }

    /// How likely each token is to follow `tokens`, as logits; only what was not read before is read.
    ///
    /// # Errors
    /// `tokens` is empty, or the model fails.
    pub fn read(&mut self, tokens: &[u32]) -> Result<Vec<f32>> {
        ensure!(!tokens.is_empty(), "there is nothing to read");
        let common = self.tokens.iter().zip(tokens).take_while(|(a, b)| a == b).count();
        // The last token is always read: its logits were not kept.
        let known = common.min(tokens.len() - 1);
        self.forget(known)?;
        let new = &tokens[known..];
        let ids = new.iter().map(|token| i64::from(*token)).collect();
        let mut inputs = vec![
            ("input_ids", Tensor::i64(&[1, new.len()], ids)),
            ("attention_mask", Tensor::i64(&[1, tokens.len()], vec![1; tokens.len()])),
        ];
        if self.takes_positions {
            let positions = (known as i64..tokens.len() as i64).collect();
            inputs.push(("position_ids", Tensor::i64(&[1, new.len()], positions)));
        }
        let memory = std::mem::take(&mut self.memory);
        inputs.extend(self.past.iter().map(String::as_str).zip(memory));
        self.tokens.clear();
        let outputs = self.model.run(inputs);
        if outputs.is_err() {
            self.forget(0)?;
        }
        let mut outputs = outputs?.into_iter();
        let logits = outputs.next().context("the model gave no logits")?;
        self.memory = outputs.collect();
        self.tokens.extend_from_slice(tokens);
        let width = logits.shape().last().copied().unwrap_or(0);
        let numbers = logits.as_f32()?;
        ensure!(width > 0 && numbers.len() >= width, "the model gave no logits");
        Ok(numbers[numbers.len() - width..].to_vec())
    }

    /// Keeps what was read of the first `keep` tokens.
    fn forget(&mut self, keep: usize) -> Result<()> {
        if keep == self.tokens.len() && self.memory.len() == self.past.len() {
            return Ok(());
        }
        let shape = [1, self.heads, keep, self.head];
        if keep == 0 || self.memory.len() != self.past.len() {
            self.tokens.clear();
            let empty = Tensor::f32(&[1, self.heads, 0, self.head], Vec::new());
            self.memory = vec![empty; self.past.len()];
            return Ok(());
        }
        for tensor in &mut self.memory {
            let numbers = tensor.as_f32()?;
            let stride = numbers.len() / self.heads;
            let kept = numbers.chunks(stride).flat_map(|head| &head[..keep * self.head]);
            *tensor = Tensor::f32(&shape, kept.copied().collect());
        }
        self.tokens.truncate(keep);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn stories(file: &str) -> Option<PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/models/llm");
        let path = folder.join(file);
        if !path.exists() {
            eprintln!("not run: {} is absent", path.display());
            return None;
        }
        Some(path)
    }

    /// Pieces of the vocabulary in llama2.c's form: longest length, then score, length, bytes each.
    fn pieces(path: &Path) -> Vec<String> {
        let bytes = std::fs::read(path).unwrap();
        let (mut pieces, mut at) = (Vec::new(), 4);
        while at < bytes.len() {
            let length = u32::from_le_bytes(bytes[at + 4..at + 8].try_into().unwrap()) as usize;
            pieces.push(String::from_utf8_lossy(&bytes[at + 8..at + 8 + length]).into_owned());
            at += 8 + length;
        }
        pieces
    }

    fn best(logits: &[f32]) -> u32 {
        (0..logits.len()).max_by(|a, b| logits[*a].total_cmp(&logits[*b])).unwrap() as u32
    }

    #[test]
    fn public_decoder_tells_its_story() {
        let Some(vocabulary) = stories("tok512.bin") else { return };
        let pieces = pieces(&vocabulary);
        for file in ["stories260k.onnx", "stories260k_int8_novi.onnx", "stories260k_q4.onnx"] {
            let Some(path) = stories(file) else { return };
            let mut decoder = Decoder::load(&path, &Options::tract()).unwrap();
            let mut tokens = vec![1];
            for _ in 0..40 {
                let logits = decoder.read(&tokens).unwrap();
                tokens.push(best(&logits));
            }
            let text: String =
                tokens[1..].iter().map(|token| pieces[*token as usize].as_str()).collect();
            assert!(text.trim().starts_with("Once upon a time, there was a"), "{file}: {text}");
            // What was read before is not read again, and changes nothing.
            let again = decoder.read(&tokens[..20]).unwrap();
            decoder.forget(0).unwrap();
            let anew = decoder.read(&tokens[..20]).unwrap();
            let most = again.iter().zip(&anew).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            // Dynamic int8 scales activations by the largest of those computed together, so reading
            // twenty tokens at once rounds otherwise than reading them one by one.
            assert!(most < 0.8, "{file}: {most}");
        }
    }

    #[test]
    fn other_models_are_refused() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/starter/face.onnx");
        let error = Decoder::load(&path, &Options::tract()).unwrap_err();
        assert!(error.to_string().contains("past_key_values.0.key"), "{error:#}");
    }
}
