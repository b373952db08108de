//! Responses as bytes.

use crate::error::Refusal;
use serde::Serialize;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub content_type: &'static str,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Response {
    /// `value` must be of a type that always has a JSON form; all of the engine's have.
    pub fn json(status: u16, value: &impl Serialize) -> Self {
        let body = serde_json::to_vec(value).unwrap_or_default();
        Self { status, content_type: "application/json", headers: Vec::new(), body }
    }

    pub fn text(content_type: &'static str, body: String) -> Self {
        Self { status: 200, content_type, headers: Vec::new(), body: body.into_bytes() }
    }

    /// A refusal outside any protocol's own form of errors.
    pub fn refusal(refusal: &Refusal) -> Self {
        Self::json(refusal.status, &serde_json::json!({ "error": refusal.message }))
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Head and body in one piece: `WasmEdge` has no `TCP_NODELAY`, so two sends would wait for an
    /// acknowledgement between them.
    pub fn render(&self, keep_alive: bool) -> Vec<u8> {
        let mut bytes = head(self.status, self.content_type, keep_alive);
        bytes.extend_from_slice(format!("Content-Length: {}\r\n", self.body.len()).as_bytes());
        for (name, value) in &self.headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

fn head(status: u16, content_type: &str, keep_alive: bool) -> Vec<u8> {
    let connection = if keep_alive { "" } else { "Connection: close\r\n" };
    format!("HTTP/1.1 {status} {}\r\nContent-Type: {content_type}\r\n{connection}", reason(status))
        .into_bytes()
}

/// The head of a response that follows in pieces: in chunks for a modern client, until the
/// connection closes for an HTTP/1.0 client.
pub fn stream_head(content_type: &str, modern: bool, keep_alive: bool) -> Vec<u8> {
    let mut bytes = head(200, content_type, keep_alive && modern);
    bytes.extend_from_slice(b"Cache-Control: no-cache\r\n");
    bytes.extend_from_slice(if modern { b"Transfer-Encoding: chunked\r\n\r\n" } else { b"\r\n" });
    bytes
}

pub fn chunk(data: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{:x}\r\n", data.len()).into_bytes();
    bytes.extend_from_slice(data);
    bytes.extend_from_slice(b"\r\n");
    bytes
}

pub fn last_chunk() -> &'static [u8] {
    b"0\r\n\r\n"
}

pub fn continue_line() -> &'static [u8] {
    b"HTTP/1.1 100 Continue\r\n\r\n"
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        _ => "Unknown",
    }
}
