//! Start-up: command line, models, then one of the modes.

use std::process::ExitCode;
use wasmai_engine::args::{self, HELP, Mode, Options};
use wasmai_engine::error::StartError;
use wasmai_engine::execution::Execution;
use wasmai_engine::{log, models, one_shot, trouble};

use serde_json::json;
// Its memcpy, memmove and memset take the place of the C library's.
use wasmai_memory as _;

fn main() -> ExitCode {
    log::since_start();
    trouble::install();
    let done = args::parse(std::env::args_os().skip(1)).and_then(|options| run(&options));
    match done {
        Ok(code) => code.into(),
        Err(error) => {
            log::error("cannot start", json!({ "message": error.message, "hint": error.hint }));
            error.exit_code.into()
        }
    }
}

fn run(options: &Options) -> Result<u8, StartError> {
    match &options.mode {
        Mode::Help => print!("{HELP}"),
        Mode::Version => println!("{} {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")),
        Mode::Operators => println!("{}", operators()?),
        Mode::Inspect => println!("{}", models::inspect(options)?),
        Mode::Infer(request) => {
            begin();
            return one_shot::infer(&mut models::load(options)?, request);
        }
        Mode::Serve => return serve(options),
    }
    Ok(0)
}

/// The first line of the timeline.
fn begin() -> Execution {
    let execution = Execution::measure();
    let fields = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "execution": execution.mode(),
        "loop_ns": (execution.loop_ns * 100.0).round() / 100.0,
    });
    log::info("start", fields);
    if execution.mode() == "interpreted" {
        log::warn(
            "slow execution",
            json!({ "message": "the runtime interprets the module, 40 to 400 times slower than compiled code; \
                                see docs/engine.md on AOT" }),
        );
    }
    execution
}

#[cfg(target_arch = "wasm32")]
fn serve(options: &Options) -> Result<u8, StartError> {
    use std::net::IpAddr;
    use std::time::Instant;
    use wasmai_engine::http::Limits;
    use wasmai_engine::metrics::Metrics;
    use wasmai_engine::routes::Routes;
    use wasmai_engine::server::{Server, Settings};

    let execution = begin();
    let before = Instant::now();
    let mut services = models::load(options)?;
    let load = before.elapsed();
    let port = port(options)?;
    let settings = Settings {
        address: match options.host {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        },
        port,
        queue: options.queue,
        limits: Limits { body: options.max_body },
    };
    let metrics = Metrics::new(execution, load, log::since_start());
    let server = Server::listen(settings, Routes::new(&services), metrics).map_err(|error| {
        StartError::new(
            format!("cannot listen on {} port {port}: {error}", options.host),
            "The runtime must offer WasmEdge's socket extension, and the port must be free",
        )
    })?;
    log::info("listening", json!({ "host": options.host.to_string(), "port": port }));
    let error = server.run(&mut services);
    Err(StartError::new(format!("the network failed: {error}"), "Look at the node's own logs"))
}

/// Natively there are tests and the other modes, but no sockets.
#[cfg(not(target_arch = "wasm32"))]
fn serve(_: &Options) -> Result<u8, StartError> {
    Err(StartError::usage("only the WebAssembly build serves; use --infer or --inspect"))
}

#[cfg(target_arch = "wasm32")]
fn port(options: &Options) -> Result<u16, StartError> {
    match (options.port, std::env::var("PORT")) {
        (Some(port), _) => Ok(port),
        (None, Ok(text)) => text
            .parse()
            .map_err(|_| StartError::usage(format!("the environment variable PORT is no port: {text}"))),
        (None, Err(_)) => Ok(8080),
    }
}

#[cfg(feature = "onnx")]
#[allow(clippy::unnecessary_wraps, reason = "the other variant has nothing to give")]
fn operators() -> Result<serde_json::Value, StartError> {
    Ok(json!({ "operators": wasmai_engine::onnx::table() }))
}

#[cfg(not(feature = "onnx"))]
fn operators() -> Result<serde_json::Value, StartError> {
    Err(StartError::usage("this module runs no ONNX files; ask engine-onnx.wasm"))
}
