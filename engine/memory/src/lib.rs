//! `memcpy`, `memmove` and `memset` by vectors, in place of the C library's.
//!
//! Those use `memory.copy` and `memory.fill`, of which `WasmEdge` 0.14's compiled code makes a call
//! that takes a lock: 50 ns and more, for four bytes as well. Whoever computes copies small pieces
//! all the time (a tenth to a half of an ONNX inference went into it). `.cargo/config.toml` keeps the
//! compiler from using the instructions itself.
//!
//! A crate of its own, because the compiler would otherwise see that these loops copy, and call
//! `memcpy`.

#![no_std]
#![no_builtins]
#![allow(unsafe_code, reason = "what these functions are for")]

#[cfg(target_feature = "simd128")]
use core::arch::wasm32::{u8x16_splat, v128 as Block};

#[cfg(not(target_feature = "simd128"))]
type Block = u128;

#[cfg(not(target_feature = "simd128"))]
fn u8x16_splat(value: u8) -> Block {
    u128::from_ne_bytes([value; 16])
}

const BLOCK: usize = size_of::<Block>();

/// As C's `memcpy`.
///
/// # Safety
/// `length` bytes can be read and written, and do not overlap.
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
pub unsafe extern "C" fn memcpy(into: *mut u8, from: *const u8, length: usize) -> *mut u8 {
    // SAFETY: the caller's.
    unsafe {
        match length {
            0..BLOCK => copy_short(into, from, length),
            _ => copy_upwards(into, from, length),
        }
    }
    into
}

/// As C's `memmove`.
///
/// # Safety
/// `length` bytes can be read and written.
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
pub unsafe extern "C" fn memmove(into: *mut u8, from: *const u8, length: usize) -> *mut u8 {
    // SAFETY: the caller's.
    unsafe {
        match length {
            0..BLOCK => copy_short(into, from, length),
            _ if into.addr().wrapping_sub(from.addr()) >= length => copy_upwards(into, from, length),
            _ => copy_downwards(into, from, length),
        }
    }
    into
}

/// As C's `memset`.
///
/// # Safety
/// `length` bytes can be written.
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "C's declaration; a byte is meant"
)]
pub unsafe extern "C" fn memset(into: *mut u8, value: i32, length: usize) -> *mut u8 {
    let byte = value as u8;
    // SAFETY: the caller's; every access lies below `length`.
    unsafe {
        if length < BLOCK {
            for at in 0..length {
                into.add(at).write(byte);
            }
            return into;
        }
        let block = u8x16_splat(byte);
        let mut at = 0;
        while at + BLOCK <= length {
            write(into, at, block);
            at += BLOCK;
        }
        write(into, length - BLOCK, block);
    }
    into
}

/// # Safety
/// As `memmove`, with less than a block: all is read before anything is written.
#[inline(always)]
#[allow(clippy::inline_always, reason = "the most frequent case of all")]
unsafe fn copy_short(into: *mut u8, from: *const u8, length: usize) {
    // SAFETY: the caller's; two pieces that overlap cover any length between one and two of them.
    unsafe {
        match length {
            0 => {}
            1 => into.write(from.read()),
            2..4 => copy_ends::<u16>(into, from, length),
            4..8 => copy_ends::<u32>(into, from, length),
            _ => copy_ends::<u64>(into, from, length),
        }
    }
}

/// # Safety
/// As `memmove`, with between one and two times the size of `T`.
#[inline(always)]
#[allow(clippy::inline_always, reason = "the most frequent case of all")]
unsafe fn copy_ends<T: Copy>(into: *mut u8, from: *const u8, length: usize) {
    // SAFETY: the caller's.
    unsafe {
        let (first, last): (T, T) = (read(from, 0), read(from, length - size_of::<T>()));
        write(into, 0, first);
        write(into, length - size_of::<T>(), last);
    }
}

/// # Safety
/// As `memmove`, with a block or more, and `into` does not begin inside of what is read.
unsafe fn copy_upwards(into: *mut u8, from: *const u8, length: usize) {
    // SAFETY: the caller's. What is read later lies above all that has been written; the last block,
    // which overlaps, is read first.
    unsafe {
        let last: Block = read(from, length - BLOCK);
        let mut at = 0;
        while at + 4 * BLOCK <= length {
            let blocks: [Block; 4] = [
                read(from, at),
                read(from, at + BLOCK),
                read(from, at + 2 * BLOCK),
                read(from, at + 3 * BLOCK),
            ];
            write(into, at, blocks[0]);
            write(into, at + BLOCK, blocks[1]);
            write(into, at + 2 * BLOCK, blocks[2]);
            write(into, at + 3 * BLOCK, blocks[3]);
            at += 4 * BLOCK;
        }
        while at + BLOCK <= length {
            write(into, at, read::<Block>(from, at));
            at += BLOCK;
        }
        write(into, length - BLOCK, last);
    }
}

/// # Safety
/// As `memmove`, with a block or more, and `into` begins above `from`.
unsafe fn copy_downwards(into: *mut u8, from: *const u8, length: usize) {
    // SAFETY: the caller's. What is read later lies below all that has been written; the first
    // block, which overlaps, is read first.
    unsafe {
        let first: Block = read(from, 0);
        let mut left = length;
        while left >= BLOCK {
            left -= BLOCK;
            write(into, left, read::<Block>(from, left));
        }
        write(into, 0, first);
    }
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "one instruction")]
unsafe fn read<T: Copy>(from: *const u8, at: usize) -> T {
    // SAFETY: the caller's.
    unsafe { from.add(at).cast::<T>().read_unaligned() }
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "one instruction")]
unsafe fn write<T: Copy>(into: *mut u8, at: usize, value: T) {
    // SAFETY: the caller's.
    unsafe { into.add(at).cast::<T>().write_unaligned(value) }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    const LENGTHS: core::ops::Range<usize> = 0..200;

    fn bytes() -> Vec<u8> {
        (0..=255).chain(0..=255).collect()
    }

    #[test]
    fn every_length_is_copied_and_nothing_else_is_touched() {
        for length in LENGTHS {
            let (from, mut into) = (bytes(), std::vec![7; 512]);
            unsafe { super::memcpy(into[3..].as_mut_ptr(), from[5..].as_ptr(), length) };
            assert_eq!(into[3..3 + length], from[5..5 + length]);
            assert!(into[..3].iter().chain(&into[3 + length..]).all(|byte| *byte == 7), "{length}");
        }
    }

    #[test]
    fn every_overlap_is_moved() {
        for length in LENGTHS {
            for into in 0..80 {
                let (mut moved, mut wanted) = (bytes(), bytes());
                wanted.copy_within(40..40 + length, into);
                let pointer = moved.as_mut_ptr();
                unsafe { super::memmove(pointer.add(into), pointer.add(40), length) };
                assert_eq!(moved, wanted, "{length} bytes to {into}");
            }
        }
    }

    #[test]
    fn every_length_is_filled_and_nothing_else_is_touched() {
        for length in LENGTHS {
            let mut into = std::vec![7; 256];
            unsafe { super::memset(into[3..].as_mut_ptr(), 0x1ff, length) };
            assert!(into[3..3 + length].iter().all(|byte| *byte == 255));
            assert!(into[..3].iter().chain(&into[3 + length..]).all(|byte| *byte == 7), "{length}");
        }
    }
}
