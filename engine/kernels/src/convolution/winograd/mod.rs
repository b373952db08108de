//! Winograd's minimal filtering: fewer products for a tile of neighbouring outputs.
//!
//! See A. Lavin and S. Gray, "Fast Algorithms for Convolutional Neural Networks" (2015). Filters and
//! inputs are transformed, multiplied place by place, and the products transformed back. The
//! transformed filters take more room than the plain ones: 4 times for 3 x 3, 1.6 times for 1 x 5.

mod row;
mod square;

use super::geometry::{Geometry, Pair, Window};
use super::product::{self, ROWS, Tile};
use crate::simd::F4;
use row::Row;
use square::Square;
use std::ops::Range;

/// Outputs of a tile across.
const ACROSS: usize = 4;

/// Sizes of tiles, and the transforms for four tiles at a time, one in each lane.
trait Scheme {
    const WINDOW: Pair;
    /// Outputs of a tile down.
    const DOWN: usize;
    /// Products for a tile.
    const PLACES: usize;

    /// One value for each place.
    fn filter(taps: &[f32]) -> Vec<f32>;

    /// Gives the value of each place; `origins` are where the tiles' inputs begin in the plane.
    fn input(plane: &[f32], width: usize, origins: [usize; 4], put: impl FnMut(usize, F4));

    /// From the products of each place, for each row of outputs (`DOWN` of them) each tile's four.
    fn output(product: impl Fn(usize) -> F4) -> [[F4; 4]; 4];
}

/// Filters of one group, transformed, in the order in which they are multiplied.
#[derive(Debug, Clone, PartialEq)]
pub struct Winograd {
    /// For each four output channels, for each place, for each input channel, the four values.
    packed: Vec<[f32; ROWS]>,
    /// One for each output channel; zeros up to a multiple of four.
    bias: Vec<[f32; ROWS]>,
    /// Input channels.
    inputs: usize,
    window: Pair,
}

impl Winograd {
    /// Whether there is a scheme for the window and it pays: too few channels do not outweigh the
    /// transforms; too many filters would have to be read from memory again and again.
    pub fn suits(window: Window, inputs: usize, outputs: usize) -> bool {
        let most = match window.size {
            Square::WINDOW => 1 << 16,
            Row::WINDOW => 1 << 18,
            _ => 0,
        };
        window.strides == [1, 1]
            && window.dilations == [1, 1]
            && inputs >= 16
            && outputs >= 16
            && inputs * outputs <= most
    }

    /// `filters` has the taps of each input channel of each output channel.
    pub fn pack(filters: &[f32], bias: &[f32], window: Window) -> Self {
        let transformed: Vec<Vec<f32>> = match window.size {
            Square::WINDOW => filters.chunks_exact(9).map(Square::filter).collect(),
            _ => filters.chunks_exact(5).map(Row::filter).collect(),
        };
        let inputs = transformed.len() / bias.len();
        let value = |output: usize, input: usize, place: usize| {
            transformed.get(output * inputs + input).map_or(0.0, |filter| filter[place])
        };
        let mut packed = Vec::with_capacity(bias.len().div_ceil(ROWS) * transformed[0].len() * inputs);
        for first in (0..bias.len()).step_by(ROWS) {
            for place in 0..transformed[0].len() {
                let four = |input: usize| std::array::from_fn(|row| value(first + row, input, place));
                packed.extend((0..inputs).map(four));
            }
        }
        let four = |four: &[f32]| std::array::from_fn(|row| four.get(row).copied().unwrap_or_default());
        Self { packed, bias: bias.chunks(ROWS).map(four).collect(), inputs, window: window.size }
    }

    /// The geometry with borders for whole tiles.
    pub fn widened(&self, geometry: &Geometry) -> Geometry {
        let down = if self.window == Square::WINDOW { Square::DOWN } else { Row::DOWN };
        let whole = |axis: usize, tile: usize, input: usize, output: usize| {
            output.next_multiple_of(tile) + self.window[axis] - 1 - input - geometry.before[axis]
        };
        let (input, output) = (geometry.input, geometry.output);
        Geometry {
            after: [whole(0, down, input.height, output.height), whole(1, ACROSS, input.width, output.width)],
            ..*geometry
        }
    }

    /// `planes` are padded as `widened` says.
    pub fn convolve(&self, geometry: &Geometry, planes: &[f32], output: &mut [f32]) {
        match self.window {
            Square::WINDOW => self.by::<Square>(geometry, planes, output),
            _ => self.by::<Row>(geometry, planes, output),
        }
    }

