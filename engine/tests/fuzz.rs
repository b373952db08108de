//! Hostile bytes, made and mutated at random for a bounded time: nothing may panic, and what is
//! accepted must hold together. `WASMAI_FUZZ_SECONDS` says how long each target runs (default 2).
//!
//! cargo-fuzz needs a nightly compiler; these run on the stable one, without coverage feedback. A
//! failure prints a seed that repeats it.

use arbtest::arbitrary::{Result, Unstructured};
use arbtest::arbtest;
use std::io::Cursor;
use wasmai_engine::http::{Limits, Parser, Request};

fn milliseconds() -> u64 {
    let seconds = std::env::var("WASMAI_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    seconds.unwrap_or(2) * 1000
}

/// Changes a few bytes, and sometimes cuts the end off.
fn mutate(bytes: &mut Vec<u8>, random: &mut Unstructured<'_>) -> Result<()> {
    for _ in 0..random.int_in_range(0..=8)? {
        let at = random.choose_index(bytes.len())?;
        let any = random.arbitrary()?;
        bytes[at] = *random.choose(&[0, 1, 0x20, 0x7f, 0x80, 0xff, b'\r', b'\n', any])?;
    }
    if random.ratio(1, 4)? {
        bytes.truncate(random.choose_index(bytes.len())?);
    }
    Ok(())
}

const REQUESTS: &[u8] = b"POST /v1/completions?x HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n{\"a\": \"bc\"}\
    GET /v2/health/live HTTP/1.0\r\nConnection: keep-alive\r\n\r\n\
    POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n4\r\nWiki\r\n0\r\nA: b\r\n\r\n";

/// Everything that comes of bytes that arrive in pieces that end at `cuts`; an error at last.
fn requests(bytes: &[u8], cuts: &[usize]) -> (Vec<Request>, Option<u16>) {
    let mut parser = Parser::new(Limits { body: 64 });
    let mut found = Vec::new();
    let mut from = 0;
    for to in cuts.iter().copied().chain([bytes.len()]) {
        parser.feed(&bytes[from..to]);
        from = to;
        loop {
            match parser.take() {
                Ok(Some(request)) => found.push(request),
                Ok(None) => break,
                Err(refusal) => return (found, Some(refusal.status)),
            }
        }
    }
    (found, None)
}

#[test]
fn requests_do_not_depend_on_the_pieces_in_which_they_come() {
    arbtest(|random| {
        let mut bytes = REQUESTS.to_vec();
        mutate(&mut bytes, random)?;
        let mut cuts = Vec::new();
        for _ in 0..random.int_in_range(0..=6)? {
            cuts.push(random.int_in_range(0..=bytes.len())?);
        }
        cuts.sort_unstable();
        assert_eq!(requests(&bytes, &cuts), requests(&bytes, &[]));
        Ok(())
    })
    .budget_ms(milliseconds());
}

#[cfg(feature = "llama")]
mod gguf {
    use super::{Cursor, arbtest, milliseconds, mutate};
    use std::ops::ControlFlow;
    use wasmai_engine::llama;

    struct Writer(Vec<u8>);

    impl Writer {
        fn number(&mut self, value: u64, bytes: usize) {
            self.0.extend_from_slice(&value.to_le_bytes()[..bytes]);
        }

        fn text(&mut self, text: &str) {
            self.number(text.len() as u64, 8);
            self.0.extend_from_slice(text.as_bytes());
        }

        fn entry(&mut self, key: &str, kind: u32) {
            self.text(key);
            self.number(u64::from(kind), 4);
        }
    }

    /// A whole small model: width 8, one layer, eight tokens, all values zero.
    fn small_model() -> Vec<u8> {
        let counts = [
            ("embedding_length", 8),
            ("block_count", 1),
            ("feed_forward_length", 8),
            ("attention.head_count", 2),
            ("attention.head_count_kv", 1),
            ("context_length", 16),
        ];
        let vectors = ["blk.0.attn_norm", "blk.0.ffn_norm", "output_norm"];
        let matrices = [
            ("token_embd", 8),
            ("blk.0.attn_q", 8),
            ("blk.0.attn_k", 4),
            ("blk.0.attn_v", 4),
            ("blk.0.attn_output", 8),
            ("blk.0.ffn_gate", 8),
            ("blk.0.ffn_up", 8),
            ("blk.0.ffn_down", 8),
        ];
        let mut file = Writer(b"GGUF".to_vec());
        file.number(3, 4);
        file.number((vectors.len() + matrices.len()) as u64, 8);
        file.number(counts.len() as u64 + 4, 8);
        file.entry("general.architecture", 8);
        file.text("llama");
        for (key, value) in counts {
            file.entry(&format!("llama.{key}"), 4);
            file.number(value, 4);
        }
        file.entry("tokenizer.ggml.model", 8);
        file.text("llama");
        file.entry("tokenizer.ggml.tokens", 9);
        file.number(8, 4);
        file.number(8, 8);
        for token in ["<unk>", "<s>", "</s>", "a", "b", "ab", "\u{2581}", "<0x41>"] {
            file.text(token);
        }
        file.entry("tokenizer.ggml.scores", 9);
        file.number(6, 4);
        file.number(8, 8);
        file.0.extend_from_slice(&[0; 32]);
        let mut offset = 0;
        for (name, shape) in vectors
            .map(|name| (name, vec![8]))
            .into_iter()
            .chain(matrices.map(|(name, rows)| (name, vec![8, rows])))
        {
            file.text(&format!("{name}.weight"));
            file.number(shape.len() as u64, 4);
            for length in &shape {
                file.number(*length, 8);
            }
            file.number(0, 4);
            file.number(offset, 8);
            offset += shape.iter().product::<u64>() * 4;
        }
        let begin = file.0.len().next_multiple_of(32);
        file.0.resize(begin + offset as usize, 0);
        file.0
    }

    #[test]
    fn a_damaged_model_is_refused_or_runs() {
        let whole = small_model();
        assert!(llama::load_from(&mut Cursor::new(&whole), None).is_ok());
        arbtest(|random| {
            let mut bytes = whole.clone();
            mutate(&mut bytes, random)?;
            if let Ok(mut loaded) = llama::load_from(&mut Cursor::new(bytes), Some(16)) {
                let prompt = [3, 4, 5];
                let session = &mut loaded.session;
                if session.config.vocabulary > 5 && session.context > prompt.len() {
                    let logits = session.read_prompt(&prompt, &mut || ControlFlow::Continue(())).unwrap();
                    assert_eq!(logits.len(), session.config.vocabulary);
                }
            }
            Ok(())
        })
        .budget_ms(milliseconds());
    }

    #[test]
    fn any_text_becomes_tokens_of_the_vocabulary() {
        let loaded = llama::load_from(&mut Cursor::new(small_model()), None).unwrap();
        arbtest(|random| {
            let text: String = random.arbitrary()?;
            let markup = random.arbitrary()?;
            let segment = if markup {
                wasmai_engine::tokenizer::Segment::Markup(text)
            } else {
                wasmai_engine::tokenizer::Segment::Text(text)
            };
            let tokens = loaded.tokenizer.encode(&[segment]);
            assert!(tokens.iter().all(|token| (*token as usize) < loaded.tokenizer.vocabulary()));
            Ok(())
        })
        .budget_ms(milliseconds());
    }
}
