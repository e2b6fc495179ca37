//! More agreement never weighs less: the rows of one ladder, held in order.
//!
//! A relation that few labelled pairs show may come out of the fit below one that agrees less. Neighbours in the wrong order
//! are pooled, each weighed by the pairs it was fitted to (isotonic regression by pooling adjacent violators; Ayer et al.
//! 1955), at both ends of a line and for the ceiling; lines ordered at both ends are ordered between.

use crate::score::Model;
use crate::score::model::Row;
use crate::signal::relation::{LADDERS, Relation, Signal};

/// Surprise, in bits, up to which lines are held in order; ceilings bind before.
const FAR: f32 = 64.0;

/// Puts the rows of every ladder in order. `pairs` tells how many pairs of one actor a row was fitted to.
pub(crate) fn hold(model: &mut Model, pairs: impl Fn(Signal, Relation) -> f64) {
    for (signal, ladder) in LADDERS {
        let rows: Vec<Row> = (ladder.iter())
            .filter_map(|relation| model.row(signal, *relation))
            .collect();
        let held = |of: fn(&Row) -> f32| {
            let weighed = |row: &Row| (of(row), 1.0 + pairs(signal, row.relation));
            falling(&rows.iter().map(weighed).collect::<Vec<_>>())
        };
        let near = held(|row| row.base);
        let far = held(|row| row.base + FAR * row.slope);
        let ceilings = held(|row| row.bits_max);
        for (((row, base), far), bits_max) in rows.iter().zip(near).zip(far).zip(ceilings) {
            model.set(Row {
                base,
                slope: ((far - base) / FAR).clamp(0.0, 1.0),
                bits_max,
                ..*row
            });
        }
    }
}

/// The values that never rise and are nearest to `values` of these weights.
fn falling(values: &[(f32, f64)]) -> Vec<f32> {
    // Each pool: the sum of its weighed values, its weight, how many values it is made of.
    let mut pools: Vec<(f64, f64, usize)> = Vec::new();
    for (value, weight) in values {
        let mut last = (f64::from(*value) * weight, *weight, 1);
        while let Some(before) = pools.pop_if(|pool| pool.0 / pool.1 < last.0 / last.1) {
            last = (last.0 + before.0, last.1 + before.1, last.2 + before.2);
        }
        pools.push(last);
    }
    let pooled = |(sum, weight, len): &(f64, f64, usize)| vec![(sum / weight) as f32; *len];
    pools.iter().flat_map(pooled).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::relation::Comparison;
    use proptest::prelude::*;

    #[test]
    fn neighbours_in_the_wrong_order_are_pooled() {
        let values = [(5.0, 1.0), (1.0, 3.0), (5.0, 1.0), (0.0, 1.0)];
        assert_eq!(falling(&values), [5.0, 2.0, 2.0, 0.0]);
        assert_eq!(falling(&[]), [0.0; 0]);
    }

    #[track_caller]
    fn check_order(model: &Model, surprise: f32) {
        for (signal, ladder) in LADDERS {
            let rows = ladder.iter().filter(|r| model.row(signal, **r).is_some());
            let bits: Vec<f32> = rows
                .map(|r| model.bits(signal, Comparison::new(*r, surprise)))
                .collect();
            // A model file keeps three digits.
            let is_falling = bits.windows(2).all(|pair| pair[0] >= pair[1] - 0.05);
            assert!(is_falling, "{signal:?} at {surprise}: {bits:?}");
        }
    }

    proptest! {
        #[test]
        fn more_agreement_never_weighs_less(
            lines in proptest::collection::vec((-10f32..20.0, 0f32..=1.0, 0f32..35.0, 0f64..500.0), 32),
            surprise in 0f32..64.0,
        ) {
            let mut model = Model::default();
            let rows: Vec<Row> = model.rows().copied().collect();
            for (row, (base, slope, bits_max, _)) in rows.iter().zip(&lines) {
                if row.relation != Relation::Different {
                    model.set(Row { base: *base, slope: *slope, bits_max: *bits_max, ..*row });
                }
            }
            hold(&mut model, |_, relation| lines[relation as usize].3);
            check_order(&model, surprise);
            let before = model.clone();
            hold(&mut model, |_, relation| lines[relation as usize].3);
            for (row, again) in before.rows().zip(model.rows()) {
                prop_assert!((row.base - again.base).abs() < 1e-3 && (row.slope - again.slope).abs() < 1e-3);
            }
        }

        #[test]
        fn the_shipped_model_is_in_order(surprise in 0f32..64.0) {
            check_order(&Model::default(), surprise);
        }
    }
}
