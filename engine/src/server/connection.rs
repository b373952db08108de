//! One client: its socket, what it has sent, and what it is still owed.

use super::sockets::{Interests, Socket, Transfer};
use crate::error::Refusal;
use crate::http::{Limits, Parser, Request, continue_line};
use std::time::{Duration, Instant};

/// A request may take this long, and longer by what it sends at the slowest rate tolerated.
const REQUEST_ALLOWANCE: Duration = Duration::from_secs(20);
const SLOWEST_BYTES_PER_SECOND: f64 = 10_000.0;
/// A client that takes nothing of its answer for so long is gone.
const WRITE_PATIENCE: Duration = Duration::from_secs(20);
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// Between the first two attempts to find out whether a client is gone; doubled each time.
const FIRST_PROBE_DISTANCE: Duration = Duration::from_millis(50);
/// Pipelined bytes kept while an earlier request is answered; more waits in the kernel.
const MOST_WAITING: usize = 64 * 1024;
/// Read per turn, so that one fast sender does not starve the others.
const READ_PER_TURN: usize = 1024 * 1024;
/// Output kept for a client that reads slower than tokens come.
const MOST_OUTPUT: usize = 64 * 1024 * 1024;

#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own about one socket")]
pub struct Connection {
    socket: Socket,
    parser: Parser,
    output: Vec<u8>,
    sent: usize,
    /// A request of this connection is queued or running.
    pub busy: bool,
    /// Nothing more is read; the connection ends once the output is out.
    pub closing: bool,
    /// The client has closed its side, or at least the half that sends.
    pub read_ended: bool,
    /// Interim responses may be sent: no part of the answer has been, and the client knows them.
    pub takes_interim: bool,
    /// When the next interim response finds out whether the client is still there.
    next_probe: Option<Instant>,
    probe_distance: Duration,
    broken: bool,
    /// Everything is sent; since then only the client's end is awaited.
    lingering_since: Option<Instant>,
    request_since: Option<Instant>,
    request_bytes: usize,
    moved: Instant,
}

/// How long what a client still sends is read and thrown away after the last answer. Closing at
/// once would make its kernel drop the answer unread.
const LINGER: Duration = Duration::from_secs(2);

/// Why a connection has to be dropped or told off.
#[derive(Debug, PartialEq, Eq)]
pub enum Overdue {
    No,
    Request,
    Connection,
}

impl Connection {
    pub fn new(socket: Socket, limits: Limits) -> Self {
        Self {
            socket,
            parser: Parser::new(limits),
            output: Vec::new(),
            sent: 0,
            busy: false,
            closing: false,
            read_ended: false,
            takes_interim: false,
            next_probe: None,
            probe_distance: FIRST_PROBE_DISTANCE,
            broken: false,
            lingering_since: None,
            request_since: None,
            request_bytes: 0,
            moved: Instant::now(),
        }
    }

    pub fn subscribe(&self, interests: &mut Interests, id: u64) {
        if self.wants_input() {
            interests.readable(&self.socket, id);
        }
        if self.has_output() {
            interests.writable(&self.socket, id);
        }
    }

    fn wants_input(&self) -> bool {
        let full = self.busy && self.parser.waiting() > MOST_WAITING;
        let lingering = self.lingering_since.is_some();
        !self.read_ended && (lingering || (!self.closing && !full))
    }

    fn has_output(&self) -> bool {
        self.sent < self.output.len()
    }

    /// Nothing is owed and nothing will come: the connection can be forgotten.
    pub fn finished(&self) -> bool {
        self.broken || (self.read_ended && !self.has_output() && !self.busy)
    }

    pub fn broken(&self) -> bool {
        self.broken
    }

    /// Reads what has arrived, up to a turn's share.
    pub fn receive(&mut self, scratch: &mut [u8]) {
        let mut share = READ_PER_TURN;
        while self.wants_input() && share > 0 {
            match self.socket.receive(scratch) {
                Transfer::Bytes(count) if self.closing => share = share.saturating_sub(count),
                Transfer::Bytes(count) => {
                    self.parser.feed(&scratch[..count]);
                    self.moved = Instant::now();
                    self.request_since.get_or_insert(self.moved);
                    self.request_bytes += count;
                    share = share.saturating_sub(count);
                    if count < scratch.len() {
                        break;
                    }
                }
                Transfer::WouldBlock => break,
                Transfer::End => self.read_ended = true,
                Transfer::Broken => self.broken = true,
            }
            if self.broken {
                break;
            }
        }
    }

    /// A client that closed looks like one that only finished sending, until something is sent to
    /// it: an interim response, which a client must skip. The kernel of one that is gone answers
    /// with a reset, and the next attempt fails.
    pub fn probe(&mut self) {
        if !(self.busy && self.read_ended && self.takes_interim) {
            return;
        }
        let now = Instant::now();
        if self.next_probe.is_none_or(|next| now >= next) {
            self.write(continue_line());
            self.next_probe = Some(now + self.probe_distance);
            self.probe_distance *= 2;
        }
    }

    pub fn next_request(&mut self) -> Result<Option<Request>, Refusal> {
        let request = self.parser.take()?;
        if request.is_some() || !self.parser.midway() {
            self.request_since = self.parser.midway().then(Instant::now);
            self.request_bytes = 0;
        }
        Ok(request)
    }

    pub fn take_wants_continue(&mut self) -> bool {
        self.parser.take_wants_continue()
    }

    /// Queues bytes and tries to send them at once.
    pub fn write(&mut self, bytes: &[u8]) {
        if self.broken {
            return;
        }
        if !self.has_output() {
            self.output.clear();
            self.sent = 0;
            self.moved = Instant::now();
        }
        if self.output.len() - self.sent + bytes.len() > MOST_OUTPUT && self.has_output() {
            self.broken = true;
            return;
        }
        self.output.extend_from_slice(bytes);
        self.flush();
    }

    pub fn flush(&mut self) {
        while self.has_output() && !self.broken {
            match self.socket.send(&self.output[self.sent..]) {
                Transfer::Bytes(count) if count > 0 => {
                    self.sent += count;
                    self.moved = Instant::now();
                }
                Transfer::Bytes(_) | Transfer::WouldBlock | Transfer::End => break,
                Transfer::Broken => self.broken = true,
            }
        }
        if !self.has_output() {
            self.output = Vec::new();
            self.sent = 0;
        }
    }

    /// Ends the sending side once all is sent and nothing will follow.
    pub fn end_if_done(&mut self) {
        if self.closing && !self.has_output() && !self.busy && self.lingering_since.is_none() {
            self.socket.end_sending();
            self.lingering_since = Some(Instant::now());
        }
    }

    pub fn overdue(&self, now: Instant) -> Overdue {
        let quiet = now.saturating_duration_since(self.moved);
        if self.has_output() && quiet > WRITE_PATIENCE {
            return Overdue::Connection;
        }
        if let Some(since) = self.lingering_since {
            let over = now.saturating_duration_since(since) > LINGER;
            return if over { Overdue::Connection } else { Overdue::No };
        }
        if self.busy || self.closing || self.has_output() {
            return Overdue::No;
        }
        match self.request_since {
            Some(since) if self.parser.midway() => {
                let earned = Duration::from_secs_f64(self.request_bytes as f64 / SLOWEST_BYTES_PER_SECOND);
                let late = now.saturating_duration_since(since) > REQUEST_ALLOWANCE + earned;
                if late { Overdue::Request } else { Overdue::No }
            }
            _ if quiet > KEEP_ALIVE => Overdue::Connection,
            _ => Overdue::No,
        }
    }
}
