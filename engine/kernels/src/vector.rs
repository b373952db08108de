//! What a layer does with vectors besides matrices.

use super::simd::F4;

pub fn dot(left: &[f32], right: &[f32]) -> f32 {
    let (left, left_rest) = left.as_chunks::<8>();
    let (right, right_rest) = right.as_chunks::<8>();
    let mut sums = [F4::splat(0.0); 2];
    for (a, b) in left.iter().zip(right) {
        let ([a0, a1], [b0, b1]) = (halves(a), halves(b));
        sums[0] = sums[0].add(F4::load(a0).mul(F4::load(b0)));
        sums[1] = sums[1].add(F4::load(a1).mul(F4::load(b1)));
    }
    let rest: f32 = left_rest.iter().zip(right_rest).map(|(a, b)| a * b).sum();
    sums[0].add(sums[1]).sum() + rest
}

/// The two halves of eight values.
pub(super) fn halves(eight: &[f32; 8]) -> [&[f32; 4]; 2] {
    let (fours, _) = eight.as_chunks::<4>();
    [&fours[0], &fours[1]]
}

/// The largest of the values that are numbers; minus infinity without one.
pub(super) fn largest(values: &[f32]) -> f32 {
    let (fours, rest) = values.as_chunks::<4>();
    let most = fours.iter().fold(F4::splat(f32::NEG_INFINITY), |most, four| most.max(F4::load(four)));
    rest.iter().fold(most.largest(), |most, value| most.max(*value))
}

/// The first place of the largest value; what is not a number counts for nothing.
pub fn place_of_largest(values: &[f32]) -> usize {
    let largest = largest(values);
    values.iter().position(|value| *value == largest).unwrap_or(0)
}

/// `into += from * factor`
pub fn add_scaled(into: &mut [f32], from: &[f32], factor: f32) {
    let factors = F4::splat(factor);
    let (into, into_rest) = into.as_chunks_mut::<4>();
    let (from, from_rest) = from.as_chunks::<4>();
    for (a, b) in into.iter_mut().zip(from) {
        F4::load(a).add(F4::load(b).mul(factors)).store(a);
    }
    for (a, b) in into_rest.iter_mut().zip(from_rest) {
        *a += b * factor;
    }
}

/// Root-mean-square norm with weights; llama.cpp sums the squares in double precision.
pub fn rms_norm(values: &[f32], weights: &[f32], epsilon: f32) -> Vec<f32> {
    let squares: f64 = values.iter().map(|value| f64::from(value * value)).sum();
    #[allow(clippy::cast_possible_truncation, reason = "back to the precision of the values")]
    let mean = (squares / values.len() as f64) as f32;
    let scale = 1.0 / (mean + epsilon).sqrt();
    values.iter().zip(weights).map(|(value, weight)| value * scale * weight).collect()
}

pub fn softmax(values: &mut [f32]) {
    let largest = largest(values);
    let mut sum = 0.0;
    for value in values.iter_mut() {
        *value = (*value - largest).exp();
        sum += *value;
    }
    let factor = 1.0 / sum;
    for value in values {
        *value *= factor;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_product_takes_every_length() {
        for length in 0..40 {
            let left: Vec<f32> = (0..length).map(|each| each as f32).collect();
            let right: Vec<f32> = (0..length).map(|each| 1.0 - each as f32).collect();
            let expected: f32 = left.iter().zip(&right).map(|(a, b)| a * b).sum();
            assert_eq!(dot(&left, &right), expected, "{length}");
        }
    }

    #[test]
    fn the_largest_is_found_at_its_first_place_between_values_that_are_no_numbers() {
        for length in 1..40 {
            for place in 0..length {
                let mut values = vec![f32::NAN; length];
                values[place..].fill(-1.0);
                assert_eq!(place_of_largest(&values), place, "{length}");
            }
        }
        assert_eq!(place_of_largest(&[f32::NAN; 5]), 0);
    }

    #[test]
    fn softmax_sums_to_one_even_for_large_values() {
        let mut values = [1000.0, 1001.0, 999.0];
        softmax(&mut values);
        assert!((values.iter().sum::<f32>() - 1.0).abs() < 1e-6 && values[1] > values[0]);
    }
}
