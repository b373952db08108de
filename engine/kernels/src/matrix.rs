//! A weight matrix of any supported type.

use super::activation::{Activation, Blocks, Superblocks};
use super::{float, q4_0, q4_k, q6_k, q8_0};
use crate::types::TensorType;
use std::io::Read;

/// Read from the file at a time.
const PIECE_BYTES: usize = 1 << 20;

#[derive(Debug)]
pub struct Matrix {
    pub rows: usize,
    pub columns: usize,
    store: Store,
}

#[derive(Debug)]
enum Store {
    F32(Vec<f32>),
    F16(Vec<u16>),
    Q8(q8_0::Rows),
    Q4(q4_0::Rows),
    Q4K(q4_k::Rows),
    Q6K(q6_k::Rows),
}

impl Matrix {
    /// Reads `rows` times `columns` values. `columns` must be a multiple of 8 and of the type's
    /// block, which the caller has checked.
    pub fn read(
        file: &mut impl Read,
        kind: TensorType,
        rows: usize,
        columns: usize,
    ) -> std::io::Result<Self> {
        let row_bytes = kind.row_bytes(columns).ok_or(std::io::ErrorKind::InvalidData)?;
        let mut store = Store::new(kind, rows, columns);
        let rows_at_once = (PIECE_BYTES / row_bytes).max(1);
        let mut piece = vec![0; row_bytes * rows_at_once.min(rows)];
        let mut done = 0;
        while done < rows {
            let count = rows_at_once.min(rows - done);
            let piece = &mut piece[..count * row_bytes];
            file.read_exact(piece)?;
            store.append(piece);
            done += count;
        }
        Ok(Self { rows, columns, store })
    }

    /// One row as floats: the embedding of a token.
    pub fn row(&self, row: usize) -> Vec<f32> {
        let range = row * self.columns..(row + 1) * self.columns;
        match &self.store {
            Store::F32(values) => values[range].to_vec(),
            Store::F16(values) => float::row_f16(&values[range]),
            Store::Q8(rows) => rows.values(row),
            Store::Q4(rows) => rows.values(row),
            Store::Q4K(rows) => rows.values(row),
            Store::Q6K(rows) => rows.values(row),
        }
    }

    /// The matrix times each input; one vector of `rows` values for each.
    pub fn times(&self, inputs: &mut [Activation]) -> Vec<Vec<f32>> {
        let row_of = |row: usize| row * self.columns..(row + 1) * self.columns;
        let rows = self.rows;
        match &self.store {
            Store::F32(values) => {
                multiply(rows, &floats(inputs), |row, input| float::dot_f32(&values[row_of(row)], input))
            }
            Store::F16(values) => {
                multiply(rows, &floats(inputs), |row, input| float::dot_f16(&values[row_of(row)], input))
            }
            Store::Q8(weights) => multiply(rows, &blocks(inputs), |row, input| weights.dot(row, input)),
            Store::Q4(weights) => multiply(rows, &blocks(inputs), |row, input| weights.dot(row, input)),
            Store::Q4K(weights) => multiply(rows, &superblocks(inputs), |row, input| weights.dot(row, input)),
            Store::Q6K(weights) => multiply(rows, &superblocks(inputs), |row, input| weights.dot(row, input)),
        }
    }
}

fn floats(inputs: &[Activation]) -> Vec<&[f32]> {
    inputs.iter().map(Activation::values).collect()
}

fn blocks(inputs: &mut [Activation]) -> Vec<&Blocks> {
    inputs.iter_mut().map(Activation::blocks).collect()
}

fn superblocks(inputs: &mut [Activation]) -> Vec<&Superblocks> {
    inputs.iter_mut().map(Activation::superblocks).collect()
}

/// Row after row, as they lie in memory. For each type a function of its own: in one, the loops of
/// six types share the registers, and all are slower.
#[inline(never)]
fn multiply<I: ?Sized>(rows: usize, inputs: &[&I], dot: impl Fn(usize, &I) -> f32) -> Vec<Vec<f32>> {
    let mut outputs: Vec<Vec<f32>> = inputs.iter().map(|_| vec![0.0; rows]).collect();
    for row in 0..rows {
        for (input, output) in inputs.iter().zip(&mut outputs) {
            output[row] = dot(row, input);
        }
    }
    outputs
}

