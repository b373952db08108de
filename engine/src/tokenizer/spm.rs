//! `SentencePiece` vocabularies: characters merged by the score of what they become.

use super::bpe::Chain;
use super::{CONTROL, words};
use crate::gguf::Metadata;
use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};

/// How a space is spelled in the vocabulary.
const SPACE: &str = "\u{2581}";

pub struct Spm {
    words: HashMap<String, u32>,
    texts: Vec<String>,
    scores: Vec<f32>,
    bytes: Vec<Option<u32>>,
    unknown: Option<u32>,
    adds_space: bool,
}

/// Two symbols that may become one; the highest score goes first, then the leftmost.
struct Merge {
    score: f32,
    left: usize,
    right: usize,
    /// The symbols when this was proposed: if they have changed, it is out of date.
    pair: (u32, u32),
    both: u32,
}

impl Spm {
    /// `kind`: of a token by its number.
    pub fn from_metadata(metadata: &Metadata, tokens: &[String], kind: impl Fn(usize) -> i64) -> Self {
        let scores = metadata.floats("tokenizer.ggml.scores").unwrap_or_default();
        let mut bytes = vec![None; 256];
        for (text, token) in tokens.iter().zip(0_u32..) {
            if kind(token as usize) != CONTROL
                && let Some(byte) = byte_of(text)
            {
                bytes[usize::from(byte)].get_or_insert(token);
            }
        }
        Self {
            texts: tokens.to_vec(),
            scores: (0..tokens.len()).map(|token| scores.get(token).copied().unwrap_or(0.0)).collect(),
            bytes,
            unknown: super::token_id(metadata, "tokenizer.ggml.unknown_token_id", tokens.len()),
            adds_space: metadata.flag("tokenizer.ggml.add_space_prefix").unwrap_or(true),
            words: words(tokens, kind),
        }
    }

    /// `starts`: this text begins the prompt or follows a special token.
    pub fn encode(&self, text: &str, starts: bool, tokens: &mut Vec<u32>) {
        let spelled = text.replace(' ', SPACE);
        let spelled = if starts && self.adds_space { format!("{SPACE}{spelled}") } else { spelled };
        // Characters outside the vocabulary part the text: nothing is merged across them.
        let mut run = Vec::new();
        for each in spelled.chars() {
            let mut buffer = [0; 4];
            let text = each.encode_utf8(&mut buffer);
            if let Some(token) = self.words.get(text) {
                run.push(*token);
            } else {
                self.merge(std::mem::take(&mut run), tokens);
                self.spell(text, tokens);
            }
        }
        self.merge(run, tokens);
    }

    fn merge(&self, run: Vec<u32>, tokens: &mut Vec<u32>) {
        let mut chain = Chain::new(run);
        let mut heap: BinaryHeap<Merge> =
            (0..chain.len()).filter_map(|left| self.candidate(&chain, left)).collect();
        while let Some(merge) = heap.pop() {
            if chain.pair(merge.left) != Some((merge.right, merge.pair)) {
                continue;
            }
            chain.merge(merge.left, merge.right, merge.both);
            heap.extend(chain.previous(merge.left).and_then(|before| self.candidate(&chain, before)));
            heap.extend(self.candidate(&chain, merge.left));
        }
        tokens.extend(chain.rest());
    }

    fn candidate(&self, chain: &Chain, left: usize) -> Option<Merge> {
        let (right, pair) = chain.pair(left)?;
        let both = format!("{}{}", self.texts[pair.0 as usize], self.texts[pair.1 as usize]);
        let both = *self.words.get(&both)?;
        Some(Merge { score: self.scores[both as usize], left, right, pair, both })
    }

    /// A character by its bytes, or as unknown where the vocabulary has no bytes.
    fn spell(&self, text: &str, tokens: &mut Vec<u32>) {
        for byte in text.bytes() {
            tokens.extend(self.bytes[usize::from(byte)].or(self.unknown));
        }
    }
}

impl Ord for Merge {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then(other.left.cmp(&self.left))
    }
}

impl PartialOrd for Merge {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Merge {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Merge {}

pub fn bytes_of(token: &str) -> Vec<u8> {
    token.replace(SPACE, " ").into_bytes()
}

/// The byte that `<0x41>` means.
pub fn byte_of(token: &str) -> Option<u8> {
    let digits = token.strip_prefix("<0x")?.strip_suffix('>')?;
    // Digits alone: `from_str_radix` would take a sign, too.
    let plain = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    plain.then(|| u8::from_str_radix(digits, 16).ok()).flatten()
}
