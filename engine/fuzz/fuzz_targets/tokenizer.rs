//! Any text becomes tokens of the vocabulary, and these the text again; a stream of it does not
//! depend on where its bytes are cut.
//!
//! The input is texts that end at zero bytes: a letter for the kind, a stop sequence, the text,
//! and any number of words for the vocabulary. A word with a space in its middle is a merge, too.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wasmai_engine::gguf::{Metadata, Value};
use wasmai_engine::tokenizer::{Segment, TextStream, Tokenizer};

const NORMAL: i64 = 1;
const CONTROL: i64 = 3;
const USER_DEFINED: i64 = 4;
const BYTE: i64 = 6;
/// How SentencePiece spells a space.
const SPACE: char = '\u{2581}';

/// GPT-2's letter for each byte, as its paper's code makes them.
fn letters() -> Vec<String> {
    let mut others = 0x100..;
    (0..=0xff_u32)
        .map(|byte| match byte {
            0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff => byte,
            _ => others.next().unwrap_or_default(),
        })
        .filter_map(char::from_u32)
        .map(String::from)
        .collect()
}

/// What a word from outside is, by its first letter.
fn kind(word: &str) -> i64 {
    match word.chars().next() {
        Some('<') => CONTROL,
        Some('[') => USER_DEFINED,
        _ => NORMAL,
    }
}

fn metadata(pre: Option<&str>, words: &[&str]) -> Metadata {
    let bytes = match pre {
        Some(_) => letters(),
        None => (0..=0xff).map(|byte: u8| format!("<0x{byte:02X}>")).collect(),
    };
    let byte_kind = if pre.is_some() { NORMAL } else { BYTE };
    let mut tokens = bytes;
    let mut kinds = vec![byte_kind; tokens.len()];
    for word in words {
        tokens.push(word.replace(' ', ""));
        kinds.push(kind(word));
    }
    let begin = kinds.iter().position(|kind| *kind == CONTROL);
    let scores = (0..tokens.len()).map(|rank| -(rank as f32)).collect();
    let merges = words.iter().map(|word| (*word).to_owned()).collect();
    let mut entries = vec![
        ("model", Value::Text(if pre.is_some() { "gpt2" } else { "llama" }.to_owned())),
        ("pre", Value::Text(pre.unwrap_or("default").to_owned())),
        ("tokens", Value::Texts(tokens)),
        ("token_type", Value::Integers(kinds)),
        ("scores", Value::Floats(scores)),
        ("merges", Value::Texts(merges)),
    ];
    entries.extend(begin.map(|begin| ("bos_token_id", Value::Integer(begin as i128))));
    Metadata(entries.into_iter().map(|(key, value)| (format!("tokenizer.ggml.{key}"), value)).collect())
}

/// Text from outside holds no control tokens, so its tokens stand for all of it. `SentencePiece` puts
/// spaces before words, and spells them as a letter that the text may hold itself: without both.
fn round_trip(tokenizer: &Tokenizer, text: &str, bpe: bool) {
    let tokens = tokenizer.encode(&[Segment::Text(text.to_owned())]);
    assert_known(tokenizer, &tokens);
    let pieces = tokens.iter().flat_map(|token| tokenizer.piece(*token)).copied().collect();
    let again = String::from_utf8(pieces).expect("all bytes of a text are there");
    let plain = |text: &str| if bpe { text.to_owned() } else { text.replace([' ', SPACE], "") };
    assert_eq!(plain(&again), plain(text), "{tokens:?}");
}

fn assert_known(tokenizer: &Tokenizer, tokens: &[u32]) {
    assert!(tokens.iter().all(|token| (*token as usize) < tokenizer.vocabulary()));
}

/// With one stop sequence: the text up to it, however its bytes come.
fn stream(bytes: &[u8], stop: &str) {
    let lossy = String::from_utf8_lossy(bytes);
    // The sign for what is no character comes late where bytes end in the middle of one.
    if stop.is_empty() || stop.contains(char::REPLACEMENT_CHARACTER) {
        return;
    }
    let wanted = lossy.find(stop).map_or(lossy.as_ref(), |at| &lossy[..at]);
    for size in [1, 3, bytes.len().max(1)] {
        let mut stream = TextStream::new(vec![stop.to_owned()]);
        let mut text = String::new();
        let stopped = bytes.chunks(size).any(|piece| {
            let step = stream.push(piece);
            text.push_str(&step.text);
            step.stopped
        });
        if !stopped {
            text.push_str(&stream.finish());
        }
        assert_eq!(text, wanted, "in pieces of {size}, to {stop:?}");
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.split(|byte| *byte == 0);
    let [Some(which), Some(stop), Some(raw)] = [parts.next(), parts.next(), parts.next()] else { return };
    let pre = match which.first() {
        Some(b'g') => Some("gpt-2"),
        Some(b'l') => Some("llama-bpe"),
        Some(b'q') => Some("qwen2"),
        _ => None,
    };
    let words: Vec<&str> = parts.filter_map(|word| std::str::from_utf8(word).ok()).collect();
    if let Ok(stop) = std::str::from_utf8(stop) {
        stream(raw, stop);
    }
    let Ok(text) = std::str::from_utf8(raw) else { return };
    let Ok(tokenizer) = Tokenizer::from_metadata(&metadata(pre, &words)) else { return };
    round_trip(&tokenizer, text, pre.is_some());
    let text = text.to_owned();
    assert_known(&tokenizer, &tokenizer.encode(&[Segment::Markup(text.clone()), Segment::Text(text)]));
});
