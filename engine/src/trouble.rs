//! The last line of defence: what cannot be handled ends the process with a log line and exit
//! code 1. Without this it would end as a trap, which runtimes report as a bare `unreachable`.
//!
//! Unwinding is not to be had on this target with a stable compiler, so a panic cannot be turned
//! into an answer; Kubernetes restarts the container.

#![allow(unsafe_code, reason = "a global allocator is an unsafe trait")]

use crate::log;
use serde_json::json;
use std::alloc::{GlobalAlloc, Layout, System};

#[global_allocator]
static ALLOCATOR: Watched = Watched;

/// The system's allocator, with a clear end when memory is full.
struct Watched;

// SAFETY: every call is passed on unchanged; a null result never returns.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are the system allocator's.
        given(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        given(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        given(unsafe { System.realloc(block, layout, size) }, size)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }
}

fn given(block: *mut u8, size: usize) -> *mut u8 {
    if block.is_null() {
        out_of_memory(size);
    }
    block
}

#[cold]
fn out_of_memory(size: usize) -> ! {
    // Nothing here may allocate.
    use std::io::Write;
    let _ = writeln!(
        std::io::stderr(),
        "{{\"level\":\"error\",\"event\":\"out of memory\",\"bytes\":{size},\"message\":\"memory is full: \
         WebAssembly ends at 4 GiB; use a smaller model, context or input\"}}"
    );
    std::process::exit(1)
}

/// To be called first: a panic becomes a log line and exit code 1.
pub fn install() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|place| format!("{}:{}", place.file(), place.line()));
        let message = panic.payload_as_str().unwrap_or("no message");
        log::error("panic", json!({ "message": message, "place": place }));
        std::process::exit(1);
    }));
}
