//! The same in plain Rust.

#![allow(clippy::trivially_copy_pass_by_ref, reason = "the same signatures as with vectors")]

use std::array::from_fn;

#[derive(Debug, Clone, Copy)]
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

    pub fn load_evens(from: &[f32; 8]) -> Self {
        Self(from_fn(|lane| from[2 * lane]))
    }

    pub fn lane<const LANE: usize>(self) -> Self {
        Self([self.0[LANE]; 4])
    }

    pub fn transposed(rows: [Self; 4]) -> [Self; 4] {
        from_fn(|column| Self(from_fn(|row| rows[row].0[column])))
    }

    pub fn abs(self) -> Self {
        Self(self.0.map(f32::abs))
    }

    pub fn max(self, other: Self) -> Self {
        Self(from_fn(|lane| if self.0[lane] < other.0[lane] { other.0[lane] } else { self.0[lane] }))
    }

    pub fn min(self, other: Self) -> Self {
        Self(from_fn(|lane| if other.0[lane] < self.0[lane] { other.0[lane] } else { self.0[lane] }))
    }

    pub fn divided_by(self, other: Self) -> Self {
        Self(from_fn(|lane| self.0[lane] / other.0[lane]))
    }

    pub fn power_of_two(self) -> Self {
        Self(self.0.map(|lane| f32::from_bits((lane.to_bits() << 23).wrapping_add(0x3f80_0000))))
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
