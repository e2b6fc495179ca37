//! Which accounts are found, and which are left alone? One story per kind of mirror, with its near misses beside it.
//!
//! All stories share one small watchlist of made-up accounts among some hundred strangers.

use std::sync::LazyLock;

use serde_json::json;

use crate::signal::relation::{Relation, Signal};
use crate::tests::Watch;
use crate::tests::cast::{drawing, entries, jpeg, png, png_of, strangers};

pub(super) static WATCH: LazyLock<Watch> =
    LazyLock::new(|| Watch::of(entries().into_iter().chain(strangers())));

#[test]
fn another_alphabet_in_the_handle() {
    let by = |handle: &str| {
        WATCH.finds_by(
            "x:dispatch",
            Signal::Handle,
            Relation::Disguised,
            json!({ "handle": handle }),
        )
    };
    by("zоrvаni_dispаtch");
    by("zοrναni_dispatch");
}

#[test]
fn digits_after_or_counted_on() {
    WATCH.finds_by(
        "x:dispatch",
        Signal::Handle,
        Relation::Renumbered,
        json!({"handle": "zorvani_dispatch2026"}),
    );
    WATCH.finds_by(
        "x:kelmora",
        Signal::Handle,
        Relation::Renumbered,
        json!({"handle": "kelmora_sentinel8"}),
    );
    WATCH.finds_by(
        "x:kelmora",
        Signal::Handle,
        Relation::Renumbered,
        json!({"handle": "kelmora.sentinel"}),
    );
    // Only the number is the same, or the name is anybody's.
    WATCH.clears(json!({"handle": "juniper_meadow7"}));
    WATCH.clears(json!({"handle": "noor786"}));
    WATCH.clears(json!({"handle": "778813"}));
}

#[test]
fn digits_for_letters() {
    WATCH.finds_by(
        "x:dispatch",
        Signal::Handle,
        Relation::Leet,
        json!({"handle": "z0rv4ni_d1sp4tch"}),
    );
    WATCH.finds_by(
        "x:long",
        Signal::Handle,
        Relation::Leet,
        json!({"handle": "ther4venofg4llowmere"}),
    );
    WATCH.clears(json!({"handle": "n00r"}));
}

#[test]
fn words_swapped_and_numbers_moved() {
    let by = |handle: &str| {
        let probe = json!({ "handle": handle });
        WATCH.finds_by("x:dispatch", Signal::Handle, Relation::Reordered, probe);
    };
    by("dispatch_zorvani");
    by("2024.zorvani-dispatch");
    by("DispatchZorvani99");
}

#[test]
fn chains_of_lookalikes_do_not_make_strangers_equal() {
    for handle in ["1ll1", "i11i", "lili", "iIIi", "I1l"] {
        WATCH.clears(json!({ "handle": handle }));
    }
}

#[test]
fn separators_and_doubled_letters() {
    for handle in [
        "zorvani.dispatch",
        "zorvanidispatch",
        "z_o_r_v_a_n_i_dispatch",
        "@Zorvani-Dispatch",
    ] {
        WATCH.finds_by(
            "x:dispatch",
            Signal::Handle,
            Relation::Same,
            json!({ "handle": handle }),
        );
    }
    WATCH.finds_by(
        "x:dispatch",
        Signal::Handle,
        Relation::Edited1,
        json!({"handle": "zorvanii_dispatch"}),
    );
    WATCH.finds_by(
        "x:long",
        Signal::Handle,
        Relation::Edited2,
        json!({"handle": "theraavenofgalllowmere"}),
    );
}

#[test]
fn a_word_before_or_after() {
    WATCH.finds_by(
        "x:dispatch",
        Signal::Handle,
        Relation::Affixed,
        json!({"handle": "the_real_zorvani_dispatch"}),
    );
    WATCH.finds_by(
        "x:dispatch",
        Signal::Handle,
        Relation::Affixed,
        json!({"handle": "zorvani_dispatch_official"}),
    );
    WATCH.finds(
        "x:dispatch",
        json!({"handle": "zorvani_dispatch_live", "display_name": "Tazmin Qelloran"}),
    );
    WATCH.clears(json!({"handle": "the_real_noor"}));
    WATCH.clears(json!({"handle": "dispatch_official"}));
}

#[test]
fn letters_swapped_or_the_end_cut() {
    WATCH.finds_by(
        "x:dispatch",
        Signal::Handle,
        Relation::Edited1,
        json!({"handle": "zorvain_dispatch"}),
    );
    WATCH.finds_by(
        "x:long",
        Signal::Handle,
        Relation::Truncated,
        json!({"handle": "theravenofgallow"}),
    );
    WATCH.finds_by(
        "x:long",
        Signal::Handle,
        Relation::Edited1,
        json!({"handle": "theravenofgalowmere"}),
    );
    WATCH.clears(json!({"handle": "theraven"}));
    WATCH.clears(json!({"handle": "nour"}));
}

