//! Sizes, and which input belongs to which output.

/// Height and width.
pub type Pair = [usize; 2];

/// Rows and columns of one channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plane {
    pub height: usize,
    pub width: usize,
}

impl Plane {
    pub fn area(self) -> usize {
        self.height * self.width
    }
}

/// What slides over a plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    pub size: Pair,
    pub strides: Pair,
    pub dilations: Pair,
}

impl Window {
    pub fn taps(self) -> usize {
        self.size[0] * self.size[1]
    }
}

/// A window over a plane with borders of zeros around it.
#[derive(Debug, Clone, Copy)]
pub struct Geometry {
    pub input: Plane,
    pub output: Plane,
    pub window: Window,
    /// Rows above and columns on the left.
    pub before: Pair,
    /// Rows below and columns on the right.
    pub after: Pair,
}

impl Geometry {
    /// The input with its borders.
    pub fn padded(&self) -> Plane {
        Plane {
            height: self.before[0] + self.input.height + self.after[0],
            width: self.before[1] + self.input.width + self.after[1],
        }
    }

    /// Whether the windows of all output positions lie in the padded plane.
    pub fn fits(&self) -> bool {
        let padded = self.padded();
        let end = |axis: usize, outputs: usize| {
            let window = &self.window;
            (outputs - 1) * window.strides[axis] + (window.size[axis] - 1) * window.dilations[axis] + 1
        };
        self.input.area() > 0
            && self.output.area() > 0
            && end(0, self.output.height) <= padded.height
            && end(1, self.output.width) <= padded.width
    }

    pub fn has_borders(&self) -> bool {
        self.before != [0, 0] || self.after != [0, 0]
    }

    /// Where the window of an output position begins in the padded plane.
    pub fn origin(&self, position: usize) -> usize {
        let [down, across] = self.window.strides;
        let (row, column) = (position / self.output.width, position % self.output.width);
        row * down * self.padded().width + column * across
    }

    /// Where each tap of a window lies, counted from its beginning in the padded plane.
    pub fn taps(&self) -> Vec<usize> {
        let [down, across] = self.window.dilations;
        let width = self.padded().width;
        let row =
            |row: usize| (0..self.window.size[1]).map(move |column| row * down * width + column * across);
        (0..self.window.size[0]).flat_map(row).collect()
    }

    /// The last of `taps`.
    pub fn reach(&self) -> usize {
        let [down, across] = self.window.dilations;
        (self.window.size[0] - 1) * down * self.padded().width + (self.window.size[1] - 1) * across
    }

    /// Copies channels into the middle of their padded planes.
    pub fn pad(&self, channels: &[f32]) -> Vec<f32> {
        let padded = self.padded();
        let count = channels.len() / self.input.area();
        let mut planes = vec![0.0; count * padded.area()];
        for (from, into) in
            channels.chunks_exact(self.input.area()).zip(planes.chunks_exact_mut(padded.area()))
        {
            let rows = into.chunks_exact_mut(padded.width).skip(self.before[0]);
            for (from, into) in from.chunks_exact(self.input.width).zip(rows) {
                into[self.before[1]..][..from.len()].copy_from_slice(from);
            }
        }
        planes
    }
}
