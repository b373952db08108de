//! A damaged model is refused, or runs.
//!
//! Zeros follow the bytes, so that a header alone is a whole model, whose weights are zero.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::io::Cursor;
use std::ops::ControlFlow;
use wasmai_engine::gguf::read_header;
use wasmai_engine::llama;
use wasmai_engine::tokenizer::Segment;

/// Enough for the weights of every seed.
const ZEROS: usize = 512 * 1024;
const CONTEXT: usize = 16;

fn run(bytes: &[u8]) {
    let mut file = bytes.to_vec();
    file.resize(bytes.len() + ZEROS, 0);
    let Ok(mut loaded) = llama::load_from(&mut Cursor::new(file), Some(CONTEXT)) else { return };
    let mut prompt = loaded.tokenizer.encode(&[Segment::Text("a b".to_owned())]);
    let session = &mut loaded.session;
    assert!(session.context <= CONTEXT);
    prompt.truncate(session.context);
    if prompt.is_empty() {
        return;
    }
    let logits = session.read_prompt(&prompt, &mut || ControlFlow::Continue(()));
    assert_eq!(logits.map(|each| each.len()), Ok(session.config.vocabulary));
}

fuzz_target!(|bytes: &[u8]| {
    // As it is first: what lies beyond its end is refused.
    if let Ok(header) = read_header(&mut Cursor::new(bytes)) {
        for info in header.tensors.values() {
            assert!(info.offset + info.bytes <= bytes.len() as u64);
        }
    }
    run(bytes);
});
