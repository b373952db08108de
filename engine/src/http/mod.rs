//! HTTP/1.1 as bytes: requests parsed from what arrived so far, responses rendered. No sockets.

mod chunked;
mod head;
mod request;
mod response;

pub use request::{Limits, Parser, Request};
pub use response::{Response, chunk, continue_line, last_chunk, stream_head};
