//! One thread, one loop: sockets are polled, small questions answered at once, work queued and
//! done one piece after the other. The loop also turns while work is done (`Exchange::tick`).

mod connection;
mod exchange;
mod sockets;

use crate::error::Refusal;
use crate::http::{Limits, Request, Response, continue_line};
use crate::log;
use crate::metrics::Metrics;
use crate::routes::{Route, Routes, refused};
use crate::service::Service;
use connection::{Connection, Overdue};
use exchange::Exchange;
use serde_json::json;
use sockets::{Interests, Socket, SocketError};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

const LISTENER: u64 = 0;
const MOST_CONNECTIONS: usize = 256;
/// Time-outs are looked at so often.
const HOUSEKEEPING: Duration = Duration::from_secs(1);
const IDLE: Duration = Duration::from_mins(1);
const SCRATCH_BYTES: usize = 64 * 1024;

pub struct Settings {
    pub address: Vec<u8>,
    pub port: u16,
    pub queue: usize,
    pub limits: Limits,
}

/// A request that waits for its turn.
struct Job {
    connection: u64,
    service: usize,
    route: String,
    request: Request,
    arrived: Instant,
}

pub struct Server {
    listener: Socket,
    connections: BTreeMap<u64, Connection>,
    next_id: u64,
    queue: VecDeque<Job>,
    routes: Routes,
    metrics: Metrics,
    settings: Settings,
    scratch: Vec<u8>,
    /// Seconds that a piece of work takes, lately: for Retry-After.
    usual_work: f64,
    tidied: Instant,
}

impl Server {
    /// Binds and listens; requests are answered once `run` is called.
    pub fn listen(settings: Settings, routes: Routes, metrics: Metrics) -> Result<Self, SocketError> {
        Ok(Self {
            listener: Socket::listen(&settings.address, settings.port)?,
            connections: BTreeMap::new(),
            next_id: LISTENER + 1,
            queue: VecDeque::new(),
            routes,
            metrics,
            settings,
            scratch: vec![0; SCRATCH_BYTES],
            usual_work: 0.0,
            tidied: Instant::now(),
        })
    }

    /// Serves until the sockets fail.
    pub fn run(mut self, services: &mut [Box<dyn Service>]) -> SocketError {
        loop {
            let patience = if self.connections.is_empty() { IDLE } else { HOUSEKEEPING };
            if let Err(error) = self.turn(patience) {
                return error;
            }
            while let Some(job) = self.queue.pop_front() {
                self.work(&job, services);
            }
        }
    }

    /// One turn: waits for the network, at most `patience`, and moves every connection on.
    fn turn(&mut self, patience: Duration) -> Result<(), SocketError> {
        let mut interests = Interests::default();
        if self.connections.len() < MOST_CONNECTIONS {
            interests.readable(&self.listener, LISTENER);
        }
        for (id, connection) in &self.connections {
            connection.subscribe(&mut interests, *id);
        }
        let mut happened = interests.wait(patience)?;
        happened.sort_unstable();
        happened.dedup();
        for id in happened {
            if id == LISTENER {
                self.accept();
            } else {
                self.advance(id);
            }
        }
        self.connections.values_mut().for_each(Connection::probe);
        if self.tidied.elapsed() >= HOUSEKEEPING {
            self.tidy();
        }
        Ok(())
    }

    fn accept(&mut self) {
        while self.connections.len() < MOST_CONNECTIONS {
            let Some(socket) = self.listener.accept() else { break };
            let id = self.next_id;
            self.next_id += 1;
            self.connections.insert(id, Connection::new(socket, self.settings.limits));
            // The first bytes are often there already.
            self.advance(id);
        }
    }

