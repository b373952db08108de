//! Text to tokens and back, by the vocabulary in the model file.

mod bpe;
mod pretokenize;
mod spm;
mod stream;

pub use stream::TextStream;

use crate::error::StartError;
use crate::gguf::Metadata;
use bpe::Bpe;
use spm::Spm;
use std::collections::HashMap;

/// Kinds of tokens by their numbers in the file.
const CONTROL: i64 = 3;
const USER_DEFINED: i64 = 4;
const BYTE: i64 = 6;

pub struct Tokenizer {
    method: Method,
    /// What each token stands for, as bytes; control tokens stand for nothing.
    pieces: Vec<Vec<u8>>,
    /// Control and user-defined tokens by their text, the longest first.
    special: Vec<(String, u32)>,
    control: Vec<bool>,
    begin: Option<u32>,
    adds_begin: bool,
    ends: Vec<u32>,
}

enum Method {
    Bpe(Bpe),
    Spm(Spm),
}

/// A piece of a prompt: markup of the template, or text from outside, in which the names of
/// control tokens are nothing but text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    Markup(String),
    Text(String),
}

impl Tokenizer {
    pub fn from_metadata(metadata: &Metadata) -> Result<Self, StartError> {
        let tokens = metadata.texts("tokenizer.ggml.tokens").unwrap_or_default();
        let kinds = metadata.integers("tokenizer.ggml.token_type").unwrap_or_default();
        let kind = |token: usize| kinds.get(token).copied().unwrap_or(1);
        let method = match metadata.text("tokenizer.ggml.model") {
            Some("gpt2") => Method::Bpe(Bpe::from_metadata(metadata, words(tokens, kind))?),
            Some("llama") => Method::Spm(Spm::from_metadata(metadata, tokens, kind)),
            other => {
                return Err(StartError::new(
                    format!("the tokenizer {} is not supported", other.unwrap_or("(none)").escape_debug()),
                    "Supported: BPE (gpt2) and SentencePiece (llama) vocabularies",
                ));
            }
        };
        let pieces = tokens
            .iter()
            .enumerate()
            .map(|(token, text)| match (kind(token), &method) {
                (CONTROL, _) => Vec::new(),
                (USER_DEFINED, _) => text.clone().into_bytes(),
                (BYTE, _) => spm::byte_of(text).map(|byte| vec![byte]).unwrap_or_default(),
                (_, Method::Bpe(_)) => bpe::bytes_of(text),
                (_, Method::Spm(_)) => spm::bytes_of(text),
            })
            .collect();
        let special = special_tokens(tokens, kind);
        let control = (0..tokens.len()).map(|token| kind(token) == CONTROL).collect();
        let adds_begin =
            metadata.flag("tokenizer.ggml.add_bos_token").unwrap_or(matches!(method, Method::Spm(_)));
        let known = |key: &str| token_id(metadata, key, tokens.len());
        let begin = known("tokenizer.ggml.bos_token_id");
        let mut ends: Vec<u32> = ["eos_token_id", "eot_token_id", "eom_token_id"]
            .iter()
            .filter_map(|key| known(&format!("tokenizer.ggml.{key}")))
            .collect();
        // Older files name only one end; these end a turn wherever they exist.
        let turns = ["<|im_end|>", "<|eot_id|>", "<|end_of_text|>", "<|endoftext|>"];
        ends.extend(
            special.iter().filter(|(text, _)| turns.contains(&text.as_str())).map(|(_, token)| *token),
        );
        Ok(Self { method, pieces, special, control, begin, adds_begin, ends })
    }

    pub fn vocabulary(&self) -> usize {
        self.pieces.len()
    }

    /// Does this token end what the model has to say?
    pub fn is_end(&self, token: u32) -> bool {
        self.ends.contains(&token)
    }

    pub fn piece(&self, token: u32) -> &[u8] {
        self.pieces.get(token as usize).map_or(&[], Vec::as_slice)
    }

    /// Tokens of a prompt, with the token of the begin where the model wants it.
    pub fn encode(&self, segments: &[Segment]) -> Vec<u32> {
        let begin = self.begin.filter(|_| self.adds_begin);
        let mut tokens: Vec<u32> = begin.into_iter().collect();
        // A space is put before the very first text, and after a special token.
        let mut starts = true;
        for segment in segments {
            let (text, markup) = match segment {
                Segment::Markup(text) => (text, true),
                Segment::Text(text) => (text, false),
            };
            self.encode_text(text, markup, &mut starts, &mut tokens);
        }
        if begin.is_some() && tokens.get(1) == begin.as_ref() {
            // The template wrote the begin itself.
            tokens.remove(0);
        }
        tokens
    }

    fn encode_text(&self, text: &str, markup: bool, starts: &mut bool, tokens: &mut Vec<u32>) {
        let mut rest = text;
        while !rest.is_empty() {
            let next = self.next_special(rest, markup);
            let plain = &rest[..next.map_or(rest.len(), |(at, _, _)| at)];
            if !plain.is_empty() {
                match &self.method {
                    Method::Bpe(bpe) => bpe.encode(plain, tokens),
                    Method::Spm(spm) => spm.encode(plain, *starts, tokens),
                }
                *starts = false;
            }
            let Some((at, length, token)) = next else { break };
            tokens.push(token);
            *starts = true;
            rest = &rest[at + length..];
        }
    }

