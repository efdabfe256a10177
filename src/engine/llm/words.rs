//! A `tokenizer.json`: text to token numbers and back, whole characters at a time.

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use tokenizers::Tokenizer;

/// What ends a reply, in the vocabularies of the public models.
const ENDS: [&str; 4] = ["<|im_end|>", "<|endoftext|>", "</s>", "<|eot_id|>"];

/// The vocabulary of a language model.
#[derive(Debug)]
pub struct Words {
    tokenizer: Tokenizer,
    ends: Vec<u32>,
    folds_case: bool,
}

impl Words {
    /// Loads a `tokenizer.json`.
    ///
    /// # Errors
    /// The file is missing or is no tokenizer.
    pub fn load(path: &Path) -> Result<Self> {
        let bytes =
            std::fs::read(path).with_context(|| format!("failed to read {}", path.display()))?;
        Self::parse(&bytes).with_context(|| format!("{} is no tokenizer.json", path.display()))
    }

    fn parse(bytes: &[u8]) -> Result<Self> {
        let tokenizer = Tokenizer::from_bytes(bytes).map_err(|error| anyhow!("{error}"))?;
        let ends = ENDS.iter().filter_map(|end| tokenizer.token_to_id(end)).collect();
        let mut words = Self { tokenizer, ends, folds_case: false };
        words.folds_case = words.encode("Hello")? == words.encode("hello")?;
        Ok(words)
    }

    /// The token numbers of `text`; names of special tokens in it become those tokens.
    ///
    /// # Errors
    /// The tokenizer cannot take the text apart.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let encoding =
            self.tokenizer.encode_fast(text, false).map_err(|error| anyhow!("{error}"))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The text of `tokens`, without special ones.
    ///
    /// # Errors
    /// A number is not in the vocabulary.
    pub fn decode(&self, tokens: &[u32]) -> Result<String> {
        self.tokenizer.decode(tokens, true).map_err(|error| anyhow!("{error}"))
    }

    /// Tokens in the vocabulary; a model may give numbers for more.
    pub fn count(&self) -> usize {
        self.tokenizer.get_vocab_size(true)
    }

    /// Whether `token` ends a reply.
    pub fn is_end(&self, token: u32) -> bool {
        self.ends.contains(&token)
    }

    /// Whether capitals are lost in it.
    pub fn folds_case(&self) -> bool {
        self.folds_case
    }
}

/// Turns tokens into text as they come, and holds back a character that is not whole yet.
#[derive(Debug, Default)]
pub(super) struct Streaming {
    tokens: Vec<u32>,
    given: usize,
}

impl Streaming {
    /// The text that `token` completes; may be empty.
    pub(super) fn push(&mut self, words: &Words, token: u32) -> Result<String> {
        self.tokens.push(token);
        // A reply is short, so that taking it together anew each time costs nothing.
        let text = words.decode(&self.tokens)?;
        let whole = text.trim_end_matches('\u{fffd}').len();
        let new = text.get(self.given..whole).unwrap_or_default().to_owned();
        self.given = self.given.max(whole);
        Ok(new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes as tokens, as in the public byte-level vocabularies, with the text folded or not.
    fn bytes(folded: bool) -> Words {
        let alphabet: Vec<char> =
            tokenizers::pre_tokenizers::byte_level::ByteLevel::alphabet().into_iter().collect();
        let vocabulary: serde_json::Map<String, serde_json::Value> =
            alphabet.iter().enumerate().map(|(i, c)| (c.to_string(), i.into())).collect();
        let normalizer = folded.then(|| serde_json::json!({"type": "Lowercase"}));
        let level = serde_json::json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true});
        let special = |id: usize, content: &str| serde_json::json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true});
        let json = serde_json::json!({
            "version": "1.0", "truncation": null, "padding": null,
            "added_tokens": [special(256, "<|im_start|>"), special(257, "<|im_end|>")],
            "normalizer": normalizer, "pre_tokenizer": level, "post_processor": null, "decoder": level,
            "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
                      "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
                      "vocab": vocabulary, "merges": []},
        });
        Words::parse(json.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn characters_come_whole() {
        let words = bytes(false);
        let text = "Zürich 二楼 ok";
        let tokens = words.encode(text).unwrap();
        assert!(tokens.len() > text.chars().count());
        let mut streaming = Streaming::default();
        let mut heard = String::new();
        for token in tokens {
            let piece = streaming.push(&words, token).unwrap();
            assert!(!piece.contains('\u{fffd}'));
            heard.push_str(&piece);
        }
        assert_eq!(heard, text);
    }

    #[test]
    fn special_tokens_are_known() {
        let words = bytes(true);
        assert!(words.folds_case() && !bytes(false).folds_case());
        let tokens = words.encode("a<|im_end|>").unwrap();
        assert_eq!(tokens.len(), 2);
        assert!(words.is_end(tokens[1]) && !words.is_end(tokens[0]));
        assert_eq!(words.decode(&tokens).unwrap(), "a");
    }

    #[test]
    fn other_files_are_refused() {
        assert!(Words::parse(b"{}").is_err());
        assert!(
            Words::load(Path::new("/nowhere.json"))
                .unwrap_err()
                .to_string()
                .contains("/nowhere.json")
        );
    }
}