    /// Reads, writes and answers on one connection as far as that goes without waiting.
    fn advance(&mut self, id: u64) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        connection.flush();
        connection.receive(&mut self.scratch);
        self.take_requests(id);
        self.forget_if_finished(id);
    }

    fn take_requests(&mut self, id: u64) {
        while let Some(connection) = self.connections.get_mut(&id) {
            if connection.busy || connection.closing || connection.broken() {
                return;
            }
            match connection.next_request() {
                Ok(Some(request)) => self.dispatch(id, request),
                Ok(None) => {
                    if connection.take_wants_continue() {
                        connection.write(continue_line());
                    }
                    return;
                }
                Err(refusal) => {
                    self.answer(id, "malformed", &Response::refusal(&refusal), false, Instant::now());
                }
            }
        }
    }

    fn dispatch(&mut self, id: u64, request: Request) {
        let arrived = Instant::now();
        let (route, response) = match self.routes.route(&request) {
            Route::Page(route, response) => (route, response),
            Route::Metrics => {
                self.metrics.queued = self.queue.len() as u64;
                ("/metrics", Response::text("text/plain; version=0.0.4", self.metrics.render()))
            }
            Route::Work(service, route) => return self.enqueue(id, service, route, request, arrived),
        };
        self.answer(id, route, &response, request.keep_alive, arrived);
    }

    fn enqueue(&mut self, id: u64, service: usize, route: String, request: Request, arrived: Instant) {
        // What runs now has left the queue; it holds one place beside it.
        if self.queue.len() >= self.settings.queue {
            let wait = (self.usual_work * (self.queue.len() + 1) as f64).ceil().clamp(1.0, 60.0);
            let refusal = Refusal::new(
                429,
                format!("{} requests wait already (--queue); try again in {wait} s", self.queue.len()),
            );
            let response = refused(&route, &refusal).with("Retry-After", format!("{wait}"));
            return self.answer(id, &route, &response, request.keep_alive, arrived);
        }
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.busy = true;
            connection.takes_interim = request.modern;
        }
        self.queue.push_back(Job { connection: id, service, route, request, arrived });
    }

    /// Sends a whole response and counts it.
    fn answer(&mut self, id: u64, route: &str, response: &Response, keep_alive: bool, arrived: Instant) {
        self.metrics.answered(route, response.status, arrived.elapsed());
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.write(&response.render(keep_alive));
            connection.closing |= !keep_alive;
        }
    }

    fn work(&mut self, job: &Job, services: &mut [Box<dyn Service>]) {
        if !self.waits(job.connection) {
            self.metrics.cancelled();
            return self.release(job.connection);
        }
        let started = Instant::now();
        self.metrics.in_flight = 1;
        let mut exchange = Exchange::new(self, job);
        services[job.service].serve(&job.request, &mut exchange);
        let status = exchange.finish();
        self.metrics.in_flight = 0;
        let took = started.elapsed().as_secs_f64();
        self.usual_work = if self.usual_work == 0.0 { took } else { 0.8 * self.usual_work + 0.2 * took };
        log::info(
            "request",
            json!({
                "route": job.route,
                "status": status,
                "waited_ms": log::milliseconds(started.saturating_duration_since(job.arrived)),
                "took_ms": log::milliseconds(started.elapsed()),
            }),
        );
        self.release(job.connection);
    }

    /// The connection may send its next request.
    fn release(&mut self, id: u64) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.busy = false;
            self.take_requests(id);
            self.forget_if_finished(id);
        }
    }

    /// Does anybody still wait at this connection?
    fn waits(&self, id: u64) -> bool {
        self.connections.get(&id).is_some_and(|connection| !connection.broken())
    }

    fn forget_if_finished(&mut self, id: u64) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        connection.end_if_done();
        if connection.finished() {
            self.connections.remove(&id);
        }
    }

    fn tidy(&mut self) {
        let now = Instant::now();
        self.tidied = now;
        let ids: Vec<u64> = self.connections.keys().copied().collect();
        for id in ids {
            match self.connections[&id].overdue(now) {
                Overdue::No => self.forget_if_finished(id),
                Overdue::Connection => drop(self.connections.remove(&id)),
                Overdue::Request => {
                    let refusal = Refusal::new(408, "the request did not arrive in time");
                    self.answer(id, "malformed", &Response::refusal(&refusal), false, now);
                    self.forget_if_finished(id);
                }
            }
        }
    }
}
