//! The inputs of neighbouring output positions.

use super::geometry::Geometry;
use crate::simd::F4;

/// Where four neighbouring output positions find the inputs of their windows' first tap.
#[derive(Debug, Clone, Copy)]
pub enum Four {
    /// One after another.
    Run(usize),
    /// Every second one.
    Evens(usize),
    /// Anywhere.
    Apart([usize; 4]),
}

impl Four {
    fn at(geometry: &Geometry, first: usize) -> Self {
        let last = geometry.output.area() - 1;
        // Positions behind the last one repeat it; what is computed there is thrown away.
        let origins: [usize; 4] = std::array::from_fn(|lane| geometry.origin((first + lane).min(last)));
        let steps_of = |step: usize| (1..4).all(|lane| origins[lane] == origins[0] + lane * step);
        // Eight are read for four; behind the very last window is no eighth.
        let room = origins[0] + geometry.reach() + 8 <= geometry.padded().area();
        match origins[0] {
            first if steps_of(1) => Self::Run(first),
            first if steps_of(2) && room => Self::Evens(first),
            _ => Self::Apart(origins),
        }
    }

    fn first(self) -> usize {
        match self {
            Self::Run(first) | Self::Evens(first) | Self::Apart([first, ..]) => first,
        }
    }

    /// `plane` begins at the tap.
    #[inline(always)]
    fn load(&self, plane: &[f32]) -> F4 {
        match *self {
            Self::Run(first) => F4::at(plane, first),
            Self::Evens(first) => {
                F4::load_evens(plane[first..first + 8].try_into().expect("cut to this length"))
            }
            Self::Apart(origins) => F4::load(&origins.map(|origin| plane[origin])),
        }
    }
}

/// As many output positions as are computed together, from `first` on.
#[derive(Debug, Clone, Copy)]
pub struct Positions<const FOURS: usize> {
    pub first: usize,
    pub inputs: Inputs<FOURS>,
}

/// Where the inputs of the windows' first tap are. A `match` of this belongs outside of the loops.
#[derive(Debug, Clone, Copy)]
pub enum Inputs<const FOURS: usize> {
    /// All in a row.
    Row(Row),
    /// Each four in a row, from here on.
    Runs(Runs<FOURS>),
    /// The same, every second one.
    Evens(Evens<FOURS>),
    Mixed([Four; FOURS]),
}

/// Finds the inputs for one tap, at which the plane begins.
pub trait Load<const FOURS: usize> {
    fn load(&self, plane: &[f32]) -> [F4; FOURS];
}

#[derive(Debug, Clone, Copy)]
pub struct Row(usize);

impl<const FOURS: usize> Load<FOURS> for Row {
    #[inline(always)]
    fn load(&self, plane: &[f32]) -> [F4; FOURS] {
        let row = &plane[self.0..self.0 + 4 * FOURS];
        std::array::from_fn(|four| F4::at(row, 4 * four))
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Runs<const FOURS: usize>([usize; FOURS]);

impl<const FOURS: usize> Load<FOURS> for Runs<FOURS> {
    #[inline(always)]
    fn load(&self, plane: &[f32]) -> [F4; FOURS] {
        std::array::from_fn(|four| Four::Run(self.0[four]).load(plane))
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Evens<const FOURS: usize>([usize; FOURS]);

impl<const FOURS: usize> Load<FOURS> for Evens<FOURS> {
    #[inline(always)]
    fn load(&self, plane: &[f32]) -> [F4; FOURS] {
        std::array::from_fn(|four| Four::Evens(self.0[four]).load(plane))
    }
}

impl<const FOURS: usize> Load<FOURS> for [Four; FOURS] {
    // By index: `map` would copy the array.
    #[inline(always)]
    fn load(&self, plane: &[f32]) -> [F4; FOURS] {
        std::array::from_fn(|four| self[four].load(plane))
    }
}

impl<const FOURS: usize> Positions<FOURS> {
    pub fn at(geometry: &Geometry, first: usize) -> Self {
        let fours: [Four; FOURS] = std::array::from_fn(|four| Four::at(geometry, first + 4 * four));
        let origins = fours.map(Four::first);
        let inputs = if fours.iter().all(|four| matches!(four, Four::Run(_))) {
            let joined = (0..FOURS).all(|four| origins[four] == origins[0] + 4 * four);
            if joined { Inputs::Row(Row(origins[0])) } else { Inputs::Runs(Runs(origins)) }
        } else if fours.iter().all(|four| matches!(four, Four::Evens(_))) {
            Inputs::Evens(Evens(origins))
        } else {
            Inputs::Mixed(fours)
        };
        Self { first, inputs }
    }

    /// Writes results to the channel's plane, as far as that reaches.
    // Loops of a fixed length where that is possible: others are made calls of `memcpy`.
    #[inline(always)]
    pub fn store(&self, results: &[F4; FOURS], channel: &mut [f32]) {
        let last = channel.len().min(self.first + 4 * FOURS);
        let (fours, rest) = channel[self.first..last].as_chunks_mut::<4>();
        if fours.len() == FOURS {
            for four in 0..FOURS {
                results[four].store(&mut fours[four]);
            }
            return;
        }
        for (result, four) in results.iter().zip(fours.iter_mut()) {
            result.store(four);
        }
        let mut last = [0.0; 4];
        results[fours.len()].store(&mut last);
        rest.copy_from_slice(&last[..rest.len()]);
    }

    /// What the channel's plane holds at these positions; zeros behind its end.
    #[inline(always)]
    pub fn read(&self, channel: &[f32], into: &mut [F4; FOURS]) {
        let last = channel.len().min(self.first + 4 * FOURS);
        let (fours, rest) = channel[self.first..last].as_chunks::<4>();
        if fours.len() == FOURS {
            for four in 0..FOURS {
                into[four] = F4::load(&fours[four]);
            }
            return;
        }
        for (four, into) in fours.iter().zip(into.iter_mut()) {
            *into = F4::load(four);
        }
        let mut last = [0.0; 4];
        last[..rest.len()].copy_from_slice(rest);
        into[fours.len()] = F4::load(&last);
    }
}
