//! Vectors of 128 bits: WebAssembly's instructions, or the same in plain Rust for native tests.

#[cfg(target_feature = "simd128")]
pub use wasm::{F4, I4, S8};

#[cfg(not(target_feature = "simd128"))]
pub use portable::{F4, I4, S8};

#[cfg(target_feature = "simd128")]
mod wasm {
    #![allow(unsafe_code, reason = "vector loads take pointers; each comes from an array of the right size")]

    use core::arch::wasm32 as w;

    /// Four 32-bit floats.
    #[derive(Clone, Copy)]
    pub struct F4(w::v128);

    /// Four 32-bit integers.
    #[derive(Clone, Copy)]
    pub struct I4(w::v128);

    /// Eight 16-bit integers.
    #[derive(Clone, Copy)]
    pub struct S8(w::v128);

    impl F4 {
        #[inline(always)]
        pub fn splat(value: f32) -> Self {
            Self(w::f32x4_splat(value))
        }

        #[inline(always)]
        pub fn load(from: &[f32; 4]) -> Self {
            // SAFETY: the array has 16 bytes; alignment does not matter to WebAssembly.
            Self(unsafe { w::v128_load(from.as_ptr().cast()) })
        }

        /// Four half-precision floats, finite ones: exponents are moved, then scaled.
        #[inline(always)]
        pub fn from_halves(from: &[u16; 4]) -> Self {
            // SAFETY: the array has 8 bytes.
            let bits = unsafe { w::v128_load64_zero(from.as_ptr().cast()) };
            let wide = w::i32x4_shl(w::u32x4_extend_low_u16x8(bits), 16);
            let moved = w::v128_and(w::i32x4_shr(wide, 3), w::u32x4_splat(0x8fff_ffff));
            Self(w::f32x4_mul(moved, w::f32x4_splat(crate::half::EXPONENT_SHIFT)))
        }

        #[inline(always)]
        pub fn store(self, into: &mut [f32; 4]) {
            // SAFETY: the array has 16 bytes and is exclusively borrowed.
            unsafe { w::v128_store(into.as_mut_ptr().cast(), self.0) };
        }

        #[inline(always)]
        pub fn add(self, other: Self) -> Self {
            Self(w::f32x4_add(self.0, other.0))
        }

        #[inline(always)]
        pub fn sub(self, other: Self) -> Self {
            Self(w::f32x4_sub(self.0, other.0))
        }

        #[inline(always)]
        pub fn mul(self, other: Self) -> Self {
            Self(w::f32x4_mul(self.0, other.0))
        }

        #[inline(always)]
        pub fn abs(self) -> Self {
            Self(w::f32x4_abs(self.0))
        }

        /// The greater of each pair; `self` where `other` is not a number.
        #[inline(always)]
        pub fn max(self, other: Self) -> Self {
            Self(w::f32x4_pmax(self.0, other.0))
        }

        /// The greatest lane; all are numbers.
        #[inline(always)]
        pub fn largest(self) -> f32 {
            let halves = self.max(Self(w::i32x4_shuffle::<2, 3, 0, 1>(self.0, self.0))).0;
            w::f32x4_extract_lane::<0>(
                Self(halves).max(Self(w::i32x4_shuffle::<1, 0, 3, 2>(halves, halves))).0,
            )
        }

        #[inline(always)]
        pub fn sum(self) -> f32 {
            let halves = w::f32x4_add(self.0, w::i32x4_shuffle::<2, 3, 0, 1>(self.0, self.0));
            w::f32x4_extract_lane::<0>(halves) + w::f32x4_extract_lane::<1>(halves)
        }
    }

    impl I4 {
        #[inline(always)]
        pub fn splat(value: i32) -> Self {
            Self(w::i32x4_splat(value))
        }

        #[inline(always)]
        pub fn add(self, other: Self) -> Self {
            Self(w::i32x4_add(self.0, other.0))
        }

        #[inline(always)]
        pub fn mul(self, other: Self) -> Self {
            Self(w::i32x4_mul(self.0, other.0))
        }

        /// With copies of the sign.
        #[inline(always)]
        pub fn shift_right(self, bits: u32) -> Self {
            Self(w::i32x4_shr(self.0, bits))
        }

        #[inline(always)]
        pub fn to_f4(self) -> F4 {
            F4(w::f32x4_convert_i32x4(self.0))
        }
    }

    impl S8 {
        #[inline(always)]
        pub fn load(from: &[i16; 8]) -> Self {
            // SAFETY: the array has 16 bytes.
            Self(unsafe { w::v128_load(from.as_ptr().cast()) })
        }

        /// Two bytes a lane, the lower one first.
        #[inline(always)]
        pub fn load_bytes(from: &[u8; 16]) -> Self {
            // SAFETY: the array has 16 bytes.
            Self(unsafe { w::v128_load(from.as_ptr().cast()) })
        }

