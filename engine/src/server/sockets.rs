//! `WasmEdge`'s socket extension of WASI preview 1: the engine's door to the network.
//!
//! The calls stand in the import module `wasi_snapshot_preview1`; standard preview 1 lacks all
//! but four of them, and its `sock_accept` has one parameter more. A host that runs the engine
//! without `WasmEdge` must provide exactly these (docs/engine.md has the list).
#![allow(unsafe_code, reason = "host calls take pointers into linear memory")]

use std::time::Duration;

const INET4: u32 = 1;
const INET6: u32 = 2;
const STREAM: u32 = 2;
const BACKLOG: u32 = 128;
const NONBLOCK: u32 = 4;
const SHUTDOWN_WRITE: u32 = 2;
const SUCCESS: u16 = 0;
const AGAIN: u16 = 6;
const INTERRUPTED: u16 = 27;

#[repr(C)]
struct Buffer {
    data: *const u8,
    length: u32,
}

/// `subscription` of WASI: 48 bytes; the union's fields overlap as noted.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Subscription {
    user_data: u64,
    tag: u64,
    /// Clock id, or file descriptor.
    which: u64,
    /// Clock: nanoseconds from now.
    timeout: u64,
    precision: u64,
    flags: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Event {
    user_data: u64,
    error: u16,
    kind: u8,
    bytes: u64,
    flags: u64,
}

const TAG_CLOCK: u64 = 0;
const TAG_READ: u64 = 1;
const TAG_WRITE: u64 = 2;
const MONOTONIC: u64 = 1;

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn sock_open(family: u32, kind: u32, fd: *mut u32) -> u16;
    fn sock_setsockopt(fd: u32, level: u32, name: u32, value: *const u32, size: u32) -> u16;
    fn sock_bind(fd: u32, address: *const Buffer, port: u32) -> u16;
    fn sock_listen(fd: u32, backlog: u32) -> u16;
    fn sock_accept(fd: u32, connection: *mut u32) -> u16;
    fn sock_recv(
        fd: u32,
        buffers: *const Buffer,
        count: u32,
        flags: u32,
        received: *mut u32,
        out: *mut u32,
    ) -> u16;
    fn sock_send(fd: u32, buffers: *const Buffer, count: u32, flags: u32, sent: *mut u32) -> u16;
    fn sock_shutdown(fd: u32, how: u32) -> u16;
    fn fd_fdstat_set_flags(fd: u32, flags: u32) -> u16;
    fn fd_close(fd: u32) -> u16;
    fn poll_oneoff(
        subscriptions: *const Subscription,
        events: *mut Event,
        count: u32,
        happened: *mut u32,
    ) -> u16;
}

/// A WASI error number and the call that gave it.
#[derive(Debug)]
pub struct SocketError {
    pub call: &'static str,
    pub errno: u16,
}

impl std::fmt::Display for SocketError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} failed with WASI error {}", self.call, self.errno)
    }
}

fn check(call: &'static str, errno: u16) -> Result<(), SocketError> {
    if errno == SUCCESS { Ok(()) } else { Err(SocketError { call, errno }) }
}

/// What a read or a write came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Transfer {
    Bytes(usize),
    WouldBlock,
    /// End of stream, for a read.
    End,
    /// The connection is broken.
    Broken,
}

/// An open socket; closed when dropped.
#[derive(Debug)]
pub struct Socket(u32);

impl Drop for Socket {
    fn drop(&mut self) {
        // SAFETY: plain integers; the descriptor is ours alone.
        unsafe { fd_close(self.0) };
    }
}

impl Socket {
    /// A non-blocking listener. `address` has 4 bytes (IPv4) or 16 (IPv6).
    pub fn listen(address: &[u8], port: u16) -> Result<Self, SocketError> {
        let family = if address.len() == 16 { INET6 } else { INET4 };
        let mut fd = 0;
        // SAFETY: every pointer is to a live local of the size that the call expects.
        unsafe {
            check("sock_open", sock_open(family, STREAM, &raw mut fd))?;
            let socket = Self(fd);
            let on = 1_u32;
            // Level 0, name 0 is SO_REUSEADDR in WasmEdge's numbering.
            check("sock_setsockopt", sock_setsockopt(fd, 0, 0, &raw const on, 4))?;
            let place = Buffer { data: address.as_ptr(), length: address.len() as u32 };
            check("sock_bind", sock_bind(fd, &raw const place, u32::from(port)))?;
            check("sock_listen", sock_listen(fd, BACKLOG))?;
            check("fd_fdstat_set_flags", fd_fdstat_set_flags(fd, NONBLOCK))?;
            Ok(socket)
        }
    }

