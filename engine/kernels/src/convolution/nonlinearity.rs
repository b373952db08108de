//! What is done to each output value.

use crate::simd::F4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nonlinearity {
    None,
    /// What is below zero becomes zero.
    Relu,
    /// `x / (1 + e^-x)`
    Silu,
    /// `x` times `x / 6 + 1/2`, that between 0 and 1.
    HardSwish,
}

impl Nonlinearity {
    pub fn apply(self, values: &mut [f32]) {
        match self {
            Self::None => {}
            Self::Relu => each(values, |value| value.max(F4::splat(0.0))),
            Self::Silu => each(values, |value| value.divided_by(F4::splat(1.0).add(power_of_e(value)))),
            Self::HardSwish => each(values, |value| {
                let gate = value.mul(F4::splat(1.0 / 6.0)).add(F4::splat(0.5));
                value.mul(gate.max(F4::splat(0.0)).min(F4::splat(1.0)))
            }),
        }
    }
}

#[inline(always)]
fn each(values: &mut [f32], change: impl Fn(F4) -> F4) {
    let (fours, rest) = values.as_chunks_mut::<4>();
    for four in fours {
        change(F4::load(four)).store(four);
    }
    let mut last = [0.0; 4];
    last[..rest.len()].copy_from_slice(rest);
    change(F4::load(&last)).store(&mut last);
    rest.copy_from_slice(&last[..rest.len()]);
}

/// `e^-x` for exponents that a float has, at its nearest limit for others; off by 2e-7 at most.
#[inline(always)]
fn power_of_e(x: F4) -> F4 {
    let exponent = x.mul(F4::splat(-std::f32::consts::LOG2_E)).max(F4::splat(-126.0)).min(F4::splat(126.0));
    // Adding and taking away 3 * 2^22 leaves the nearest integer; the instruction for it is a call where a processor has none.
    let shifted = exponent.add(F4::splat(12_582_912.0));
    let rest = exponent.sub(shifted.sub(F4::splat(12_582_912.0)));
    // 2^rest for -1/2 to 1/2: the exponential series of rest times ln 2.
    let mut power = F4::splat(1.540_353e-4);
    for coefficient in [1.333_355_8e-3, 9.618_129e-3, 5.550_411e-2, 2.402_265e-1, std::f32::consts::LN_2, 1.0]
    {
        power = power.mul(rest).add(F4::splat(coefficient));
    }
    power.mul(shifted.power_of_two())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(nonlinearity: Nonlinearity, inputs: &[f32]) -> Vec<f32> {
        let mut values = inputs.to_vec();
        nonlinearity.apply(&mut values);
        values
    }

    #[test]
    fn silu_is_right_to_six_digits() {
        let inputs: Vec<f32> = (-120_000..120_000).map(|each| each as f32 / 1000.0).collect();
        for (input, value) in inputs.iter().zip(applied(Nonlinearity::Silu, &inputs)) {
            let exact = f64::from(*input) / (1.0 + (-f64::from(*input)).exp());
            assert!(
                (f64::from(value) - exact).abs() <= 1e-6 * exact.abs() + 1e-9,
                "{input}: {value} and {exact}"
            );
        }
    }

    #[test]
    fn what_is_no_number_stays_none() {
        for nonlinearity in [Nonlinearity::Relu, Nonlinearity::Silu, Nonlinearity::HardSwish] {
            assert!(applied(nonlinearity, &[1.0, f32::NAN])[1].is_nan(), "{nonlinearity:?}");
        }
    }

    #[test]
    fn every_length_is_changed_as_a_whole() {
        for length in 0..20 {
            let inputs: Vec<f32> = (0..length).map(|each| each as f32 - 7.0).collect();
            let relu: Vec<f32> = inputs.iter().map(|value| value.max(0.0)).collect();
            assert_eq!(applied(Nonlinearity::Relu, &inputs), relu);
            for (input, value) in inputs.iter().zip(applied(Nonlinearity::HardSwish, &inputs)) {
                assert!((value - input * (input / 6.0 + 0.5).clamp(0.0, 1.0)).abs() < 1e-6);
            }
        }
    }
}
