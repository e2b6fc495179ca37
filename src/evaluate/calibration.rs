//! Which weights do labelled probes ask for?
//!
//! For each relation a logistic regression of "one actor" on the surprise gives the line of its log-likelihood ratio
//! (the odds less the odds of the counted pairs), and its rarest values give the ceiling. Lines are drawn towards the
//! model started from, so that a handful of pairs moves nothing far. Shares of families are searched for; the line from
//! score to odds (Platt 1999) and the thresholds are read off last. Without labels the weights of the last round say how
//! likely each pair is one actor, and all is fitted again (EM; Winkler 1988).

use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use crate::evaluate::counted::{BIN_BITS, Bins, Counted, Pair, Shown};
use crate::evaluate::ladder;
use crate::evaluate::logistic::{Sample, line};
use crate::score::Model;
use crate::score::dial::Dial;
use crate::score::model::{Odds, Row};
use crate::signal::relation::{LEADING_BITS_MIN, Relation, Signal};

/// Rounds of expectation and maximisation for unlabelled probes.
const ROUNDS: usize = 8;
/// Fewest pairs of one actor from which a relation's line is fitted.
const PAIRS_MIN: f64 = 10.0;
/// Share of a ceiling from which on a line is fitted. Pairs that tell less are nearly all strangers', by the hundred thousand,
/// and would bend it away from where verdicts fall.
const LINE_FROM: f64 = 0.5;
/// Pairs of one actor among the rarest values that a ceiling stands on.
const CEILING_PAIRS: f64 = 15.0;
/// Standard deviations within which a line stays near the one started from, in bits and in bits a bit.
const BASE_SPREAD: f64 = 4.0;
const SLOPE_SPREAD: f64 = 0.3;
/// As good as no deviation: a bit of surprise is worth at most a bit, and never less than nothing.
const SLOPE_HELD: f64 = 1e-4;
/// Bounds of what a difference may weigh: evaders change things on purpose, so it never counts much.
const DIFFERENT_MIN: f32 = -1.0;
const DIFFERENT_MAX: f32 = -0.05;
/// Fewest ordinary probes whose pairs tell what a threshold costs.
const DIAL_PROBES_MIN: f64 = 10_000.0;
/// Fewest mirrors on which shares of families are fitted.
const FAMILY_MIRRORS_MIN: f64 = 300.0;
/// Shares of families that are tried.
const SHARES: [f32; 7] = [0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 1.0];

/// What probes asked for.
pub(crate) struct Calibration {
    /// The weights.
    pub(crate) model: Model,
    /// Mirrors among the probes: labelled, or expected.
    pub(crate) mirrors: f64,
    /// The others.
    pub(crate) ordinary: f64,
}

/// Fits the weights of `start` to what probes showed against `entries` entries. With labels one round, without several.
/// `strangers` holds the counts of pairs that are nobody's.
pub(crate) fn fitted(
    start: &Model,
    probes: &[Shown],
    strangers: &Counted,
    entries: u32,
    is_labelled: bool,
    prevalence: Option<f32>,
) -> Calibration {
    let mut model = start.clone();
    let mut counted = Counted::default();
    for _ in 0..if is_labelled { 1 } else { ROUNDS } {
        counted = strangers.clone();
        for shown in probes {
            counted.count(shown, |place, pair| match is_labelled {
                true => f64::from(u8::from(pair.is_right)),
                false if place == 0 => model.probability(pair.score(&model)),
                false => 0.0,
            });
        }
        // Labelled probes are picked by people; only a plain stream tells how frequent mirrors are.
        let share = match is_labelled {
            true => start.mirrors_per_signup,
            false => (counted.mirrors / (counted.mirrors + counted.ordinary).max(1.0)) as f32,
        };
        model.mirrors_per_signup = prevalence.unwrap_or(share).clamp(1e-6, 0.5);
        fit_rows(&mut model, start, &counted, entries);
    }
    if is_labelled && counted.mirrors >= FAMILY_MIRRORS_MIN {
        fit_family(&mut model, probes);
    }
    fit_odds(&mut model, probes, is_labelled);
    if is_labelled && counted.ordinary >= DIAL_PROBES_MIN {
        let prior = model.prior(entries);
        let ordinary = probes.iter().filter(|shown| !shown.is_mirror);
        let strangers = ordinary.flat_map(|shown| &shown.pairs);
        let bits: Vec<f32> = strangers.map(|pair| pair.score(&model) - prior).collect();
        let observed = Dial::observed(bits, counted.ordinary * f64::from(entries));
        model.dial = observed.or(&start.dial);
    }
    Calibration {
        model,
        mirrors: counted.mirrors,
        ordinary: counted.ordinary,
    }
}

