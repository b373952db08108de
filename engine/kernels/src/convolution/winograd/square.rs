//! F(4 x 4, 3 x 3): 36 products for 16 outputs instead of 144.

#![allow(clippy::many_single_char_names, reason = "values of a line, in order")]

use super::Scheme;
use crate::convolution::geometry::Pair;
use crate::simd::F4;

/// Inputs of a tile in each direction.
const IN: usize = 6;

pub struct Square;

impl Scheme for Square {
    const WINDOW: Pair = [3, 3];
    const DOWN: usize = 4;
    const PLACES: usize = IN * IN;

    fn filter(taps: &[f32]) -> Vec<f32> {
        let columns: [[f32; IN]; 3] =
            std::array::from_fn(|column| filter_line([taps[column], taps[3 + column], taps[6 + column]]));
        (0..IN).flat_map(|row| filter_line([columns[0][row], columns[1][row], columns[2][row]])).collect()
    }

    #[inline(always)]
    fn input(plane: &[f32], width: usize, origins: [usize; 4], mut put: impl FnMut(usize, F4)) {
        let mut lines = [[F4::splat(0.0); IN]; IN];
        for (row, line) in lines.iter_mut().enumerate() {
            let at = |lane: usize, from: usize| F4::at(plane, origins[lane] + row * width + from);
            let [a, b, c, d] = F4::transposed(std::array::from_fn(|lane| at(lane, 0)));
            let [_, _, e, f] = F4::transposed(std::array::from_fn(|lane| at(lane, 2)));
            *line = input_line([a, b, c, d, e, f]);
        }
        #[allow(clippy::needless_range_loop, reason = "columns of rows")]
        for column in 0..IN {
            let values = input_line(std::array::from_fn(|row| lines[row][column]));
            for (row, value) in values.iter().enumerate() {
                put(row * IN + column, *value);
            }
        }
    }

    #[inline(always)]
    fn output(product: impl Fn(usize) -> F4) -> [[F4; 4]; 4] {
        let mut lines = [[F4::splat(0.0); 4]; IN];
        for (row, line) in lines.iter_mut().enumerate() {
            *line = output_line(std::array::from_fn(|column| product(row * IN + column)));
        }
        let mut rows = [[F4::splat(0.0); 4]; 4];
        for column in 0..4 {
            let values = output_line(std::array::from_fn(|row| lines[row][column]));
            for (row, value) in values.iter().enumerate() {
                rows[row][column] = *value;
            }
        }
        std::array::from_fn(|row| F4::transposed(rows[row]))
    }
}

/// The filter's polynomial at 0, 1, -1, 2, -2 and infinity, scaled.
fn filter_line([a, b, c]: [f32; 3]) -> [f32; IN] {
    let (outer, inner) = ((a + c) / 6.0, b / 6.0);
    let (far, near) = (a / 24.0 + c / 6.0, b / 12.0);
    [a / 4.0, -outer - inner, inner - outer, far + near, far - near, c]
}

#[inline(always)]
fn input_line([a, b, c, d, e, f]: [F4; IN]) -> [F4; IN] {
    let (two, four, five) = (F4::splat(2.0), F4::splat(4.0), F4::splat(5.0));
    let (even, odd) = (e.sub(four.mul(c)), d.sub(four.mul(b)));
    let (even_far, odd_far) = (e.sub(c), two.mul(d.sub(b)));
    [
        four.mul(a).sub(five.mul(c)).add(e),
        even.add(odd),
        even.sub(odd),
        even_far.add(odd_far),
        even_far.sub(odd_far),
        four.mul(b).sub(five.mul(d)).add(f),
    ]
}

#[inline(always)]
fn output_line([a, b, c, d, e, f]: [F4; IN]) -> [F4; 4] {
    let (two, four, eight) = (F4::splat(2.0), F4::splat(4.0), F4::splat(8.0));
    let (near, near_difference) = (b.add(c), b.sub(c));
    let (far, far_difference) = (d.add(e), d.sub(e));
    [
        a.add(near).add(far),
        near_difference.add(two.mul(far_difference)),
        near.add(four.mul(far)),
        near_difference.add(eight.mul(far_difference)).add(f),
    ]
}