#[test]
fn the_handle_in_another_script_or_without_vowels() {
    let by = |entry: &str, relation, handle: &str| {
        let probe = json!({ "handle": handle });
        WATCH.finds_by(entry, Signal::Handle, relation, probe);
    };
    by("x:dispatch", Relation::Transliterated, "зорвани_диспатч");
    by("x:dispatch", Relation::Transliterated, "زوروانی_دیسپاتچ");
    by("x:long", Relation::Transliterated, "थेरावेनोफगल्लोव्मेरे");
    by("x:dispatch", Relation::Abbreviated, "zrvn_dsptch");
    by("x:long", Relation::Abbreviated, "thrvnfgllwmr");
    for handle in ["ахан", "آخان", "нур", "vdispatch", "нурдиспатч"] {
        WATCH.clears(json!({ "handle": handle }));
    }
}

#[test]
fn the_name_in_another_script() {
    for name in ["Qasim Tormandi Khelwal", "Qasem Turmandi Khailwal"] {
        let found = WATCH.finds(
            "x:qasim",
            json!({"handle": "kohistan_qalam", "display_name": name}),
        );
        assert_eq!(
            found.evidence.comparison(Signal::Name).relation,
            Relation::SameSound,
            "{name}"
        );
    }
    // Arabic keyboard letters where Urdu ones stood, vowel marks, a tatweel.
    WATCH.finds_by(
        "x:qasim",
        Signal::Name,
        Relation::Same,
        json!({"handle": "kohistan_qalam", "display_name": "قاسم تورمندي خيلوال"}),
    );
    WATCH.finds_by(
        "x:urdu",
        Signal::Name,
        Relation::Same,
        json!({"handle": "karwan_urdu2", "display_name": "كاروان زيمر یكجهتي"}),
    );
    WATCH.clears(json!({"display_name": "قاسم خان"}));
    WATCH.clears(json!({"display_name": "Qasim Tormo"}));
}

#[test]
fn fancy_letters_and_invisible_marks() {
    let by = |name: &str| {
        WATCH.finds_by(
            "x:dispatch",
            Signal::Name,
            Relation::Same,
            json!({"display_name": name, "links": ["t.me/zorvanidsp"]}),
        );
    };
    by("𝑻𝒂𝒛𝒎𝒊𝒏 𝕼𝖊𝖑𝖑𝖔𝖗𝖆𝖓");
    by("Ｔａｚｍｉｎ　Ⓠⓔⓛⓛⓞⓡⓐⓝ");
    by("Taz\u{200b}m\u{2060}in Qel\u{200d}loran\u{feff}");
    by("🔥 Tazmin Qelloran 🔥");
    WATCH.clears(json!({"display_name": "🔥 Tarzan 🔥"}));
}

#[test]
fn the_same_picture_saved_again_or_mirrored() {
    let same = |picture| json!({"handle": "zorvani_desk", "avatar": picture, "bio": "hourly reports from the plateau"});
    WATCH.finds_by("x:dispatch", Signal::Avatar, Relation::Near10, same(png(1)));
    WATCH.finds("x:dispatch", same(jpeg(drawing(1), 40)));
    let small = image::imageops::thumbnail(&drawing(1), 96, 96);
    WATCH.finds("x:dispatch", same(jpeg(small, 75)));
    let mirrored = image::imageops::flip_horizontal(&drawing(1));
    WATCH.finds_by(
        "x:dispatch",
        Signal::Avatar,
        Relation::Turned,
        same(png_of(mirrored)),
    );
    // The default picture, and another picture.
    WATCH.clears(json!({"handle": "plain_newcomer", "avatar": png(99)}));
    WATCH.clears(json!({"handle": "plain_newcomer", "avatar": png(3)}));
}

#[test]
fn the_bio_reworded_cut_or_turned_round() {
    let with = |bio: &str| json!({"handle": "sunlo_zara", "display_name": "Tariq", "bio": bio});
    WATCH.finds("x:bio", with("Falconer documenting forbidden mountain shrines, old smuggler trails and lantern festivals around Qarzamin"));
    WATCH.finds(
        "x:bio",
        with("forbidden mountain shrines, smuggler trails and lantern festivals near Qarzamin"),
    );
    WATCH.finds("x:bio", with("Smuggler trails and lantern festivals near Qarzamin. Wandering falconer documenting forbidden mountain shrines"));
    WATCH.clears(json!({"handle": "sunlo_zara", "bio": "Wandering photographer, mountain trails and coffee"}));
    WATCH.clears(with("Opinions are my own. Coffee lover. Dad of two."));
}

