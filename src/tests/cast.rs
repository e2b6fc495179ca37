//! The made-up accounts that the stories of `screen` are about, and their pictures.

use std::io::Cursor;

use base64::Engine as _;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};

/// A picture of soft blobs, different for every seed.
pub(super) fn drawing(seed: u64) -> RgbImage {
    let mut random = fastrand::Rng::with_seed(seed);
    let blobs: Vec<[f32; 6]> = (0..14)
        .map(|_| std::array::from_fn(|_| random.f32()))
        .collect();
    RgbImage::from_fn(160, 160, |x, y| {
        let mut color = [60.0f32, 70.0, 80.0];
        for [cx, cy, radius, red, green, blue] in &blobs {
            let (dx, dy) = (x as f32 / 160.0 - cx, y as f32 / 160.0 - cy);
            if (dx * dx + dy * dy).sqrt() < 0.05 + 0.25 * radius {
                color = [red * 255.0, green * 255.0, blue * 255.0];
            }
        }
        Rgb(color.map(|value| value as u8))
    })
}

/// The record's `avatar` of a lossless picture.
pub(super) fn png_of(picture: RgbImage) -> Value {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(picture)
        .write_to(&mut bytes, ImageFormat::Png)
        .unwrap();
    avatar(bytes.into_inner())
}

pub(super) fn png(seed: u64) -> Value {
    png_of(drawing(seed))
}

/// The record's `avatar` of a picture saved as JPEG.
pub(super) fn jpeg(picture: RgbImage, quality: u8) -> Value {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality)
        .encode_image(&picture)
        .unwrap();
    avatar(bytes)
}

fn avatar(file: Vec<u8>) -> Value {
    json!({"base64": base64::engine::general_purpose::STANDARD.encode(file)})
}

pub(super) fn entries() -> Vec<Value> {
    vec![
        json!({"id": "x:dispatch", "platform": "x", "handle": "zorvani_dispatch", "display_name": "Tazmin Qelloran",
            "bio": "Unfiltered reports from the plateau, posted hourly before the censors wake", "links": ["https://t.me/zorvanidsp"],
            "avatar": png(1), "ban": {"reason": "incitement", "banned_at": "2026-10-01T00:00:00Z"}}),
        json!({"id": "x:kelmora", "platform": "x", "handle": "kelmora_sentinel7"}),
        json!({"id": "x:qasim", "platform": "x", "handle": "kohistani_qalam", "display_name": "قاسم تورمندی خیلوال"}),
        json!({"id": "whatsapp:gainers", "platform": "whatsapp", "kind": "group", "display_name": "Velquist Gainers",
            "links": ["https://chat.whatsapp.com/Kx81ZqPmWvT3yLr0NdBa2C"]}),
        json!({"id": "x:wallet", "platform": "x", "handle": "patron_of_luck",
            "bio": "fee first: bc1qtr773lfr30rn9kp0n7hc9tax0dh4cs7y9txhve"}),
        json!({"id": "facebook:phone", "platform": "facebook", "display_name": "Naye Link", "bio": "Rabta +44 20 7946 0628"}),
        json!({"id": "x:device", "platform": "x", "handle": "grim_lantern_boy", "tokens": {"device": "dv-77ab01", "email": "9f3c"}}),
        json!({"id": "x:crossed", "platform": "x", "handle": "thornfieldoracle", "display_name": "Marguerite Ashdowne"}),
        json!({"id": "x:bio", "platform": "x", "handle": "aaja_dekho", "display_name": "Tariq", "bio":
            "Wandering falconer documenting forbidden mountain shrines, smuggler trails and lantern festivals near Qarzamin"}),
        json!({"id": "x:urdu", "platform": "x", "handle": "karwan_urdu", "display_name": "کاروانِ زیمر یکجہتی"}),
        json!({"id": "x:net1", "platform": "x", "handle": "murghesahar_one", "ban": {"network": "murgh-e-sahar"}}),
        json!({"id": "x:net2", "platform": "x", "avatar": png(2), "ban": {"network": "murgh-e-sahar"}}),
        json!({"id": "x:short", "platform": "x", "handle": "noor"}),
        json!({"id": "x:khan", "platform": "x", "handle": "akhan", "display_name": "Ahmed Khan"}),
        json!({"id": "x:number", "platform": "x", "handle": "778812"}),
        json!({"id": "x:ill", "platform": "x", "handle": "illi"}),
        json!({"id": "x:popular", "platform": "x", "handle": "vorrowmere_raider", "links": ["https://www.youtube.com/"],
            "bio": "Opinions are my own. Coffee lover. Dad of two."}),
        json!({"id": "x:long", "platform": "x", "handle": "theravenofgallowmere"}),
    ]
}

/// Other banned accounts; twenty of them carry the platform's default picture.
pub(super) fn strangers() -> impl Iterator<Item = Value> {
    let mut random = fastrand::Rng::with_seed(7);
    let mut word = move || -> String {
        let mut letter = |letters: &[u8]| char::from(letters[random.usize(..letters.len())]);
        (0..4)
            .flat_map(|_| [letter(b"bdfgklmnprstvz"), letter(b"aeiou")])
            .collect()
    };
    (0..120).map(move |n| {
        let mut entry = json!({"id": format!("x:stranger{n}"), "platform": "x", "handle": format!("{}_{}", word(), word()),
            "display_name": format!("{} {}", word(), word()), "bio": format!("{} {} {}", word(), word(), word())});
        if n < 20 {
            entry["avatar"] = png(99);
        }
        entry
    })
}