        #[inline(always)]
        pub fn extend_u8(from: &[u8; 8]) -> Self {
            // SAFETY: the array has 8 bytes.
            Self(unsafe { w::i16x8_load_extend_u8x8(from.as_ptr()) })
        }

        #[inline(always)]
        pub fn and(self, mask: i16) -> Self {
            Self(w::v128_and(self.0, w::i16x8_splat(mask)))
        }

        #[inline(always)]
        pub fn shift_left(self, bits: u32) -> Self {
            Self(w::i16x8_shl(self.0, bits))
        }

        /// With copies of the sign.
        #[inline(always)]
        pub fn shift_right(self, bits: u32) -> Self {
            Self(w::i16x8_shr(self.0, bits))
        }

        /// Products of lanes, neighbours added. Fast under `WasmEdge` only if its compiler can not
        /// know a lane's sign, and if the result is not simply added to others: see `BlockSum`. What
        /// was loaded may be used as lanes or by bits, but with both it is loaded in halves.
        #[inline(always)]
        pub fn dot(self, other: Self) -> I4 {
            I4(w::i32x4_dot_i16x8(self.0, other.0))
        }
    }
}

#[cfg(not(target_feature = "simd128"))]
mod portable {
    #![allow(clippy::trivially_copy_pass_by_ref, reason = "the same signatures as with vectors")]

    use std::array::from_fn;

    #[derive(Clone, Copy)]
    pub struct F4([f32; 4]);

    #[derive(Clone, Copy)]
    pub struct I4([i32; 4]);

    #[derive(Clone, Copy)]
    pub struct S8([i16; 8]);

    impl F4 {
        pub fn splat(value: f32) -> Self {
            Self([value; 4])
        }

        pub fn load(from: &[f32; 4]) -> Self {
            Self(*from)
        }

        pub fn from_halves(from: &[u16; 4]) -> Self {
            Self(from.map(crate::half::to_f32))
        }

        pub fn store(self, into: &mut [f32; 4]) {
            *into = self.0;
        }

        pub fn add(self, other: Self) -> Self {
            Self(from_fn(|lane| self.0[lane] + other.0[lane]))
        }

        pub fn sub(self, other: Self) -> Self {
            Self(from_fn(|lane| self.0[lane] - other.0[lane]))
        }

        pub fn mul(self, other: Self) -> Self {
            Self(from_fn(|lane| self.0[lane] * other.0[lane]))
        }

        pub fn abs(self) -> Self {
            Self(self.0.map(f32::abs))
        }

        pub fn max(self, other: Self) -> Self {
            Self(from_fn(|lane| if self.0[lane] < other.0[lane] { other.0[lane] } else { self.0[lane] }))
        }

        pub fn largest(self) -> f32 {
            self.0.into_iter().fold(f32::NEG_INFINITY, f32::max)
        }

        pub fn sum(self) -> f32 {
            (self.0[0] + self.0[2]) + (self.0[1] + self.0[3])
        }
    }

    impl I4 {
        pub fn splat(value: i32) -> Self {
            Self([value; 4])
        }

        pub fn add(self, other: Self) -> Self {
            Self(from_fn(|lane| self.0[lane].wrapping_add(other.0[lane])))
        }

        pub fn mul(self, other: Self) -> Self {
            Self(from_fn(|lane| self.0[lane].wrapping_mul(other.0[lane])))
        }

        pub fn shift_right(self, bits: u32) -> Self {
            Self(self.0.map(|lane| lane >> bits))
        }

        #[allow(clippy::cast_precision_loss, reason = "what the instruction does")]
        pub fn to_f4(self) -> F4 {
            F4(self.0.map(|lane| lane as f32))
        }
    }

    impl S8 {
        pub fn load(from: &[i16; 8]) -> Self {
            Self(*from)
        }

        pub fn load_bytes(from: &[u8; 16]) -> Self {
            Self(from_fn(|lane| i16::from_le_bytes([from[2 * lane], from[2 * lane + 1]])))
        }

        pub fn extend_u8(from: &[u8; 8]) -> Self {
            Self(from.map(i16::from))
        }

        pub fn and(self, mask: i16) -> Self {
            Self(self.0.map(|lane| lane & mask))
        }

        pub fn shift_left(self, bits: u32) -> Self {
            Self(self.0.map(|lane| lane << bits))
        }

        pub fn shift_right(self, bits: u32) -> Self {
            Self(self.0.map(|lane| lane >> bits))
        }

        pub fn dot(self, other: Self) -> I4 {
            let product = |lane: usize| i32::from(self.0[lane]) * i32::from(other.0[lane]);
            I4(from_fn(|pair| product(2 * pair).wrapping_add(product(2 * pair + 1))))
        }
    }
}