fn fit_rows(model: &mut Model, start: &Model, counted: &Counted, entries: u32) {
    let pairs = (
        counted.mirrors.max(1.0),
        counted.ordinary.max(1.0) * f64::from(entries.max(1)),
    );
    for ((signal, relation), bins) in &counted.relations {
        let Some(before) = start.row(*signal, *relation) else {
            continue;
        };
        let of_mirrors: f64 = bins.values().map(|(m, _)| m).sum();
        // What no stranger showed at all, perhaps none of them could: nobody among the probes writes in another script, say.
        let of_strangers: f64 = bins.values().map(|(_, u)| u).sum();
        if of_mirrors < PAIRS_MIN || of_strangers == 0.0 {
            continue;
        }
        let row = match relation {
            Relation::Different => Row {
                base: different(of_mirrors, counted.told.get(signal).copied().unwrap_or(1.0)),
                ..before
            },
            _ => fit_row(before, bins, pairs),
        };
        model.set(row);
    }
    ladder::hold(model, |signal, relation| {
        let bins = counted.relations.get(&(signal, relation));
        bins.map_or(0.0, |bins| bins.values().map(|(m, _)| m).sum())
    });
}

/// log2(m / u) of a difference; almost all strangers differ, so u is 1.
fn different(differing: f64, told: f64) -> f32 {
    let bits = (differing / told.max(1.0)).log2() as f32;
    bits.clamp(DIFFERENT_MIN, DIFFERENT_MAX)
}

/// The line and the ceiling of one relation. `pairs` are all pairs of one actor and all pairs of strangers.
fn fit_row(before: Row, bins: &Bins, pairs: (f64, f64)) -> Row {
    let (reached, strangers) = ceiling(bins, pairs);
    let known = f64::from(before.bits_max);
    let ceiling = match strangers > 0.0 {
        true => reached,
        // No stranger was seen up there: few pairs are no reason to trust rare values less than before.
        false => reached.max(known),
    };
    let ceiling = ceiling.min(known + 3.0 * BASE_SPREAD);
    let offset = (pairs.0 / pairs.1).log2();
    let mut row = Row {
        bits_max: ceiling as f32,
        ..before
    };
    // Values beyond the ceiling do not lie on the line.
    for _ in 0..2 {
        // Commoner values lead to nobody by themselves, so their pairs are not all seen.
        let told = |bin: u16| f64::from(row.base + row.slope * at(bin));
        let below = |bin: u16| at(bin) >= LEADING_BITS_MIN && told(bin) < ceiling + 2.0;
        let is_high = |bin: u16| told(bin) >= LINE_FROM * ceiling;
        let is_any_high = bins
            .iter()
            .any(|(bin, (m, _))| *m > 0.0 && below(*bin) && is_high(*bin));
        let samples: Vec<Sample> = (bins.iter())
            // Where no mirror is seen at all, entries of that kind are not copied here; of m that says nothing.
            .filter(|(bin, (m, _))| *m > 0.0 && below(**bin) && (is_high(**bin) || !is_any_high))
            .map(|(bin, (m, u))| Sample {
                x: f64::from(at(*bin)),
                offset,
                yes: *m,
                no: *u,
            })
            .collect();
        let near = (f64::from(before.base), f64::from(before.slope));
        let (mut base, mut slope) = line(&samples, near, (BASE_SPREAD, SLOPE_SPREAD));
        if !(0.0..=1.0).contains(&slope) {
            slope = slope.clamp(0.0, 1.0);
            (base, _) = line(&samples, (near.0, slope), (BASE_SPREAD, SLOPE_HELD));
        }
        (row.base, row.slope) = (base as f32, slope as f32);
    }
    row
}

/// What the rarest values are worth for sure: of all cuts that leave enough pairs of one actor above, the best, with one
/// stranger more than were seen; and how many were.
fn ceiling(bins: &Bins, pairs: (f64, f64)) -> (f64, f64) {
    let (mut m, mut u, mut best) = (0.0, 0.0, (f64::NEG_INFINITY, 0.0));
    for (_, (of_mirrors, of_strangers)) in bins.iter().rev() {
        m += of_mirrors;
        u += of_strangers;
        if m >= CEILING_PAIRS {
            let bits = (m / pairs.0).log2() - ((u + 1.0) / pairs.1).log2();
            if bits > best.0 {
                best = (bits, u);
            }
        }
    }
    match best.0.is_finite() {
        true => best,
        false => (
            ((m + 0.5) / pairs.0).log2() - ((u + 1.0) / pairs.1).log2(),
            u,
        ),
    }
}

fn at(bin: u16) -> f32 {
    (f32::from(bin) + 0.5) * BIN_BITS
}

