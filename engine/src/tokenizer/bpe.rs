//! Byte-pair encoding as GPT-2 and its followers do it: words of bytes, merged by rank.

use super::pretokenize::{Pattern, split};
use crate::error::StartError;
use crate::gguf::Metadata;
use std::collections::HashMap;

pub struct Bpe {
    pattern: Pattern,
    /// Whole words that are tokens are taken as such (llama 3).
    whole_words: bool,
    words: HashMap<String, u32>,
    bytes: Vec<Option<u32>>,
    /// Rank and result of merging two tokens.
    merges: HashMap<(u32, u32), (usize, u32)>,
}

impl Bpe {
    /// `words`: the tokens that stand for their text.
    pub fn from_metadata(metadata: &Metadata, words: HashMap<String, u32>) -> Result<Self, StartError> {
        let lines = metadata.texts("tokenizer.ggml.merges").ok_or_else(|| {
            StartError::new(
                "the tokenizer lacks its merges",
                "Convert the model again with a current llama.cpp",
            )
        })?;
        let mut merges = HashMap::with_capacity(lines.len());
        for (rank, line) in lines.iter().enumerate() {
            // The first space after the first character parts them: a piece may begin with one.
            let Some(at) = line.char_indices().skip(1).find(|(_, each)| *each == ' ').map(|(at, _)| at)
            else {
                continue;
            };
            let (left, right) = (&line[..at], &line[at + 1..]);
            let found = (words.get(left), words.get(right), words.get(&format!("{left}{right}")));
            if let (Some(left), Some(right), Some(both)) = found {
                merges.entry((*left, *right)).or_insert((rank, *both));
            }
        }
        let name = metadata.text("tokenizer.ggml.pre").unwrap_or("default");
        let bytes = (0..=u8::MAX).map(|byte| words.get(&letter(byte).to_string()).copied()).collect();
        Ok(Self {
            pattern: Pattern::named(name)?,
            whole_words: Pattern::takes_whole_words(name),
            words,
            bytes,
            merges,
        })
    }

    pub fn encode(&self, text: &str, tokens: &mut Vec<u32>) {
        for word in split(self.pattern, text) {
            let spelled: String = word.bytes().map(letter).collect();
            match self.words.get(&spelled) {
                Some(token) if self.whole_words => tokens.push(*token),
                _ => self.merge(word.as_bytes(), tokens),
            }
        }
    }

    /// Merges the pair of the lowest rank, the leftmost of equals, until none is left. Words are
    /// short, except for hostile ones: the pattern has no limit, so the number of merges has one
    /// candidate list that is walked by links, not rebuilt.
    fn merge(&self, word: &[u8], tokens: &mut Vec<u32>) {
        use std::cmp::Reverse;
        use std::collections::BinaryHeap;

        let symbols: Vec<u32> = word.iter().filter_map(|byte| self.bytes[usize::from(*byte)]).collect();
        let mut chain = Chain::new(symbols);
        let mut heap = BinaryHeap::new();
        let candidate = |chain: &Chain, left: usize| {
            let (right, pair) = chain.pair(left)?;
            let (rank, both) = *self.merges.get(&pair)?;
            Some(Reverse((rank, left, right, pair, both)))
        };
        heap.extend((0..chain.len()).filter_map(|left| candidate(&chain, left)));
        while let Some(Reverse((_, left, right, pair, both))) = heap.pop() {
            if chain.pair(left) != Some((right, pair)) {
                continue;
            }
            chain.merge(left, right, both);
            heap.extend(chain.previous(left).and_then(|before| candidate(&chain, before)));
            heap.extend(candidate(&chain, left));
        }
        tokens.extend(chain.rest());
    }
}

/// Symbols in a row, some of which have been merged into their left neighbours.
pub struct Chain {
    symbols: Vec<Option<u32>>,
    next: Vec<usize>,
    before: Vec<usize>,
}

impl Chain {
    pub fn new(symbols: Vec<u32>) -> Self {
        let count = symbols.len();
        Self {
            symbols: symbols.into_iter().map(Some).collect(),
            next: (1..=count).collect(),
            before: (0..count).map(|at| at.wrapping_sub(1)).collect(),
        }
    }

    pub fn len(&self) -> usize {
        self.symbols.len()
    }

    /// The right neighbour of `left`, and both symbols.
    pub fn pair(&self, left: usize) -> Option<(usize, (u32, u32))> {
        let first = (*self.symbols.get(left)?)?;
        let right = self.next[left];
        let second = (*self.symbols.get(right)?)?;
        Some((right, (first, second)))
    }

    pub fn previous(&self, at: usize) -> Option<usize> {
        let before = self.before[at];
        (before < self.symbols.len()).then_some(before)
    }

    pub fn merge(&mut self, left: usize, right: usize, both: u32) {
        self.symbols[left] = Some(both);
        self.symbols[right] = None;
        self.next[left] = self.next[right];
        if let Some(before) = self.before.get_mut(self.next[right]) {
            *before = left;
        }
    }

    pub fn rest(self) -> impl Iterator<Item = u32> {
        self.symbols.into_iter().flatten()
    }
}

/// GPT-2's printable stand-in for each byte.
fn letter(byte: u8) -> char {
    let printable = |byte: u8| matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    if printable(byte) {
        return char::from(byte);
    }
    // The others follow from U+0100 on, in order.
    let before = (0..byte).filter(|each| !printable(*each)).count() as u32;
    char::from_u32(0x100 + before).unwrap_or(' ')
}

/// The bytes that a token's letters stand for; letters that stand for none are kept as text.
pub fn bytes_of(token: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(token.len());
    for each in token.chars() {
        match byte_of(each) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(each.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

fn byte_of(letter: char) -> Option<u8> {
    match u32::from(letter) {
        code @ (0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff) => u8::try_from(code).ok(),
        code @ 0x100..=0x120 => u8::try_from(code - 0x100).ok(),
        code @ 0x121..=0x142 => u8::try_from(code - 0x121 + 0x7f).ok(),
        0x143 => Some(0xad),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_a_letter_that_means_it() {
        for byte in 0..=u8::MAX {
            assert_eq!(byte_of(letter(byte)), Some(byte));
        }
        assert_eq!((letter(b' '), letter(b'\n')), ('Ġ', 'Ċ'));
    }
}
