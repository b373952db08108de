//! F(4, 5) along rows: 8 products for 4 outputs instead of 20.

#![allow(clippy::many_single_char_names, reason = "values of a line, in order")]

use super::Scheme;
use crate::convolution::geometry::Pair;
use crate::simd::F4;

/// Inputs of a tile.
const IN: usize = 8;

pub struct Row;

impl Scheme for Row {
    const WINDOW: Pair = [1, 5];
    const DOWN: usize = 1;
    const PLACES: usize = IN;

    /// The filter's polynomial at 0, 1, -1, 2, -2, 1/2, -1/2 and infinity, scaled.
    fn filter(taps: &[f32]) -> Vec<f32> {
        let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(|tap| taps[tap]);
        let pair = |point: f32, scale: f32| {
            let square = point * point;
            let even = a + (c + e * square) * square;
            let odd = (b + d * square) * point;
            [(even + odd) * scale, (even - odd) * scale]
        };
        let [near, far, half] = [pair(1.0, -2.0 / 9.0), pair(2.0, 1.0 / 90.0), pair(0.5, 32.0 / 45.0)];
        vec![a, near[0], near[1], far[0], far[1], half[0], half[1], e]
    }

    #[inline(always)]
    fn input(plane: &[f32], _width: usize, origins: [usize; 4], mut put: impl FnMut(usize, F4)) {
        let at =
            |from: usize| F4::transposed(std::array::from_fn(|lane| F4::at(plane, origins[lane] + from)));
        let ([a, b, c, d], [e, f, g, h]) = (at(0), at(4));
        let times = |factor: f32, value: F4| value.mul(F4::splat(factor));
        let (near_even, near_odd) = (c.add(g).sub(times(4.25, e)), b.add(f).sub(times(4.25, d)));
        let far_even = g.add(times(0.25, c)).sub(times(1.25, e));
        let far_odd = times(0.5, b).sub(times(2.5, d)).add(times(2.0, f));
        let half_even = g.add(times(4.0, c)).sub(times(5.0, e));
        let half_odd = times(2.0, b).sub(times(2.5, d)).add(times(0.5, f));
        let values = [
            a.sub(g).add(times(5.25, e.sub(c))),
            near_even.add(near_odd),
            near_even.sub(near_odd),
            far_even.add(far_odd),
            far_even.sub(far_odd),
            half_even.add(half_odd),
            half_even.sub(half_odd),
            h.sub(b).add(times(5.25, d.sub(f))),
        ];
        for (place, value) in values.iter().enumerate() {
            put(place, *value);
        }
    }

    #[inline(always)]
    fn output(product: impl Fn(usize) -> F4) -> [[F4; 4]; 4] {
        let pair = |place: usize| {
            let (left, right) = (product(place), product(place + 1));
            (left.add(right), left.sub(right))
        };
        let ((near_sum, near), (far_sum, far), (half_sum, half)) = (pair(1), pair(3), pair(5));
        let times = |factor: f32, value: F4| value.mul(F4::splat(factor));
        let outputs = [
            product(0).add(near_sum).add(far_sum).add(half_sum),
            near.add(times(2.0, far)).add(times(0.5, half)),
            near_sum.add(times(4.0, far_sum)).add(times(0.25, half_sum)),
            near.add(times(8.0, far)).add(times(0.125, half)).add(product(7)),
        ];
        let nothing = [F4::splat(0.0); 4];
        [F4::transposed(outputs), nothing, nothing, nothing]
    }
}
