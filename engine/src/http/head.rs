//! The head of a request: method, path and the few headers that matter here.

use crate::error::Refusal;

const MOST_HEADERS: usize = 64;

/// How the body's end is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    Length(usize),
    Chunked,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub method: String,
    /// The path alone, without the query.
    pub path: String,
    /// HTTP/1.1; what is older takes no interim responses and no chunks.
    pub modern: bool,
    pub keep_alive: bool,
    pub body: Body,
    /// The client waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
    /// Length of the JSON before binary tensors (the Open Inference Protocol's extension).
    pub inference_header_length: Option<usize>,
}

/// Reads a head from the front of `bytes`: the head and its length, or `None` if it is incomplete.
pub fn parse(bytes: &[u8]) -> Result<Option<(Head, usize)>, Refusal> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let length = match request.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(Refusal::new(431, format!("more than {MOST_HEADERS} header lines")));
        }
        Err(error) => return Err(Refusal::bad(format!("not an HTTP/1.1 request: {error}"))),
    };
    let target = request.path.unwrap_or("/");
    let path = target.split(['?', '#']).next().unwrap_or("/");
    let mut head = Head {
        method: request.method.unwrap_or("").to_owned(),
        path: path.to_owned(),
        modern: request.version == Some(1),
        keep_alive: request.version == Some(1),
        body: Body::Length(0),
        expects_continue: false,
        inference_header_length: None,
    };
    let mut length_seen = None;
    for header in request.headers.iter() {
        let value = std::str::from_utf8(header.value).unwrap_or("").trim();
        apply(&mut head, &mut length_seen, header.name, value)?;
    }
    if let Some(declared) = length_seen {
        // Two ways to say where the body ends are how requests are smuggled past proxies.
        if head.body == Body::Chunked {
            return Err(Refusal::bad("both Content-Length and Transfer-Encoding are given"));
        }
        head.body = Body::Length(declared);
    }
    Ok(Some((head, length)))
}

fn apply(head: &mut Head, length: &mut Option<usize>, name: &str, value: &str) -> Result<(), Refusal> {
    if name.eq_ignore_ascii_case("content-length") {
        let declared = number(value).ok_or_else(|| Refusal::bad("Content-Length is not a number"))?;
        if length.is_some_and(|earlier| earlier != declared) {
            return Err(Refusal::bad("Content-Length is given twice, differently"));
        }
        *length = Some(declared);
    } else if name.eq_ignore_ascii_case("transfer-encoding") {
        if !value.eq_ignore_ascii_case("chunked") {
            return Err(Refusal::new(501, "the only Transfer-Encoding understood is chunked"));
        }
        head.body = Body::Chunked;
    } else if name.eq_ignore_ascii_case("connection") {
        for token in value.split(',').map(str::trim) {
            if token.eq_ignore_ascii_case("close") {
                head.keep_alive = false;
            } else if token.eq_ignore_ascii_case("keep-alive") {
                head.keep_alive = true;
            }
        }
    } else if name.eq_ignore_ascii_case("expect") {
        head.expects_continue = value.eq_ignore_ascii_case("100-continue");
    } else if name.eq_ignore_ascii_case("inference-header-content-length") {
        let declared =
            number(value).ok_or_else(|| Refusal::bad("Inference-Header-Content-Length is not a number"))?;
        head.inference_header_length = Some(declared);
    }
    Ok(())
}

/// Digits only: `parse` would take a sign, too. What does not fit in memory is as large as can be,
/// so that it is refused for its size.
fn number(text: &str) -> Option<usize> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(usize::MAX))
}
