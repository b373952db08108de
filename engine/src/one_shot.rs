//! One request from a file, one answer on standard output: for scripts and for measuring starts.

use crate::error::StartError;
use crate::http::{Request, Response};
use crate::metrics::Generation;
use crate::routes::{Route, Routes};
use crate::service::{Flow, Reply, Service};
use serde_json::Value;
use std::io::{Read, Write};

/// Answers the request in `path` (`-` is standard input). The exit code: 1 if it was refused.
pub fn infer(services: &mut [Box<dyn Service>], path: &str) -> Result<u8, StartError> {
    let body = read(path)?;
    let json: Value = serde_json::from_slice(&body).map_err(|error| {
        StartError::new(format!("{path}: not JSON: {error}"), "Give the body of an HTTP request")
    })?;
    let routes = Routes::new(services);
    let target = services[0].one_shot_path(&json);
    let request = Request {
        method: "POST".into(),
        path: target,
        modern: true,
        keep_alive: false,
        inference_header_length: None,
        body,
    };
    let mut output = Output { status: 200 };
    match routes.route(&request) {
        Route::Work(service, _) => services[service].serve(&request, &mut output),
        Route::Page(_, response) => output.send(response),
        Route::Metrics => {}
    }
    Ok(u8::from(output.status >= 400))
}

fn read(path: &str) -> Result<Vec<u8>, StartError> {
    let mut body = Vec::new();
    let done = if path == "-" {
        std::io::stdin().read_to_end(&mut body)
    } else {
        std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut body))
    };
    done.map(|_| body).map_err(|error| {
        StartError::new(
            format!("{path}: the request cannot be read: {error}"),
            "--infer takes a file, or - for standard input",
        )
    })
}

struct Output {
    status: u16,
}

impl Output {
    fn write(bytes: &[u8]) {
        let mut out = std::io::stdout();
        // Nobody reads: then nobody misses it.
        let _ = out.write_all(bytes).and_then(|()| out.flush());
    }
}

impl Reply for Output {
    fn tick(&mut self) -> Flow {
        Flow::Continue(())
    }

    fn send(&mut self, response: Response) {
        self.status = response.status;
        Self::write(&response.body);
        Self::write(b"\n");
    }

    fn stream_begin(&mut self, _: &'static str) {}

    fn stream_data(&mut self, data: &[u8]) {
        Self::write(data);
    }

    fn stream_end(&mut self) {}

    fn generated(&mut self, _: Generation) {}
}
