//! What an operator watches: Prometheus metrics.

use std::sync::OnceLock;
use std::time::Duration;

use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Upper bounds of the latency histograms, in seconds.
const SECONDS: [f64; 14] = [
    0.0001, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0,
];

/// Upper bounds of the histogram of entries compared.
const ENTRIES: [f64; 8] = [1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0];

/// The one recorder of the process, or `None` where another was installed.
pub(crate) fn recorder() -> Option<PrometheusHandle> {
    static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    let install = || {
        let suffix = Matcher::Suffix("_seconds".to_owned());
        let builder = PrometheusBuilder::new().set_buckets_for_metric(suffix, &SECONDS);
        let counts = Matcher::Full("mirrorwatch_candidates".to_owned());
        let builder = builder.and_then(|builder| builder.set_buckets_for_metric(counts, &ENTRIES));
        builder.ok()?.install_recorder().ok()
    };
    RECORDER.get_or_init(install).clone()
}

/// A request that was answered.
pub(crate) fn answered(route: &str, status: u16, took: Duration) {
    let route = route.to_owned();
    counter!("mirrorwatch_http_requests_total", "route" => route.clone(), "status" => status.to_string()).increment(1);
    histogram!("mirrorwatch_http_seconds", "route" => route).record(took);
}

/// A stage of a request.
pub(crate) fn stage(stage: &'static str, took: Duration) {
    histogram!("mirrorwatch_stage_seconds", "stage" => stage).record(took);
}

/// A verdict that was given.
pub(crate) fn verdict(verdict: &'static str, cuts: u32, compared: u32) {
    histogram!("mirrorwatch_candidates").record(compared);
    counter!("mirrorwatch_verdicts_total", "verdict" => verdict).increment(1);
    counter!("mirrorwatch_cuts_total").increment(u64::from(cuts));
}

/// A retro-match.
pub(crate) fn retro_matched(count: usize) {
    counter!("mirrorwatch_retro_matches_total").increment(count as u64);
}

/// A burst.
pub(crate) fn burst(near: &'static str) {
    counter!("mirrorwatch_bursts_total", "near" => near).increment(1);
}

/// A judgment.
pub(crate) fn judged(answer: &'static str) {
    counter!("mirrorwatch_judgments_total", "answer" => answer).increment(1);
}

/// What is so now.
pub(crate) fn level(name: &'static str, value: f64) {
    gauge!(name).set(value);
}