/// Tries shares of each family in turn and keeps the likeliest.
fn fit_family(model: &mut Model, probes: &[Shown]) {
    let shares: [fn(&mut Model) -> &mut f32; 3] = [
        |model| &mut model.family.handle_name,
        |model| &mut model.family.reach,
        |model| &mut model.family.network,
    ];
    for share in shares {
        let tried = SHARES.map(|value| {
            let mut other = model.clone();
            *share(&mut other) = value;
            (loss(&other, probes), value)
        });
        let best = tried.into_iter().min_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((_, value)) = best {
            *share(model) = value;
        }
    }
}

/// Cross-entropy of the decisive pairs, mirrors weighed to be as frequent as the model expects.
fn loss(model: &Model, probes: &[Shown]) -> f64 {
    let weight = mirror_weight(model, probes);
    let of = |shown: &Shown| match decisive(model, shown) {
        None => 0.0,
        Some((pair, score)) => {
            let odds = f64::from(score) * std::f64::consts::LN_2;
            match pair.is_right {
                true => weight * (-odds).exp().ln_1p(),
                false if shown.is_mirror => 0.0,
                false => odds.exp().ln_1p(),
            }
        }
    };
    probes.par_iter().map(of).sum()
}

/// The pair that decides: a mirror's right one, another's best one.
fn decisive<'p>(model: &Model, shown: &'p Shown) -> Option<(&'p Pair, f32)> {
    let scored = shown.pairs.iter().map(|pair| (pair, pair.score(model)));
    match shown.is_mirror {
        true => scored.into_iter().find(|(pair, _)| pair.is_right),
        false => scored.max_by(|a, b| a.1.total_cmp(&b.1)),
    }
}

/// How much a mirror among the probes counts for, that mirrors are as frequent as the model expects.
fn mirror_weight(model: &Model, probes: &[Shown]) -> f64 {
    let mirrors = probes.iter().filter(|shown| shown.is_mirror).count() as f64;
    let share = f64::from(model.mirrors_per_signup);
    (probes.len() as f64 - mirrors).max(1.0) * share / (1.0 - share) / mirrors.max(1.0)
}

/// The line from score to log2 odds, on the best pair of every probe.
fn fit_odds(model: &mut Model, probes: &[Shown], is_labelled: bool) {
    if !is_labelled {
        return;
    }
    let weight = mirror_weight(model, probes);
    let sample = |shown: &Shown| {
        let scored = shown.pairs.iter().map(|pair| (pair, pair.score(model)));
        let (pair, score) = scored.max_by(|a, b| a.1.total_cmp(&b.1))?;
        let weight = if shown.is_mirror { weight } else { 1.0 };
        let (yes, no) = if pair.is_right {
            (weight, 0.0)
        } else {
            (0.0, weight)
        };
        Some(Sample {
            x: f64::from(score),
            offset: 0.0,
            yes,
            no,
        })
    };
    let samples: Vec<Sample> = probes.iter().filter_map(sample).collect();
    let near = (f64::from(model.odds.base), f64::from(model.odds.slope));
    let (base, slope) = line(&samples, near, (BASE_SPREAD, SLOPE_SPREAD));
    model.odds = Odds {
        base: base as f32,
        slope: slope.clamp(0.2, 2.0) as f32,
    };
}

/// The model under which the scores of judged pairs are worth what people said: the line from score to odds alone. People
/// judge what was flagged, so that a weight or a threshold cannot be read off their answers.
pub(crate) fn judged(start: &Model, pairs: &[(f32, bool)]) -> Model {
    let sample = |(score, is_mirror): &(f32, bool)| Sample {
        x: f64::from(*score),
        offset: 0.0,
        yes: f64::from(u8::from(*is_mirror)),
        no: f64::from(u8::from(!*is_mirror)),
    };
    let samples: Vec<Sample> = pairs.iter().map(sample).collect();
    let near = (f64::from(start.odds.base), f64::from(start.odds.slope));
    let (base, slope) = line(&samples, near, (BASE_SPREAD, SLOPE_SPREAD));
    let mut model = start.clone();
    model.odds = Odds {
        base: base as f32,
        slope: slope.clamp(0.2, 2.0) as f32,
    };
    model
}

/// Signals that labelled probes showed too seldom to be fitted, which keep the weights started from.
pub(crate) fn unfitted(strangers: &Counted, probes: &[Shown]) -> Vec<(Signal, Relation)> {
    let mut counted = strangers.clone();
    for shown in probes {
        counted.count(shown, |_, pair| f64::from(u8::from(pair.is_right)));
    }
    let few = |bins: &Bins| bins.values().map(|(m, _)| m).sum::<f64>() < PAIRS_MIN;
    let relations = counted.relations.iter().filter(|(_, bins)| few(bins));
    relations.map(|(key, _)| *key).collect()
}