impl Store {
    /// With room for the whole matrix: growing would leave holes twice as large in memory.
    fn new(kind: TensorType, rows: usize, columns: usize) -> Self {
        match kind {
            TensorType::F32 => Self::F32(Vec::with_capacity(rows * columns)),
            TensorType::F16 => Self::F16(Vec::with_capacity(rows * columns)),
            TensorType::Q8_0 => Self::Q8(q8_0::Rows::new(rows, columns)),
            TensorType::Q4_0 => Self::Q4(q4_0::Rows::new(rows, columns)),
            TensorType::Q4K => Self::Q4K(q4_k::Rows::new(rows, columns)),
            TensorType::Q6K => Self::Q6K(q6_k::Rows::new(rows, columns)),
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        match self {
            Self::F32(values) => {
                values.extend(bytes.as_chunks::<4>().0.iter().map(|each| f32::from_le_bytes(*each)));
            }
            Self::F16(values) => {
                values.extend(bytes.as_chunks::<2>().0.iter().map(|each| u16::from_le_bytes(*each)));
            }
            Self::Q8(rows) => rows.append(bytes),
            Self::Q4(rows) => rows.append(bytes),
            Self::Q4K(rows) => rows.append(bytes),
            Self::Q6K(rows) => rows.append(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of one matrix with harmless half-precision scales wherever scales stand.
    fn matrix(kind: TensorType, rows: usize, columns: usize) -> Matrix {
        let (_, block) = kind.block();
        let mut state = 1_u32;
        let mut bytes = Vec::new();
        for _ in 0..rows * kind.row_bytes(columns).unwrap() / block {
            let mut one: Vec<u8> = (0..block)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 24) as u8
                })
                .collect();
            match kind {
                TensorType::F32 => one = (f32::from(one[0]) / 100.0 - 1.0).to_le_bytes().to_vec(),
                TensorType::F16 => one[1] = one[1] & 0x83 | 0x38,
                TensorType::Q6K => one[208..].copy_from_slice(&0x1c00_u16.to_le_bytes()),
                TensorType::Q4K => one[..4].copy_from_slice(&[0x00, 0x1c, 0x00, 0x1c]),
                _ => one[..2].copy_from_slice(&0x2400_u16.to_le_bytes()),
            }
            bytes.extend(one);
        }
        Matrix::read(&mut bytes.as_slice(), kind, rows, columns).unwrap()
    }

    #[test]
    fn every_type_multiplies_as_its_rows_say() {
        let input: Vec<f32> = (0..512).map(|at| ((at * 37 % 101) as f32 - 50.0) / 25.0).collect();
        for kind in [
            TensorType::F32,
            TensorType::F16,
            TensorType::Q8_0,
            TensorType::Q4_0,
            TensorType::Q4K,
            TensorType::Q6K,
        ] {
            let matrix = matrix(kind, 7, 512);
            let outputs = matrix.times(&mut [Activation::new(input.clone()), Activation::new(input.clone())]);
            assert_eq!(outputs[0], outputs[1]);
            assert_close(kind, &matrix, &input, &outputs[0]);
        }
    }

    #[test]
    fn the_largest_sums_fit() {
        let input = vec![3.0; 512];
        for (kind, byte) in [
            // Every weight -128, -8, 15 with the factor 63, -32 with the factor -128.
            (TensorType::Q8_0, 0x80),
            (TensorType::Q4_0, 0x00),
            (TensorType::Q4K, 0xff),
            (TensorType::Q6K, 0x00),
        ] {
            let (_, block) = kind.block();
            let mut bytes = vec![byte; kind.row_bytes(512).unwrap()];
            for block in bytes.chunks_mut(block) {
                match kind {
                    TensorType::Q4K => block[..4].copy_from_slice(&[0x00, 0x1c, 0x00, 0x00]),
                    TensorType::Q6K => {
                        block[192..].copy_from_slice(&[&[0x80; 16][..], &[0x00, 0x1c]].concat());
                    }
                    _ => block[..2].copy_from_slice(&0x2400_u16.to_le_bytes()),
                }
            }
            let matrix = Matrix::read(&mut bytes.as_slice(), kind, 1, 512).unwrap();
            let output = matrix.times(&mut [Activation::new(input.clone())]).remove(0);
            assert_close(kind, &matrix, &input, &output);
        }
    }

    fn assert_close(kind: TensorType, matrix: &Matrix, input: &[f32], output: &[f32]) {
        for (row, output) in output.iter().enumerate() {
            let terms: Vec<f64> =
                matrix.row(row).iter().zip(input).map(|(a, b)| f64::from(*a) * f64::from(*b)).collect();
            let exact: f64 = terms.iter().sum();
            let size: f64 = terms.iter().map(|term| term.abs()).sum();
            // Inputs are rounded to 8 bits: each term is off by up to 1/254 of the largest.
            let difference = (exact - f64::from(*output)).abs();
            assert!(difference < size * 0.002 + 1e-4, "{kind:?} row {row}: {exact} and {output}");
        }
    }
}