    /// The first special token in the text: where, how long, which.
    fn next_special(&self, text: &str, markup: bool) -> Option<(usize, usize, u32)> {
        let mut first: Option<(usize, usize, u32)> = None;
        for (name, token) in &self.special {
            if self.control[*token as usize] && !markup {
                continue;
            }
            // Longest names come first, so an equal place does not replace.
            if let Some(at) = text.find(name.as_str())
                && first.is_none_or(|(earlier, _, _)| at < earlier)
            {
                first = Some((at, name.len(), *token));
            }
        }
        first
    }
}

fn special_tokens(tokens: &[String], kind: impl Fn(usize) -> i64) -> Vec<(String, u32)> {
    let mut special: Vec<(String, u32)> = tokens
        .iter()
        .zip(0_u32..)
        .filter(|(text, token)| !text.is_empty() && matches!(kind(*token as usize), CONTROL | USER_DEFINED))
        .map(|(text, token)| (text.clone(), token))
        .collect();
    special.sort_by(|left, right| right.0.len().cmp(&left.0.len()).then(left.1.cmp(&right.1)));
    special
}

/// What a text may be made of: tokens by their text, the first of equal ones. Control tokens and
/// bytes do not stand for the text that names them.
fn words(tokens: &[String], kind: impl Fn(usize) -> i64) -> HashMap<String, u32> {
    let mut words = HashMap::with_capacity(tokens.len());
    for (text, token) in tokens.iter().zip(0_u32..) {
        if !matches!(kind(token as usize), CONTROL | BYTE) {
            words.entry(text.clone()).or_insert(token);
        }
    }
    words
}

fn token_id(metadata: &Metadata, key: &str, vocabulary: usize) -> Option<u32> {
    let id = metadata.count(key, 0, vocabulary.checked_sub(1)?).ok().flatten()?;
    u32::try_from(id).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gguf::Value;

    /// A tokenizer of these tokens and kinds; merges stand where a token can be made of two.
    fn tokenizer(model: &str, tokens: &[(&str, i64)], merges: &[&str]) -> Tokenizer {
        let texts = |texts: Vec<&str>| Value::Texts(texts.into_iter().map(str::to_owned).collect());
        let entries = [
            ("model", Value::Text(model.to_owned())),
            ("pre", Value::Text("llama-bpe".to_owned())),
            ("tokens", texts(tokens.iter().map(|(text, _)| *text).collect())),
            ("token_type", Value::Integers(tokens.iter().map(|(_, kind)| *kind).collect())),
            ("merges", texts(merges.to_vec())),
        ];
        let entries = entries.map(|(key, value)| (format!("tokenizer.ggml.{key}"), value));
        Tokenizer::from_metadata(&Metadata(entries.into_iter().collect())).unwrap()
    }

    fn text_tokens(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
        tokenizer.encode(&[Segment::Text(text.to_owned())])
    }

    #[test]
    fn text_from_outside_is_never_merged_into_a_control_token() {
        let spm = tokenizer("llama", &[("\u{2581}", 1), ("x", 1), ("y", 1), ("xy", CONTROL)], &[]);
        assert_eq!(text_tokens(&spm, "xy"), [0, 1, 2]);
        let bpe = tokenizer("gpt2", &[("x", 1), ("y", 1), ("xy", CONTROL)], &["x y"]);
        assert_eq!(text_tokens(&bpe, "xy"), [0, 1]);
        let markup = bpe.encode(&[Segment::Markup("xy".to_owned())]);
        assert_eq!(markup, [2]);
    }

    #[test]
    fn a_control_token_of_one_character_is_no_character_of_a_text() {
        let tokens = [("\u{2581}", 1), ("<", CONTROL), ("<0x3C>", CONTROL), ("<0x3C>", BYTE)];
        assert_eq!(text_tokens(&tokenizer("llama", &tokens, &[]), "<"), [0, 3]);
    }

    #[test]
    fn text_that_spells_the_name_of_a_byte_stays_text() {
        let pieces = ["\u{2581}", "<", "0", "x", "4", "1", ">", "<0", "<0x", "<0x4", "<0x41"];
        let mut tokens: Vec<(&str, i64)> = pieces.iter().map(|piece| (*piece, 1)).collect();
        tokens.push(("<0x41>", BYTE));
        let spm = tokenizer("llama", &tokens, &[]);
        assert_eq!(text_tokens(&spm, "<0x41>"), [0, 10, 6]);
        assert_eq!(text_tokens(&spm, "A"), [0, 11]);
    }

    #[test]
    fn a_file_that_names_no_begin_loses_no_token() {
        let spm = tokenizer("llama", &[("\u{2581}", 1), ("x", USER_DEFINED)], &[]);
        assert_eq!(text_tokens(&spm, "xx"), [1, 1]);
    }
}
