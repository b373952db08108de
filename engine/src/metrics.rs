//! Counters and histograms, in Prometheus' text format.

use crate::execution::Execution;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

/// Upper bounds of the latency buckets in seconds.
const BUCKETS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0];

#[derive(Debug, Default, Clone)]
struct Histogram {
    counts: [u64; BUCKETS.len()],
    count: u64,
    sum: f64,
}

impl Histogram {
    fn observe(&mut self, seconds: f64) {
        for (count, bound) in self.counts.iter_mut().zip(BUCKETS) {
            *count += u64::from(seconds <= bound);
        }
        self.count += 1;
        self.sum += seconds;
    }

    fn write(&self, out: &mut String, name: &str, label: &str) {
        let comma = if label.is_empty() { "" } else { "," };
        for (count, bound) in self.counts.iter().zip(BUCKETS) {
            let _ = writeln!(out, "{name}_bucket{{{label}{comma}le=\"{bound}\"}} {count}");
        }
        let _ = writeln!(out, "{name}_bucket{{{label}{comma}le=\"+Inf\"}} {}", self.count);
        let braces = if label.is_empty() { String::new() } else { format!("{{{label}}}") };
        let _ = writeln!(out, "{name}_sum{braces} {}", self.sum);
        let _ = writeln!(out, "{name}_count{braces} {}", self.count);
    }
}

/// Tokens and times of one generation.
#[derive(Debug, Clone, Copy, Default)]
pub struct Generation {
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
    pub time_to_first_token: Option<Duration>,
    /// Mean time between tokens after the first.
    pub time_per_token: Option<Duration>,
}

#[derive(Debug)]
pub struct Metrics {
    execution: Execution,
    load: Duration,
    ready: Duration,
    requests: BTreeMap<(String, u16), u64>,
    durations: BTreeMap<String, Histogram>,
    generation: Generation,
    first_token: Histogram,
    per_token: Histogram,
    cancelled: u64,
    pub in_flight: u64,
    pub queued: u64,
}

impl Metrics {
    /// `load`: time to read and prepare the models; `ready`: from start to listening.
    pub fn new(execution: Execution, load: Duration, ready: Duration) -> Self {
        Self {
            execution,
            load,
            ready,
            requests: BTreeMap::new(),
            durations: BTreeMap::new(),
            generation: Generation::default(),
            first_token: Histogram::default(),
            per_token: Histogram::default(),
            cancelled: 0,
            in_flight: 0,
            queued: 0,
        }
    }

    /// `route` must come from the engine's own list: a client must not be able to add series.
    pub fn answered(&mut self, route: &str, status: u16, duration: Duration) {
        *self.requests.entry((route.to_owned(), status)).or_default() += 1;
        self.durations.entry(route.to_owned()).or_default().observe(duration.as_secs_f64());
    }

    pub fn generated(&mut self, one: Generation) {
        self.generation.prompt_tokens += one.prompt_tokens;
        self.generation.completion_tokens += one.completion_tokens;
        if let Some(time) = one.time_to_first_token {
            self.first_token.observe(time.as_secs_f64());
        }
        if let Some(time) = one.time_per_token {
            self.per_token.observe(time.as_secs_f64());
        }
    }

    pub fn cancelled(&mut self) {
        self.cancelled += 1;
    }

    pub fn render(&self) -> String {
        let mut out = String::new();
        self.write_requests(&mut out);
        self.write_generation(&mut out);
        let mode = self.execution.mode();
        let gauges = [
            ("in_flight", "Requests being worked on.", self.in_flight as f64),
            ("queue_length", "Requests that wait for their turn.", self.queued as f64),
            ("load_seconds", "Time to read and prepare the models.", self.load.as_secs_f64()),
            ("start_seconds", "Time from start to listening.", self.ready.as_secs_f64()),
            ("memory_bytes", "Linear memory of the module.", memory_bytes() as f64),
            ("execution_loop_nanoseconds", "One round of the loop timed at start.", self.execution.loop_ns),
        ];
        for (name, help, value) in gauges {
            let _ = writeln!(
                out,
                "# HELP wasmai_{name} {help}\n# TYPE wasmai_{name} gauge\nwasmai_{name} {value}"
            );
        }
        let _ = writeln!(
            out,
            "# HELP wasmai_execution_info How the runtime executes the module: compiled or interpreted.\n\
             # TYPE wasmai_execution_info gauge\nwasmai_execution_info{{mode=\"{mode}\"}} 1"
        );
        out
    }

    fn write_requests(&self, out: &mut String) {
        out.push_str(
            "# HELP wasmai_requests_total Requests answered.\n# TYPE wasmai_requests_total counter\n",
        );
        for ((route, status), count) in &self.requests {
            let _ = writeln!(out, "wasmai_requests_total{{route=\"{route}\",code=\"{status}\"}} {count}");
        }
        let name = "wasmai_request_duration_seconds";
        let _ = writeln!(out, "# HELP {name} From the request's last byte to its answer, waiting included.");
        let _ = writeln!(out, "# TYPE {name} histogram");
        for (route, histogram) in &self.durations {
            histogram.write(out, name, &format!("route=\"{route}\""));
        }
        let _ = writeln!(
            out,
            "# HELP wasmai_cancelled_total Requests whose client left before the answer.\n\
             # TYPE wasmai_cancelled_total counter\nwasmai_cancelled_total {}",
            self.cancelled
        );
    }

    fn write_generation(&self, out: &mut String) {
        let _ = writeln!(
            out,
            "# HELP wasmai_tokens_total Tokens read and generated.\n# TYPE wasmai_tokens_total counter\n\
             wasmai_tokens_total{{kind=\"prompt\"}} {}\nwasmai_tokens_total{{kind=\"completion\"}} {}",
            self.generation.prompt_tokens, self.generation.completion_tokens
        );
        for (name, help, histogram) in [
            (
                "wasmai_time_to_first_token_seconds",
                "From the work's begin to the first token.",
                &self.first_token,
            ),
            (
                "wasmai_time_per_output_token_seconds",
                "Mean time between tokens of a request.",
                &self.per_token,
            ),
        ] {
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} histogram");
            histogram.write(out, name, "");
        }
    }
}

#[cfg(target_arch = "wasm32")]
fn memory_bytes() -> usize {
    core::arch::wasm32::memory_size(0) * 65536
}

/// Natively, where only tests run, there is no linear memory.
#[cfg(not(target_arch = "wasm32"))]
fn memory_bytes() -> usize {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_counts_cumulatively() {
        let execution = Execution { loop_ns: 2.0 };
        let mut metrics = Metrics::new(execution, Duration::from_millis(20), Duration::from_millis(30));
        metrics.answered("/v1/completions", 200, Duration::from_millis(3));
        metrics.answered("/v1/completions", 429, Duration::from_secs(70));
        let text = metrics.render();
        for line in [
            "wasmai_requests_total{route=\"/v1/completions\",code=\"429\"} 1",
            "wasmai_request_duration_seconds_bucket{route=\"/v1/completions\",le=\"0.0025\"} 0",
            "wasmai_request_duration_seconds_bucket{route=\"/v1/completions\",le=\"0.005\"} 1",
            "wasmai_request_duration_seconds_bucket{route=\"/v1/completions\",le=\"+Inf\"} 2",
            "wasmai_execution_info{mode=\"compiled\"} 1",
            "wasmai_load_seconds 0.02",
        ] {
            assert!(text.lines().any(|each| each == line), "{line} is missing in\n{text}");
        }
    }
}
