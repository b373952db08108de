//! The chunked transfer coding, decoded as bytes arrive.

use crate::error::Refusal;

/// Bytes of the longest line that names a chunk's size, with its extensions.
const LONGEST_SIZE_LINE: usize = 256;
const LONGEST_TRAILER: usize = 8 * 1024;

#[derive(Debug, Default)]
pub struct Decoder {
    state: State,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Size,
    Data(usize),
    DataEnd,
    Trailer,
    Done,
}

impl Decoder {
    /// Moves what is decodable from the front of `input` to `body`; true when the body is whole.
    pub fn decode(&mut self, input: &mut Vec<u8>, body: &mut Vec<u8>, limit: usize) -> Result<bool, Refusal> {
        let mut at = 0;
        while let Some(used) = self.step(&input[at..], body, limit)? {
            at += used;
        }
        input.drain(..at);
        Ok(self.state == State::Done)
    }

    /// One step; the bytes used, or `None` when more input is needed or the body has ended.
    fn step(&mut self, input: &[u8], body: &mut Vec<u8>, limit: usize) -> Result<Option<usize>, Refusal> {
        match self.state {
            State::Size => match httparse::parse_chunk_size(first(input, LONGEST_SIZE_LINE)) {
                Ok(httparse::Status::Complete((used, size))) => {
                    let size = usize::try_from(size)
                        .ok()
                        .filter(|size| size.saturating_add(body.len()) <= limit)
                        .ok_or_else(|| too_large(limit))?;
                    self.state = if size == 0 { State::Trailer } else { State::Data(size) };
                    Ok(Some(used))
                }
                Ok(httparse::Status::Partial) if input.len() < LONGEST_SIZE_LINE => Ok(None),
                _ => Err(Refusal::bad("a chunk's size is not a hexadecimal number")),
            },
            State::Data(left) => {
                let used = left.min(input.len());
                body.extend_from_slice(&input[..used]);
                self.state = if used == left { State::DataEnd } else { State::Data(left - used) };
                Ok((used > 0).then_some(used))
            }
            State::DataEnd => self.line_end(input),
            State::Trailer => self.trailer(input),
            State::Done => Ok(None),
        }
    }

    fn line_end(&mut self, input: &[u8]) -> Result<Option<usize>, Refusal> {
        if input.len() < 2 {
            return Ok(None);
        }
        if !input.starts_with(b"\r\n") {
            return Err(Refusal::bad("a chunk is longer than its size says"));
        }
        self.state = State::Size;
        Ok(Some(2))
    }

    fn trailer(&mut self, input: &[u8]) -> Result<Option<usize>, Refusal> {
        let line = first(input, LONGEST_TRAILER);
        let Some(end) = line.windows(2).position(|pair| pair == b"\r\n") else {
            if line.len() == LONGEST_TRAILER {
                return Err(Refusal::new(431, "the trailer after the last chunk is too long"));
            }
            return Ok(None);
        };
        if end == 0 {
            self.state = State::Done;
        }
        Ok(Some(end + 2))
    }
}

/// A limit on what is looked at, so that it holds for bytes that come all at once as well.
pub fn first(bytes: &[u8], most: usize) -> &[u8] {
    &bytes[..bytes.len().min(most)]
}

pub fn too_large(limit: usize) -> Refusal {
    Refusal::new(413, format!("the body is larger than the limit of {limit} bytes (--max-body)"))
}
