//! The server as a piece of work sees it: a place to answer, and to let others be served.

use super::{Job, Server};
use crate::http::{Response, chunk, last_chunk, stream_head};
use crate::log;
use crate::metrics::Generation;
use crate::service::{Flow, Reply};
use serde_json::json;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// The network is looked at so often during work; a health probe waits at most this long and
/// the longest step between two ticks.
const TICK: Duration = Duration::from_millis(5);

/// Status in logs and metrics for a client that left (nginx's number).
const CLIENT_GONE: u16 = 499;

pub struct Exchange<'a> {
    server: &'a mut Server,
    job: &'a Job,
    ticked: Instant,
    /// The status sent, once there is one.
    status: Option<u16>,
    streaming: bool,
    gone: bool,
}

impl<'a> Exchange<'a> {
    pub fn new(server: &'a mut Server, job: &'a Job) -> Self {
        Self { server, job, ticked: Instant::now(), status: None, streaming: false, gone: false }
    }

    /// Closes what the work left open; the status that the client got.
    pub fn finish(mut self) -> u16 {
        if self.gone {
            self.server.metrics.cancelled();
            self.count(CLIENT_GONE);
            return CLIENT_GONE;
        }
        if self.status.is_none() {
            let refusal = crate::error::Refusal::new(500, "the engine gave no answer");
            self.send(crate::routes::refused(&self.job.route, &refusal));
        }
        self.status.unwrap_or(500)
    }

    fn count(&mut self, status: u16) {
        let duration = self.job.arrived.elapsed();
        self.server.metrics.answered(&self.job.route, status, duration);
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(connection) = self.server.connections.get_mut(&self.job.connection) {
            connection.takes_interim = false;
            connection.write(bytes);
        }
    }

    fn close_unless_kept(&mut self) {
        if let Some(connection) = self.server.connections.get_mut(&self.job.connection) {
            let ends_by_closing = self.streaming && !self.job.request.modern;
            connection.closing |= ends_by_closing || !self.job.request.keep_alive;
        }
    }
}

impl Reply for Exchange<'_> {
    fn tick(&mut self) -> Flow {
        if self.gone {
            return ControlFlow::Break(());
        }
        if self.ticked.elapsed() < TICK {
            return ControlFlow::Continue(());
        }
        if let Err(error) = self.server.turn(Duration::ZERO) {
            log::error("network", json!({ "message": error.to_string() }));
            self.gone = true;
        }
        self.gone |= !self.server.waits(self.job.connection);
        self.ticked = Instant::now();
        if self.gone { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn send(&mut self, response: Response) {
        self.status = Some(response.status);
        self.count(response.status);
        self.write(&response.render(self.job.request.keep_alive));
        self.close_unless_kept();
    }

    fn stream_begin(&mut self, content_type: &'static str) {
        self.streaming = true;
        let request = &self.job.request;
        self.write(&stream_head(content_type, request.modern, request.keep_alive));
    }

    fn stream_data(&mut self, data: &[u8]) {
        if self.job.request.modern {
            self.write(&chunk(data));
        } else {
            self.write(data);
        }
    }

    fn stream_end(&mut self) {
        self.status = Some(200);
        self.count(200);
        if self.job.request.modern {
            self.write(last_chunk());
        }
        self.close_unless_kept();
    }

    fn generated(&mut self, generation: Generation) {
        self.server.metrics.generated(generation);
    }
}
