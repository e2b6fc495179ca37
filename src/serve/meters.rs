//! What an operator watches: Prometheus metrics.

use std::cell::{Cell, RefCell};
use std::sync::OnceLock;
use std::time::Duration;

use metrics::{Counter, Histogram, counter, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Upper bounds of the latency histograms, in seconds.
const SECONDS: [f64; 14] = [
    0.0001, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0,
];

/// Upper bounds of the histogram of entries compared.
const ENTRIES: [f64; 8] = [1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0];

/// Every so many measurements of a thread all are put into their buckets; until then each is held by itself, and where nobody
/// asks for the metrics nothing else would put them there.
const KEPT_UP_EVERY: u32 = 2_048;

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

/// What is counted of the answers of one status on one path.
struct Answers {
    route: String,
    status: u16,
    count: Counter,
    seconds: Histogram,
}

thread_local! {
    /// Asked of the recorder once and held: the look-up costs more than what is counted. As many as there are paths and statuses.
    static ANSWERS: RefCell<Vec<Answers>> = const { RefCell::new(Vec::new()) };
    static STAGES: RefCell<Vec<(&'static str, Histogram)>> = const { RefCell::new(Vec::new()) };
    static MEASURED: Cell<u32> = const { Cell::new(0) };
}

/// Puts what was measured into its buckets now and then.
fn keep_up() {
    let measured = MEASURED.get().wrapping_add(1);
    MEASURED.set(measured);
    if measured.is_multiple_of(KEPT_UP_EVERY)
        && let Some(recorder) = recorder()
    {
        recorder.run_upkeep();
    }
}

/// A request that was answered.
pub(crate) fn answered(route: &str, status: u16, took: Duration) {
    keep_up();
    ANSWERS.with_borrow_mut(|answers| {
        let is_same = |held: &&Answers| held.status == status && held.route == route;
        if let Some(held) = answers.iter().find(is_same) {
            held.count.increment(1);
            held.seconds.record(took);
            return;
        }
        // What is asked for before there is a recorder would count nothing for ever.
        recorder();
        let (path, code) = (route.to_owned(), status.to_string());
        let held = Answers {
            count: counter!("mirrorwatch_http_requests_total", "route" => path.clone(), "status" => code),
            seconds: histogram!("mirrorwatch_http_seconds", "route" => path.clone()),
            route: path,
            status,
        };
        held.count.increment(1);
        held.seconds.record(took);
        answers.push(held);
    });
}

/// A stage of a request.
pub(crate) fn stage(stage: &'static str, took: Duration) {
    keep_up();
    STAGES.with_borrow_mut(|stages| {
        if let Some((_, seconds)) = stages.iter().find(|(name, _)| *name == stage) {
            seconds.record(took);
            return;
        }
        recorder();
        let seconds = histogram!("mirrorwatch_stage_seconds", "stage" => stage);
        seconds.record(took);
        stages.push((stage, seconds));
    });
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_and_stage_is_counted_once_under_its_own_name() {
        let took = Duration::from_millis(3);
        for _ in 0..KEPT_UP_EVERY {
            answered("/of/this/test", 200, took);
            stage("of this test", took);
        }
        answered("/of/this/test", 404, took);
        let text = recorder().unwrap().render();
        let told = |line: &str| assert!(text.lines().any(|held| held == line), "{line}\n{text}");
        told(r#"mirrorwatch_http_requests_total{route="/of/this/test",status="200"} 2048"#);
        told(r#"mirrorwatch_http_requests_total{route="/of/this/test",status="404"} 1"#);
        told(r#"mirrorwatch_http_seconds_count{route="/of/this/test"} 2049"#);
        told(r#"mirrorwatch_stage_seconds_count{stage="of this test"} 2048"#);
    }
}
