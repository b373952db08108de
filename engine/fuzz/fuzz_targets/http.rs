//! Requests do not depend on the pieces in which their bytes come.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wasmai_engine::http::{Limits, Parser, Request};

const LARGEST_BODY: usize = 64;

/// Everything that comes of bytes that arrive so many at a time, and the status of an error at last.
fn requests(bytes: &[u8], piece: usize) -> (Vec<Request>, Option<u16>) {
    let mut parser = Parser::new(Limits { body: LARGEST_BODY });
    let mut found = Vec::new();
    for piece in bytes.chunks(piece) {
        parser.feed(piece);
        loop {
            match parser.take() {
                Ok(Some(request)) => found.push(request),
                Ok(None) => break,
                Err(refusal) => return (found, Some(refusal.status)),
            }
        }
    }
    assert!(parser.waiting() <= bytes.len());
    (found, None)
}

fuzz_target!(|bytes: &[u8]| {
    let whole = requests(bytes, bytes.len().max(1));
    for piece in [1, 7] {
        assert_eq!(requests(bytes, piece), whole, "in pieces of {piece}");
    }
    for request in &whole.0 {
        assert!(request.body.len() <= LARGEST_BODY);
        assert!(!request.path.contains(['?', '#']));
    }
});
