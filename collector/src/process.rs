//! What the operating system says about this process: `otelcol_process_*`.
//!
//! Knows: `/proc/self`. Must not know: who asks. Start at [`sample`].

use std::sync::OnceLock;
use std::time::Instant;

/// Clock ticks a second that Linux reports CPU time in.
const TICKS_PER_SECOND: u64 = 100;
const PAGE_BYTES: u64 = 4096;

/// One look at the process.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sample {
    pub(crate) uptime_seconds: f64,
    pub(crate) cpu_seconds: f64,
    pub(crate) rss_bytes: u64,
}

/// Reads the numbers; what cannot be read is 0.
pub(crate) fn sample() -> Sample {
    static BEGIN: OnceLock<Instant> = OnceLock::new();
    let begin = BEGIN.get_or_init(Instant::now);
    let rss_pages = std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| text.split_whitespace().nth(1)?.parse::<u64>().ok())
        .unwrap_or(0);
    let ticks =
        std::fs::read_to_string("/proc/self/stat").ok().and_then(|text| cpu_ticks(&text)).unwrap_or(0);
    let millis = u32::try_from(ticks * 1000 / TICKS_PER_SECOND).unwrap_or(u32::MAX);
    Sample {
        uptime_seconds: begin.elapsed().as_secs_f64(),
        cpu_seconds: f64::from(millis) / 1000.0,
        rss_bytes: rss_pages * PAGE_BYTES,
    }
}

/// Fields 14 (user) and 15 (system) of `stat`, counted behind the name, which may hold anything.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_found_behind_any_name() {
        let stat = "42 (a b) c) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0";
        assert_eq!(cpu_ticks(stat), Some(300));
        assert!(sample().rss_bytes > 0);
    }
}
