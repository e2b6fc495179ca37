//! Tests of the picture hash: what can be said without a reference picture. The comparison with Meta's C++ over
//! drawn pictures is a test of the whole crate.

use crate::hash::pdq::{Pdq, dihedral, dihedral_of_luma, of_luma};
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

/// Twelve overlapping discs, other ones for each seed; their edges give every frequency something to say.
fn drawn(width: usize, height: usize, seed: u64) -> Vec<f32> {
    let draw = |k: u64| {
        (seed
            .wrapping_mul(977)
            .wrapping_add(k)
            .wrapping_mul(2_654_435_761)
            >> 7)
            % 1000
    };
    let mut luma = Vec::new();
    for row in 0..height {
        for column in 0..width {
            let (x, y) = (column as f32 / width as f32, row as f32 / height as f32);
            let spot = |k: u64| {
                let [left, top, radius, light] =
                    [0, 1, 2, 3].map(|n| draw(4 * k + n) as f32 / 1000.0);
                let distance = (x - left).powi(2) + (y - top).powi(2);
                if distance < 0.02 + 0.08 * radius {
                    light - 0.5
                } else {
                    0.0
                }
            };
            luma.push(127.0 + 40.0 * (0..12).map(spot).sum::<f32>());
        }
    }
    luma
}

#[test]
fn too_little_to_see_has_no_quality() {
    assert_eq!(of_luma(&[1.0; 16], 4, 4).quality, 0);
    assert_eq!(of_luma(&[1.0; 16], 5, 5).pdq, Pdq([0; 4]));
    assert_eq!(of_luma(&[], usize::MAX, 2).quality, 0);
    assert_eq!(of_luma(&[127.0; 10_000], 100, 100).quality, 0);
    of_luma(&[f32::NAN; 10_000], 100, 100);
    of_luma(&[f32::INFINITY; 64 * 64], 64, 64);
}

#[test]
fn hex_is_refused_unless_64_digits() {
    let digits = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22";
    assert_eq!(
        Pdq::from_hex(digits).map(|pdq| pdq.to_hex()).as_deref(),
        Some(digits)
    );
    assert_eq!(Pdq::from_hex(digits), Pdq::from_hex(&digits.to_uppercase()));
    assert_eq!(Pdq::from_hex(&digits[1..]), None);
    assert_eq!(Pdq::from_hex(&digits.replace("f8f8", "+8f8")), None);
    assert_eq!(Pdq::from_hex(&digits.replace("f8f8", "\u{e9}f8")), None);
}

#[test]
fn a_resized_copy_is_near_and_another_picture_far() {
    let large = of_luma(&drawn(512, 384, 11), 512, 384).pdq;
    let small = of_luma(&drawn(170, 128, 11), 170, 128).pdq;
    let other = of_luma(&drawn(512, 384, 12), 512, 384).pdq;
    assert!(large.distance(&small) <= 31, "{}", large.distance(&small));
    assert!(large.distance(&other) > 60, "{}", large.distance(&other));
}

#[test]
fn mirrored_pixels_are_found_among_the_eight() {
    let (width, height) = (320, 256);
    let luma = drawn(width, height, 5);
    let mirror: Vec<f32> = luma
        .chunks(width)
        .flat_map(|row| row.iter().rev().copied())
        .collect();
    let turns = dihedral_of_luma(&luma, width, height);
    assert_eq!(turns[0], of_luma(&luma, width, height).pdq);
    let found = of_luma(&mirror, width, height).pdq;
    assert!(
        found.distance(&turns[1]) <= 31,
        "{}",
        found.distance(&turns[1])
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn hex_round_trips(words in any::<[u64; 4]>()) {
        prop_assert_eq!(Pdq::from_hex(&Pdq(words).to_hex()), Some(Pdq(words)));
    }

    #[test]
    fn the_eight_are_a_group(words in any::<[u64; 4]>()) {
        let turns = dihedral(&Pdq(words));
        prop_assert_eq!(turns[0], Pdq(words));
        for turn in turns {
            let mut again = dihedral(&turn);
            let mut expected = turns;
            again.sort();
            expected.sort();
            prop_assert_eq!(again, expected);
        }
    }

    #[test]
    fn of_luma_is_total(width in 0usize..80, height in 0usize..80, extra in 0usize..2, values in any::<[f32; 7]>()) {
        let luma: Vec<f32> = values.iter().copied().cycle().take(width * height + extra).collect();
        let picture = of_luma(&luma, width, height);
        prop_assert!(picture.quality <= 100);
        dihedral_of_luma(&luma, width, height);
    }
}