    /// The next waiting connection, non-blocking, or `None`.
    pub fn accept(&self) -> Option<Self> {
        let mut fd = 0;
        // SAFETY: `fd` is live; the descriptor returned is ours.
        unsafe {
            if sock_accept(self.0, &raw mut fd) != SUCCESS {
                return None;
            }
            let socket = Self(fd);
            (fd_fdstat_set_flags(fd, NONBLOCK) == SUCCESS).then_some(socket)
        }
    }

    /// Says that nothing more will be sent; the peer may still send.
    pub fn end_sending(&self) {
        // SAFETY: plain integers. If it fails the connection is gone, which reading shows.
        unsafe { sock_shutdown(self.0, SHUTDOWN_WRITE) };
    }

    pub fn receive(&self, into: &mut [u8]) -> Transfer {
        let buffer = Buffer { data: into.as_mut_ptr(), length: into.len() as u32 };
        let (mut received, mut flags) = (0, 0);
        // SAFETY: the buffer is exclusively borrowed and as long as stated.
        let errno = unsafe { sock_recv(self.0, &raw const buffer, 1, 0, &raw mut received, &raw mut flags) };
        match errno {
            SUCCESS if received == 0 => Transfer::End,
            SUCCESS => Transfer::Bytes((received as usize).min(into.len())),
            AGAIN | INTERRUPTED => Transfer::WouldBlock,
            _ => Transfer::Broken,
        }
    }

    pub fn send(&self, from: &[u8]) -> Transfer {
        let buffer = Buffer { data: from.as_ptr(), length: from.len() as u32 };
        let mut sent = 0;
        // SAFETY: the buffer is borrowed and as long as stated.
        let errno = unsafe { sock_send(self.0, &raw const buffer, 1, 0, &raw mut sent) };
        match errno {
            SUCCESS => Transfer::Bytes((sent as usize).min(from.len())),
            AGAIN | INTERRUPTED => Transfer::WouldBlock,
            _ => Transfer::Broken,
        }
    }
}

/// What to wait for: collected, then waited for once.
#[derive(Default)]
pub struct Interests {
    subscriptions: Vec<Subscription>,
}

impl Interests {
    pub fn readable(&mut self, socket: &Socket, user_data: u64) {
        self.add(socket, user_data, TAG_READ);
    }

    pub fn writable(&mut self, socket: &Socket, user_data: u64) {
        self.add(socket, user_data, TAG_WRITE);
    }

    fn add(&mut self, socket: &Socket, user_data: u64, tag: u64) {
        let which = u64::from(socket.0);
        self.subscriptions.push(Subscription { user_data, tag, which, ..Subscription::default() });
    }

    /// Waits until something happens or the time is over; the user data of what happened.
    pub fn wait(mut self, timeout: Duration) -> Result<Vec<u64>, SocketError> {
        let timeout = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
        self.subscriptions.push(Subscription {
            user_data: u64::MAX,
            tag: TAG_CLOCK,
            which: MONOTONIC,
            timeout,
            ..Subscription::default()
        });
        let mut events = vec![Event::default(); self.subscriptions.len()];
        let mut happened = 0;
        // SAFETY: both arrays are live and as long as the count says.
        let errno = unsafe {
            poll_oneoff(
                self.subscriptions.as_ptr(),
                events.as_mut_ptr(),
                self.subscriptions.len() as u32,
                &raw mut happened,
            )
        };
        if errno == INTERRUPTED {
            return Ok(Vec::new());
        }
        check("poll_oneoff", errno)?;
        events.truncate(happened as usize);
        let by_clock = |event: &Event| u64::from(event.kind) == TAG_CLOCK;
        Ok(events.iter().filter(|event| !by_clock(event)).map(|event| event.user_data).collect())
    }
}