    fn by<S: Scheme>(&self, geometry: &Geometry, planes: &[f32], output: &mut [f32]) {
        let across = geometry.output.width.div_ceil(ACROSS);
        let tiles = geometry.output.height.div_ceil(S::DOWN) * across;
        let wide = tiles - tiles % 16;
        self.tiles::<S, 4>(geometry, planes, 0..wide, output);
        match (tiles - wide).div_ceil(4) {
            0 => {}
            1 => self.tiles::<S, 1>(geometry, planes, wide..tiles, output),
            2 => self.tiles::<S, 2>(geometry, planes, wide..tiles, output),
            3 => self.tiles::<S, 3>(geometry, planes, wide..tiles, output),
            _ => self.tiles::<S, 4>(geometry, planes, wide..tiles, output),
        }
    }

    fn tiles<S: Scheme, const FOURS: usize>(
        &self,
        geometry: &Geometry,
        planes: &[f32],
        range: Range<usize>,
        output: &mut [f32],
    ) {
        let area = geometry.output.area();
        let mut inputs = vec![[F4::splat(0.0); FOURS]; S::PLACES * self.inputs];
        let mut products = vec![[[F4::splat(0.0); FOURS]; ROWS]; S::PLACES];
        for first in range.clone().step_by(4 * FOURS) {
            // Tiles behind the last one repeat it.
            let corners: [[Corner; 4]; FOURS] = std::array::from_fn(|four| {
                std::array::from_fn(|lane| {
                    Corner::of::<S>(geometry, (first + 4 * four + lane).min(range.end - 1))
                })
            });
            transform_inputs::<S, FOURS>(geometry, planes, &corners, &mut inputs);
            let filters = self.packed.chunks_exact(S::PLACES * self.inputs).zip(&self.bias);
            for ((filters, bias), channels) in filters.zip(output.chunks_mut(ROWS * area)) {
                multiply(filters, &inputs, &mut products);
                for (row, (channel, bias)) in channels.chunks_exact_mut(area).zip(bias).enumerate() {
                    let product = |four: usize| {
                        let products = &products;
                        move |place: usize| products[place][row][four]
                    };
                    for (four, corners) in corners.iter().enumerate() {
                        let rows = S::output(product(four));
                        store(&rows[..S::DOWN], *bias, corners, geometry.output.width, channel);
                    }
                }
            }
        }
    }
}

/// Where a tile lies.
#[derive(Debug, Clone, Copy)]
struct Corner {
    /// Its first row and column in the output.
    row: usize,
    column: usize,
    /// Where its inputs begin in the padded plane.
    origin: usize,
}

impl Corner {
    fn of<S: Scheme>(geometry: &Geometry, tile: usize) -> Self {
        let across = geometry.output.width.div_ceil(ACROSS);
        let (row, column) = (tile / across * S::DOWN, tile % across * ACROSS);
        Self { row, column, origin: row * geometry.padded().width + column }
    }
}

/// For each place the values of all channels together.
fn transform_inputs<S: Scheme, const FOURS: usize>(
    geometry: &Geometry,
    planes: &[f32],
    corners: &[[Corner; 4]; FOURS],
    inputs: &mut [[F4; FOURS]],
) {
    let padded = geometry.padded();
    let channels = inputs.len() / S::PLACES;
    for (channel, plane) in planes.chunks_exact(padded.area()).enumerate() {
        for (four, corners) in corners.iter().enumerate() {
            let origins = std::array::from_fn(|lane| corners[lane].origin);
            S::input(plane, padded.width, origins, |place, value| {
                inputs[place * channels + channel][four] = value;
            });
        }
    }
}

/// Products of all places for four output channels.
// A function of its own, so that the loop has all registers.
#[inline(never)]
fn multiply<const FOURS: usize>(
    filters: &[[f32; ROWS]],
    inputs: &[[F4; FOURS]],
    products: &mut [Tile<FOURS>],
) {
    let channels = inputs.len() / products.len();
    let places = filters.chunks_exact(channels).zip(inputs.chunks_exact(channels));
    for ((filters, inputs), product) in places.zip(products) {
        let mut sums: Tile<FOURS> = [[F4::splat(0.0); FOURS]; ROWS];
        product::add_products(&mut sums, filters, inputs);
        for (sums, products) in sums.iter().zip(product) {
            sums.iter().zip(products).for_each(|(sum, product)| *product = *sum);
        }
    }
}

/// Writes the outputs of four tiles, as far as the channel's plane reaches.
#[inline(always)]
fn store(rows: &[[F4; 4]], bias: f32, corners: &[Corner; 4], width: usize, channel: &mut [f32]) {
    for (down, row) in rows.iter().enumerate() {
        for (values, corner) in row.iter().zip(corners) {
            let mut four = [0.0; 4];
            values.add(F4::splat(bias)).store(&mut four);
            let begin = (corner.row + down) * width;
            let Some(line) = channel.get_mut(begin + corner.column..begin + width) else { continue };
            match line.first_chunk_mut::<4>() {
                Some(into) => *into = four,
                None => line.iter_mut().zip(four).for_each(|(into, value)| *into = value),
            }
        }
    }
}
