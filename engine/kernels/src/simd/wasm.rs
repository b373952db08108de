//! WebAssembly's instructions.

#![allow(unsafe_code, reason = "vector loads take pointers; each comes from an array of the right size")]

use core::arch::wasm32 as w;

/// Four 32-bit floats.
#[derive(Debug, Clone, Copy)]
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

    /// Every second of eight floats, from the first on.
    #[inline(always)]
    pub fn load_evens(from: &[f32; 8]) -> Self {
        // SAFETY: the array has 32 bytes.
        let (low, high) =
            unsafe { (w::v128_load(from.as_ptr().cast()), w::v128_load(from.as_ptr().add(4).cast())) };
        Self(w::i32x4_shuffle::<0, 2, 4, 6>(low, high))
    }

    /// One lane in all four.
    #[inline(always)]
    pub fn lane<const LANE: usize>(self) -> Self {
        Self(w::i32x4_shuffle::<LANE, LANE, LANE, LANE>(self.0, self.0))
    }

    /// Rows become columns.
    #[inline(always)]
    pub fn transposed([a, b, c, d]: [Self; 4]) -> [Self; 4] {
        let low = |left: Self, right: Self| w::i32x4_shuffle::<0, 4, 1, 5>(left.0, right.0);
        let high = |left: Self, right: Self| w::i32x4_shuffle::<2, 6, 3, 7>(left.0, right.0);
        let (ab_low, ab_high, cd_low, cd_high) = (low(a, b), high(a, b), low(c, d), high(c, d));
        [
            Self(w::i64x2_shuffle::<0, 2>(ab_low, cd_low)),
            Self(w::i64x2_shuffle::<1, 3>(ab_low, cd_low)),
            Self(w::i64x2_shuffle::<0, 2>(ab_high, cd_high)),
            Self(w::i64x2_shuffle::<1, 3>(ab_high, cd_high)),
        ]
    }

    /// The lesser of each pair; `self` where `other` is not a number.
    #[inline(always)]
    pub fn min(self, other: Self) -> Self {
        Self(w::f32x4_pmin(self.0, other.0))
    }

    #[inline(always)]
    pub fn divided_by(self, other: Self) -> Self {
        Self(w::f32x4_div(self.0, other.0))
    }

    /// Two to the power of an integer between -126 and 127 to which 3 * 2^22 has been added.
    #[inline(always)]
    pub fn power_of_two(self) -> Self {
        Self(w::i32x4_add(w::i32x4_shl(self.0, 23), w::i32x4_splat(0x3f80_0000)))
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
        w::f32x4_extract_lane::<0>(Self(halves).max(Self(w::i32x4_shuffle::<1, 0, 3, 2>(halves, halves))).0)
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
