//! Log lines for machines: one JSON object a line on standard error.
//!
//! Every line has `time` (RFC 3339, UTC), `level`, `event` and `since_start_ms`. The start-up
//! timeline is the events `start`, `model mapped`, `first inference` and `listening`.

use serde_json::{Map, Value};
use std::io::Write;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

static START: OnceLock<Instant> = OnceLock::new();

/// Time since `main` began; the first call sets the zero.
pub fn since_start() -> Duration {
    START.get_or_init(Instant::now).elapsed()
}

pub fn info(event: &str, fields: Value) {
    line("info", event, fields);
}

pub fn warn(event: &str, fields: Value) {
    line("warn", event, fields);
}

pub fn error(event: &str, fields: Value) {
    line("error", event, fields);
}

fn line(level: &str, event: &str, fields: Value) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut object = Map::new();
    object.insert("time".into(), rfc3339(now).into());
    object.insert("level".into(), level.into());
    object.insert("event".into(), event.into());
    object.insert("since_start_ms".into(), milliseconds(since_start()).into());
    if let Value::Object(fields) = fields {
        object.extend(fields);
    }
    // A log that cannot be written has nobody to tell.
    let _ = writeln!(std::io::stderr(), "{}", Value::Object(object));
}

/// Milliseconds with three digits after the point: microseconds are what the clock gives.
pub fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// Seconds since the epoch as `2026-11-25T02:24:03.123Z`. The calendar is Hinnant's
/// `civil_from_days`, which counts from 1 March of year 0.
fn rfc3339(since_epoch: Duration) -> String {
    let seconds = since_epoch.as_secs();
    let days = seconds / 86_400 + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60,
        since_epoch.subsec_millis()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_calendar_dates() {
        assert_eq!(rfc3339(Duration::ZERO), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(Duration::from_millis(951_782_400_007)), "2000-02-29T00:00:00.007Z");
        assert_eq!(rfc3339(Duration::from_secs(1_795_573_443)), "2026-11-25T02:24:03.000Z");
    }
}
