//! Every kind of convolution beside the definition.

use super::{Filters, Geometry, Nonlinearity, Pair, Plane, Window};

/// Input channels, output channels, groups.
type Channels = (usize, usize, usize);

struct Case {
    channels: Channels,
    input: Pair,
    window: Window,
    before: Pair,
    after: Pair,
}

impl Case {
    fn new(channels: Channels, input: Pair, size: Pair) -> Self {
        let window = Window { size, strides: [1, 1], dilations: [1, 1] };
        Self { channels, input, window, before: [0, 0], after: [0, 0] }
    }

    fn strides(mut self, strides: Pair) -> Self {
        self.window.strides = strides;
        self
    }

    fn dilations(mut self, dilations: Pair) -> Self {
        self.window.dilations = dilations;
        self
    }

    fn borders(mut self, before: Pair, after: Pair) -> Self {
        (self.before, self.after) = (before, after);
        self
    }

    fn geometry(&self) -> Geometry {
        let length = |axis: usize| {
            let reach = (self.window.size[axis] - 1) * self.window.dilations[axis];
            let padded = self.input[axis] + self.before[axis] + self.after[axis];
            (padded - reach - 1) / self.window.strides[axis] + 1
        };
        Geometry {
            input: Plane { height: self.input[0], width: self.input[1] },
            output: Plane { height: length(0), width: length(1) },
            window: self.window,
            before: self.before,
            after: self.after,
        }
    }

    /// Compares each output with the sum that defines it.
    fn check(&self) {
        let (inputs, outputs, groups) = self.channels;
        let geometry = self.geometry();
        assert!(geometry.fits());
        let taps = self.window.taps();
        let input = numbers(inputs * geometry.input.area());
        let filters = numbers(outputs * inputs / groups * taps);
        let bias = numbers(outputs);
        for nonlinearity in [Nonlinearity::None, Nonlinearity::Relu] {
            // What nothing has written stays not a number.
            let mut output = vec![f32::NAN; outputs * geometry.output.area()];
            Filters::pack(&filters, &bias, self.window, groups, nonlinearity).convolve(
                &geometry,
                &input,
                &mut output,
            );
            for (at, value) in output.iter().enumerate() {
                let (channel, position) = (at / geometry.output.area(), at % geometry.output.area());
                let mut wanted = self.defined(&input, &filters, channel, position) + f64::from(bias[channel]);
                if nonlinearity == Nonlinearity::Relu {
                    wanted = wanted.max(0.0);
                }
                let difference = (f64::from(*value) - wanted).abs();
                assert!(difference < 2e-5, "channel {channel}, position {position}: {value} and {wanted}");
            }
        }
    }

    fn defined(&self, input: &[f32], filters: &[f32], channel: usize, position: usize) -> f64 {
        let (inputs, outputs, groups) = self.channels;
        let (geometry, each) = (self.geometry(), inputs / groups);
        let first = channel / (outputs / groups) * each;
        let corner = [position / geometry.output.width, position % geometry.output.width];
        let mut sum = 0.0;
        for (step, weight) in
            filters[channel * each * self.window.taps()..][..each * self.window.taps()].iter().enumerate()
        {
            let (number, tap) = (first + step / self.window.taps(), step % self.window.taps());
            let offset = [tap / self.window.size[1], tap % self.window.size[1]];
            let place = |axis: usize| {
                (corner[axis] * self.window.strides[axis] + offset[axis] * self.window.dilations[axis])
                    .checked_sub(self.before[axis])
                    .filter(|place| *place < self.input[axis])
            };
            if let (Some(row), Some(column)) = (place(0), place(1)) {
                let value = input[number * geometry.input.area() + row * geometry.input.width + column];
                sum += f64::from(*weight) * f64::from(value);
            }
        }
        sum
    }
}

/// Between -0.5 and 0.5, the same each time.
fn numbers(count: usize) -> Vec<f32> {
    let mut state = 1_u32;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 16_777_216.0 - 0.5
        })
        .collect()
}

#[test]
fn every_number_of_positions_is_convolved() {
    for width in 1..40 {
        Case::new((3, 5, 1), [1, width], [1, 1]).check();
    }
}

#[test]
fn every_number_of_channels_is_convolved() {
    for channels in 1..10 {
        Case::new((channels, 11 - channels, 1), [4, 5], [2, 3]).check();
    }
}

#[test]
fn many_products_for_one_output_are_made_in_parts() {
    Case::new((300, 6, 1), [3, 7], [1, 1]).check();
    Case::new((70, 6, 1), [6, 7], [3, 3]).strides([2, 2]).check();
}

#[test]
fn strides_dilations_and_uneven_borders_are_followed() {
    for stride in 1..4 {
        for dilation in 1..3 {
            Case::new((4, 6, 1), [11, 23], [3, 2])
                .strides([stride, 4 - stride])
                .dilations([dilation, 3 - dilation])
                .borders([2, 0], [1, 3])
                .check();
        }
    }
}

#[test]
fn groups_see_their_own_channels() {
    Case::new((6, 9, 3), [5, 9], [3, 3]).borders([1, 1], [1, 1]).check();
    Case::new((32, 64, 2), [5, 9], [3, 3]).borders([1, 1], [1, 1]).check();
}

#[test]
fn each_channel_has_its_own_filter() {
    for (size, stride) in [(1, 1), (3, 1), (3, 2), (5, 2), (7, 3)] {
        Case::new((7, 7, 7), [17, 21], [size, size])
            .strides([stride, stride])
            .borders([size / 2, size / 2], [size / 2, size / 2])
            .check();
    }
    Case::new((4, 8, 4), [6, 6], [3, 3]).check();
}

#[test]
fn three_by_three_windows_take_every_size_of_plane() {
    for size in 1..22 {
        Case::new((16, 18, 1), [size, 22 - size], [3, 3]).borders([1, 1], [1, 1]).check();
    }
    Case::new((17, 16, 1), [9, 30], [3, 3]).borders([0, 2], [0, 0]).check();
}

#[test]
fn five_in_a_row_take_every_length() {
    for length in 5..80 {
        Case::new((16, 17, 1), [1, length], [1, 5]).check();
    }
    Case::new((20, 16, 1), [3, 30], [1, 5]).borders([0, 2], [0, 2]).check();
}

#[test]
fn a_window_larger_than_its_input_does_not_fit() {
    let mut geometry = Case::new((1, 1, 1), [4, 4], [3, 3]).geometry();
    geometry.input = Plane { height: 2, width: 4 };
    assert!(!geometry.fits());
}
