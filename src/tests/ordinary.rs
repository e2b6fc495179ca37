//! Ordinary people have with the banned in common what many have: they stay clear, and whoever keeps what few have is found.

use serde_json::{Value, json};

use crate::signal::relation::{Relation, Signal};
use crate::tests::Watch;
use crate::tests::cast::png;
use crate::verdict::Verdict;

const NETWORKS: [&str; 5] = ["tormand", "velmint", "zorvani", "sorran", "vorrow"];
const CHARITY: &str = "https://ummahrelieffund.example";

fn linking(id: String, network: &str, link: &str) -> Value {
    json!({"id": id, "platform": "x", "links": [link], "ban": {"network": network}})
}

/// `len` entries of all networks link to a charity and as many of one network to its course: only the course tells.
fn linked_by_all_and_by_one(len: usize) {
    let own = "https://velmintcourse.example";
    let charity = (0..len).map(|at| linking(format!("x:c{at}"), NETWORKS[at % 5], CHARITY));
    let course = (0..len).map(|at| linking(format!("x:v{at}"), "velmint", own));
    let watch = Watch::of(charity.chain(course));
    watch.clears(json!({"handle": "amna.writes", "display_name": "Amna", "links": [CHARITY]}));
    let returned = watch.screen(json!({"handle": "sunny_days", "links": [own]}));
    assert!(returned.score > 0.0, "{}", returned.score);
}

#[test]
fn a_charity_that_operators_of_several_networks_link_to_is_everybodys() {
    linked_by_all_and_by_one(5);
}

#[test]
fn many_networks_are_told_from_one_among_many_carriers_too() {
    linked_by_all_and_by_one(40);
}

#[test]
fn a_picture_of_many_networks_is_common_on_a_short_list_too() {
    let posing = |id: String, at: usize, network: &str, seed: u64| {
        let name = ["Osman", "Rustam", "Hatim", "Jalil", "Sohrab"][at];
        json!({"id": id, "platform": "x", "display_name": format!("{name} Terrikzai"), "avatar": png(seed), "ban": {"network": network}})
    };
    let networks = NETWORKS.iter().enumerate();
    let flag = networks.map(|(at, network)| posing(format!("x:f{at}"), at, network, 31));
    let logo = (0..5).map(|at| posing(format!("x:l{at}"), at, "velmint", 32));
    let watch = Watch::of(flag.chain(logo));
    watch.clears(json!({"display_name": "Nadia Terrikzai", "avatar": png(31)}));
    let returned = watch.screen(json!({"display_name": "Nadia Terrikzai", "avatar": png(32)}));
    assert!(returned.verdict != Verdict::Clear, "{}", returned.score);
}

#[test]
fn colleagues_whose_profiles_follow_one_template_are_not_one_person() {
    let watch = Watch::of([
        json!({"id": "x:desk", "platform": "x", "handle": "nadia.velmark", "display_name": "Nadia Velmark",
        "bio": "Correspondent @zorvanitimes. RTs not endorsements"}),
    ]);
    watch.clears(
        json!({"handle": "osman_terrik", "display_name": "Osman Terrik",
        "bio": "Correspondent @zorvanitimes. RTs not endorsements"}),
    );
}

#[test]
fn who_writes_of_the_banned_and_had_another_account_is_not_the_banned() {
    let watch = Watch::of([json!({"id": "x:desk", "platform": "x", "handle": "voice_of_badghar"})]);
    watch.clears(json!({"handle": "anna.reports2", "display_name": "Anna Weller",
        "bio": "My old account @anna_reports is gone. I cover wars, exiles, and the men behind @voice_of_badghar"}));
    for bio in [
        "prev @voice_of_badghar",
        "زوړ اکاونټ @voice_of_badghar",
        "@voice_of_badghar was suspended",
    ] {
        watch.finds_by(
            "x:desk",
            Signal::Contact,
            Relation::Announces,
            json!({"handle": "user5880540", "bio": bio}),
        );
    }
}