#[test]
fn the_same_link_however_written() {
    for link in [
        "t.me/zorvanidsp",
        "https://telegram.me/ZorvaniDsp?utm_source=x",
        "http://t.me/s/zorvanidsp/",
        "hxxps://t[.]me/zorvanidsp",
    ] {
        WATCH.finds_by(
            "x:dispatch",
            Signal::Link,
            Relation::Same,
            json!({"handle": "plateau_tales", "links": [link]}),
        );
    }
    let invite = json!({"display_name": "Club 9", "bio": "join https://chat.whatsapp.com/Kx81ZqPmWvT3yLr0NdBa2C?mode=r_c"});
    WATCH.finds_by("whatsapp:gainers", Signal::Link, Relation::Same, invite);
    WATCH.clears(json!({"handle": "plateau_tales", "links": ["https://t.me/durov"]}));
    WATCH.clears(json!({"handle": "plateau_tales", "links": ["https://www.youtube.com/"]}));
    WATCH.clears(json!({"handle": "plateau_tales", "bio": "https://chat.whatsapp.com/"}));
}

#[test]
fn the_same_phone_wallet_or_token() {
    for bio in [
        "رابطہ +۴۴ ۲۰ ۷۹۴۶ ۰۶۲۸",
        "call 0044 (0)20-7946-0628",
        "+44٢٠٧٩٤٦٠٦٢٨",
    ] {
        WATCH.finds_by(
            "facebook:phone",
            Signal::Contact,
            Relation::Same,
            json!({ "bio": bio }),
        );
    }
    WATCH.finds_by("x:wallet", Signal::Contact, Relation::Same,
        json!({"handle": "seven_lessons", "bio": "Course: BC1QTR773LFR30RN9KP0N7HC9TAX0DH4CS7Y9TXHVE"}));
    WATCH.finds_by(
        "x:device",
        Signal::Token,
        Relation::Same,
        json!({"handle": "sunny_days", "tokens": {"device": "dv-77ab01", "email": "9f3c"}}),
    );
    WATCH.clears(json!({"bio": "call +44 20 7946 0629"}));
    WATCH.clears(json!({"handle": "sunny_days", "tokens": {"device": "dv-77ab02"}}));
}

#[test]
fn it_says_itself_whose_backup_it_is() {
    let backup = json!({"handle": "plateau_two", "display_name": "Zorvani plateau", "bio": "backup of @zorvani_dispatch, old account suspended", "links": ["t.me/zorvanidsp"]});
    WATCH.finds_by("x:dispatch", Signal::Contact, Relation::Announces, backup);
    WATCH.clears(json!({"handle": "anna.reports", "display_name": "Anna Weller", "bio": "Journalist. I wrote about @zorvani_dispatch and its ban"}));
    WATCH.clears(
        json!({"handle": "not_that_dispatch", "bio": "Parody. Not @zorvani_dispatch, thank god"}),
    );
    WATCH.clears(json!({"handle": "plateau_fan", "display_name": "Plateau Fan", "bio": "fan of @zorvani_dispatch"}));
}

#[test]
fn the_handle_became_the_name_and_the_other_platform() {
    WATCH.finds_by(
        "x:crossed",
        Signal::Name,
        Relation::Crossed,
        json!({"handle": "hello_again_x", "display_name": "Thornfield Oracle"}),
    );
    WATCH.finds("x:dispatch", json!({"id": "tiktok:5", "platform": "tiktok", "handle": "zorvanidispatch", "display_name": "Tazmin Qelloran"}));
    WATCH.clears(json!({"handle": "m.ashdown", "display_name": "Margaret Ashdown"}));
}

#[test]
fn family_names_and_common_phrases_are_anybodys() {
    WATCH.clears(json!({"handle": "bilal.khan.pk", "display_name": "Bilal Khan"}));
    WATCH.clears(json!({"handle": "ahmed_k_92", "display_name": "Ahmed Khan"}));
    WATCH.clears(
        json!({"handle": "best_dad", "bio": "Opinions are my own. Coffee lover. Dad of two."}),
    );
}

#[test]
fn entries_of_one_network_lend_each_other_what_they_lack() {
    let lent = WATCH.finds(
        "x:net1",
        json!({"handle": "murghesahar_on3", "avatar": png(2)}),
    );
    assert!(lent.score.bits(Signal::Network) > 0.0);
}

#[test]
fn the_sooner_after_the_ban_the_more_it_says() {
    let at = |time: &str| {
        let probe = json!({"handle": "zorvani_dispatch9", "created_at": time});
        WATCH.finds("x:dispatch", probe).score.bits(Signal::Time)
    };
    let (hour, week, year, before) = (
        at("2026-10-01T00:40:00Z"),
        at("2026-10-08T00:00:00Z"),
        at("2027-10-01T00:00:00Z"),
        at("2026-09-01T00:00:00Z"),
    );
    assert!(hour > week && week > 0.0, "{hour} {week}");
    assert_eq!((year, before), (0.0, 0.0));
}

#[test]
fn an_account_that_tells_nothing_is_clear() {
    WATCH.clears(json!({}));
    WATCH.clears(json!({"handle": "___", "display_name": "🙂", "bio": "."}));
}
