//! A damaged ONNX file is described or refused: its protocol buffers, and what is checked of them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wasmai_engine::onnx;

fuzz_target!(|bytes: &[u8]| {
    let path = std::env::temp_dir().join(format!("wasmai-fuzz-{}.onnx", std::process::id()));
    std::fs::write(&path, bytes).expect("the folder for temporary files can be written");
    let _ = onnx::inspect(&path.to_string_lossy());
});
