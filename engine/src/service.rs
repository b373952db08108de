//! What the server and the models know of each other.

use crate::http::{Request, Response};
use crate::metrics::Generation;
use serde_json::Value;
use std::ops::ControlFlow;

/// `Break`: nobody waits for the answer any more, or the process must end; stop working.
pub type Flow = ControlFlow<()>;

/// A loaded model, or several of one kind, behind one protocol.
pub trait Service {
    /// Answers that never change, by path.
    fn pages(&self) -> Vec<(String, Value)>;
    /// Paths whose POST requests are work and wait in the queue.
    fn work_paths(&self) -> Vec<String>;
    /// The path that a request given by `--infer` belongs to.
    fn one_shot_path(&self, request: &Value) -> String;
    /// Does one piece of work; must send exactly one response or one stream.
    fn serve(&mut self, request: &Request, reply: &mut dyn Reply);
}

/// The way back to whoever asked.
pub trait Reply {
    /// To be called often during work: other clients are served meanwhile.
    fn tick(&mut self) -> Flow;
    fn send(&mut self, response: Response);
    fn stream_begin(&mut self, content_type: &'static str);
    fn stream_data(&mut self, data: &[u8]);
    fn stream_end(&mut self);
    fn generated(&mut self, generation: Generation);
}
