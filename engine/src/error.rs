//! The two ways in which something can be refused: a request, or a whole model.

use std::fmt;

/// A request that cannot be answered, with the HTTP status that says whose fault it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    pub message: String,
}

impl Refusal {
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// The request itself is wrong: 400.
    pub fn bad(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

/// A model file, or the command line, with which the engine cannot start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartError {
    pub message: String,
    /// What to do next.
    pub hint: String,
    /// 1: the work cannot be done; 2: wrong usage.
    pub exit_code: u8,
}

impl StartError {
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: hint.into(), exit_code: 1 }
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: "--help lists the options".into(), exit_code: 2 }
    }

    /// Puts the name of the file that was read in front of the message.
    #[must_use]
    pub fn in_file(mut self, path: &str) -> Self {
        self.message = format!("{path}: {}", self.message);
        self
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}. {}", self.message, self.hint)
    }
}
