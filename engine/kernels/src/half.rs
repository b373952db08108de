//! Half precision, by moving bits.

/// 2^112: what moving a half's exponent into a float's place is short of.
pub const EXPONENT_SHIFT: f32 = f32::from_bits((127 + 112) << 23);

/// Finite halves only; weights have no others.
pub fn to_f32(bits: u16) -> f32 {
    let wide = u32::from(bits);
    let magnitude = f32::from_bits((wide & 0x7fff) << 13) * EXPONENT_SHIFT;
    f32::from_bits(magnitude.to_bits() | (wide & 0x8000) << 16)
}

/// The nearest half, ties to even; what is too large becomes infinite.
pub fn from_f32(value: f32) -> u16 {
    let sign = (value.to_bits() >> 16 & 0x8000) as u16;
    let magnitude = value.abs();
    if magnitude.is_nan() {
        return sign | 0x7e00;
    }
    if magnitude >= 65_520.0 {
        return sign | 0x7c00;
    }
    // Adding a power of two leaves the mantissa rounded at the half's last place.
    let exponent = (magnitude.to_bits() >> 23).max(113);
    let magic = f32::from_bits((exponent + 13) << 23);
    let rounded = (magnitude + magic).to_bits() - magic.to_bits();
    sign | (((exponent - 113) << 10) + rounded) as u16
}

/// A value as it is after a trip through half precision.
pub fn rounded(value: f32) -> f32 {
    to_f32(from_f32(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finite_half_survives_the_trip() {
        for bits in (0..=u16::MAX).filter(|bits| bits & 0x7c00 != 0x7c00) {
            assert_eq!(from_f32(to_f32(bits)), bits, "{bits:#06x}");
        }
    }

    #[test]
    fn known_values() {
        for (value, bits) in
            [(1.0, 0x3c00), (-2.0, 0xc000), (65_504.0, 0x7bff), (1e6, 0x7c00), (6e-8, 1), (1.0 / 3.0, 0x3555)]
        {
            assert_eq!(from_f32(value), bits, "{value}");
        }
        assert_eq!(to_f32(0x3555), 0.333_251_95);
    }
}
