//! The seeds of `fuzz/` are whole models: a fuzzer that begins with less does not come far.
#![cfg(feature = "llama")]

use std::io::Cursor;
use std::path::Path;
use wasmai_engine::llama;

#[test]
fn every_gguf_seed_is_a_model_once_zeros_follow_it() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/gguf");
    let mut count = 0;
    for seed in std::fs::read_dir(seeds).unwrap() {
        let path = seed.unwrap().path();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.resize(bytes.len() + 512 * 1024, 0);
        if let Err(error) = llama::load_from(&mut Cursor::new(bytes), None) {
            panic!("{}: {error}", path.display());
        }
        count += 1;
    }
    assert!(count > 0);
}
