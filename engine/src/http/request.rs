//! Requests, assembled from whatever pieces the network delivers.

use super::chunked::{Decoder, first, too_large};
use super::head::{self, Body, Head};
use crate::error::Refusal;

const LARGEST_HEAD: usize = 16 * 1024;
/// A declared length is not believed before its bytes arrive: memory grows with what was sent.
const FIRST_RESERVATION: usize = 1024 * 1024;

#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes in a request's body.
    pub body: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// HTTP/1.1; what is older takes no interim responses and no chunks.
    pub modern: bool,
    pub keep_alive: bool,
    pub inference_header_length: Option<usize>,
    pub body: Vec<u8>,
}

#[derive(Debug)]
enum Stage {
    Head,
    Fixed { head: Head, left: usize, body: Vec<u8> },
    Chunked { head: Head, decoder: Decoder, body: Vec<u8> },
}

/// Turns bytes into requests, one after the other; bytes of later requests wait inside.
#[derive(Debug)]
pub struct Parser {
    limits: Limits,
    input: Vec<u8>,
    stage: Stage,
    wants_continue: bool,
}

impl Parser {
    pub fn new(limits: Limits) -> Self {
        Self { limits, input: Vec::new(), stage: Stage::Head, wants_continue: false }
    }

    pub fn feed(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    /// Bytes that no request has taken yet.
    pub fn waiting(&self) -> usize {
        self.input.len()
    }

    /// Has a request begun that is not complete?
    pub fn midway(&self) -> bool {
        !self.input.is_empty() || !matches!(self.stage, Stage::Head)
    }

    /// True once per request whose client waits for permission to send its body.
    pub fn take_wants_continue(&mut self) -> bool {
        std::mem::take(&mut self.wants_continue)
    }

    /// The next complete request, or `None` until more bytes come. After a refusal the
    /// connection cannot be used further: where the next request begins is unknown.
    pub fn take(&mut self) -> Result<Option<Request>, Refusal> {
        if matches!(self.stage, Stage::Head) && !self.read_head()? {
            return Ok(None);
        }
        if !self.read_body()? {
            return Ok(None);
        }
        self.wants_continue = false;
        Ok(match std::mem::replace(&mut self.stage, Stage::Head) {
            Stage::Head => None,
            Stage::Fixed { head, body, .. } | Stage::Chunked { head, body, .. } => Some(Request {
                method: head.method,
                path: head.path,
                modern: head.modern,
                keep_alive: head.keep_alive,
                inference_header_length: head.inference_header_length,
                body,
            }),
        })
    }

    fn read_head(&mut self) -> Result<bool, Refusal> {
        let Some((head, length)) = head::parse(first(&self.input, LARGEST_HEAD))? else {
            if self.input.len() >= LARGEST_HEAD {
                return Err(Refusal::new(
                    431,
                    format!("the request's head is larger than {LARGEST_HEAD} bytes"),
                ));
            }
            return Ok(false);
        };
        self.input.drain(..length);
        self.wants_continue = head.expects_continue;
        self.stage = match head.body {
            Body::Length(left) if left > self.limits.body => return Err(too_large(self.limits.body)),
            Body::Length(left) => {
                let body = Vec::with_capacity(left.min(FIRST_RESERVATION));
                Stage::Fixed { head, left, body }
            }
            Body::Chunked => Stage::Chunked { head, decoder: Decoder::default(), body: Vec::new() },
        };
        Ok(true)
    }

    fn read_body(&mut self) -> Result<bool, Refusal> {
        match &mut self.stage {
            Stage::Head => Ok(false),
            Stage::Fixed { left, body, .. } => {
                let used = (*left).min(self.input.len());
                body.extend(self.input.drain(..used));
                *left -= used;
                Ok(*left == 0)
            }
            Stage::Chunked { decoder, body, .. } => decoder.decode(&mut self.input, body, self.limits.body),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parser() -> Parser {
        Parser::new(Limits { body: 1000 })
    }

    fn one(bytes: &[u8]) -> Result<Option<Request>, Refusal> {
        let mut parser = parser();
        parser.feed(bytes);
        parser.take()
    }

    #[test]
    fn a_request_arrives_byte_by_byte() {
        let bytes = b"POST /v2/x?y=1 HTTP/1.1\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
        let mut parser = parser();
        for byte in &bytes[..bytes.len() - 1] {
            parser.feed(&[*byte]);
            assert_eq!(parser.take(), Ok(None));
            assert!(parser.midway());
        }
        parser.feed(b"o");
        let request = parser.take().unwrap().unwrap();
        assert_eq!((request.path.as_str(), request.body.as_slice()), ("/v2/x", &b"hello"[..]));
        assert!(!request.keep_alive && !parser.midway());
    }

    #[test]
    fn pipelined_requests_come_one_by_one() {
        let mut parser = parser();
        parser.feed(b"GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.0\r\n\r\n");
        assert_eq!(parser.take().unwrap().unwrap().path, "/a");
        let second = parser.take().unwrap().unwrap();
        assert_eq!((second.path.as_str(), second.keep_alive), ("/b", false));
        assert_eq!(parser.take(), Ok(None));
    }

    #[test]
    fn chunks_are_joined_in_whatever_pieces_they_come() {
        let bytes = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nA: b\r\n\r\n";
        for split in 1..bytes.len() {
            let mut parser = parser();
            parser.feed(&bytes[..split]);
            let early = parser.take().unwrap();
            parser.feed(&bytes[split..]);
            let request = early.or_else(|| parser.take().unwrap()).unwrap();
            assert_eq!(request.body, b"abcde", "split at {split}");
        }
    }

    #[test]
    fn a_body_over_the_limit_is_refused_before_it_is_sent() {
        assert_eq!(one(b"POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n").unwrap_err().status, 413);
        let huge = b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n";
        assert_eq!(one(huge).unwrap_err().status, 413);
        let chunked = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffff\r\n";
        assert_eq!(one(chunked).unwrap_err().status, 413);
    }

    #[test]
    fn ambiguous_lengths_are_refused() {
        for head in [
            "Content-Length: 1\r\nContent-Length: 2",
            "Content-Length: 1\r\nTransfer-Encoding: chunked",
            "Content-Length: +1",
            "Content-Length: -1",
            "Content-Length:",
        ] {
            let bytes = format!("POST / HTTP/1.1\r\n{head}\r\n\r\n");
            assert_eq!(one(bytes.as_bytes()).unwrap_err().status, 400, "{head}");
        }
    }

    #[test]
    fn an_endless_head_is_refused() {
        let mut parser = parser();
        parser.feed(b"GET / HTTP/1.1\r\n");
        parser.feed(&[b'a'; LARGEST_HEAD]);
        assert_eq!(parser.take().unwrap_err().status, 431);
    }

    #[test]
    fn permission_to_send_is_asked_once() {
        let mut parser = parser();
        parser.feed(b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
        assert_eq!(parser.take(), Ok(None));
        assert!(parser.take_wants_continue());
        assert!(!parser.take_wants_continue());
    }

    fn in_pieces(bytes: &[u8], size: usize) -> Result<Option<Request>, u16> {
        let mut parser = parser();
        for piece in bytes.chunks(size) {
            parser.feed(piece);
            if let Some(request) = parser.take().map_err(|refusal| refusal.status)? {
                return Ok(Some(request));
            }
        }
        Ok(None)
    }

    #[test]
    fn what_is_too_long_is_refused_however_it_comes() {
        let chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        let size_line = format!("{chunked}1;{}\r\na\r\n0\r\n\r\n", "x".repeat(300));
        let trailer = format!("{chunked}0\r\na: {}\r\n\r\n", "x".repeat(9000));
        let head = format!("GET / HTTP/1.1\r\na: {}\r\n\r\n", "x".repeat(17_000));
        for (bytes, status) in [(size_line, 400), (trailer, 431), (head, 431)] {
            for size in [bytes.len(), 64] {
                assert_eq!(in_pieces(bytes.as_bytes(), size), Err(status), "in pieces of {size}");
            }
        }
    }
}
