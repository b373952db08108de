//! Tokens to text, piece by piece: characters may be split between tokens, and text that could
//! become a stop sequence is held back until that is decided.

/// What has become certain.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Step {
    pub text: String,
    /// A stop sequence was completed; nothing may follow.
    pub stopped: bool,
}

#[derive(Debug)]
pub struct TextStream {
    /// Bytes of a character that is not complete.
    partial: Vec<u8>,
    /// Text that is not given out yet.
    held: String,
    stops: Vec<String>,
}

impl TextStream {
    pub fn new(stops: Vec<String>) -> Self {
        Self { partial: Vec::new(), held: String::new(), stops }
    }

    pub fn push(&mut self, bytes: &[u8]) -> Step {
        self.partial.extend_from_slice(bytes);
        self.take_characters();
        if let Some(at) = self.stops.iter().filter_map(|stop| self.held.find(stop.as_str())).min() {
            self.held.truncate(at);
            self.partial.clear();
            return Step { text: std::mem::take(&mut self.held), stopped: true };
        }
        let keep = self.longest_possible_stop();
        let rest = self.held.split_off(self.held.len() - keep);
        Step { text: std::mem::replace(&mut self.held, rest), stopped: false }
    }

    /// All that is left, at the end; nothing after a stop sequence.
    pub fn finish(mut self) -> String {
        self.held.push_str(&String::from_utf8_lossy(&self.partial));
        self.held
    }

    fn take_characters(&mut self) {
        loop {
            match std::str::from_utf8(&self.partial) {
                Ok(text) => {
                    self.held.push_str(text);
                    self.partial.clear();
                    return;
                }
                Err(error) => {
                    let valid = error.valid_up_to();
                    self.held.push_str(&String::from_utf8_lossy(&self.partial[..valid]));
                    self.partial.drain(..valid);
                    // No length: the character may still be completed.
                    let Some(wrong) = error.error_len() else { return };
                    self.held.push(char::REPLACEMENT_CHARACTER);
                    self.partial.drain(..wrong);
                }
            }
        }
    }

    /// Bytes at the end that could be the begin of a stop sequence.
    fn longest_possible_stop(&self) -> usize {
        let begins = |stop: &String| {
            let ends = stop.char_indices().map(|(at, _)| at).filter(|at| *at > 0);
            ends.filter(|at| self.held.ends_with(&stop[..*at])).max().unwrap_or(0)
        };
        self.stops.iter().map(begins).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(stops: &[&str], pieces: &[&[u8]]) -> (Vec<String>, bool) {
        let mut stream = TextStream::new(stops.iter().map(|&stop| stop.to_owned()).collect());
        let mut texts = Vec::new();
        for piece in pieces {
            let step = stream.push(piece);
            texts.push(step.text);
            if step.stopped {
                return (texts, true);
            }
        }
        texts.push(stream.finish());
        (texts, false)
    }

    #[test]
    fn a_character_split_between_tokens_appears_whole() {
        assert_eq!(all(&[], &[b"a\xc3", b"\xa4b"]).0, ["a", "äb", ""]);
        assert_eq!(all(&[], &[b"a\xff\xc3"]).0, ["a\u{fffd}", "\u{fffd}"]);
    }

    #[test]
    fn a_stop_sequence_split_between_tokens_never_shows() {
        assert_eq!(
            all(&["END"], &[b"one E", b"N", b"D two"]),
            (vec!["one ".into(), String::new(), String::new()], true)
        );
        assert_eq!(
            all(&["END"], &[b"one E", b"Nx"]),
            (vec!["one ".into(), "ENx".into(), String::new()], false)
        );
        assert_eq!(all(&["b", "ab"], &[b"xab"]), (vec!["x".into()], true));
    }
}
