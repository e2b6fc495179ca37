//! Picture files to PDQ hashes, decoded with limits: a picture bomb is refused before its pixels are allocated.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Component, Path};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{DynamicImage, ImageReader, Limits};

use crate::account::Avatar;
use crate::error::Rejection;
use crate::hash::of_luma;

/// Largest picture file, in bytes.
pub(crate) const FILE_BYTES_MAX: u64 = 8 << 20;
/// Most pixels.
const PIXELS_MAX: u64 = 64 << 20;
/// Most memory the decoder may take.
const ALLOC_BYTES_MAX: u64 = 512 << 20;
/// Pictures beyond this side are reduced by whole pixels before hashing; PDQ looks at 64 x 64 in the end.
const SIDE_MAX: u32 = 1024;

/// The hash of the picture file at `path` below `folder`.
///
/// # Errors
/// Absent, too large, of another format than PNG, JPEG, WebP or GIF, or broken.
pub(crate) fn of_file(folder: &Path, path: &Path) -> Result<Avatar, Rejection> {
    let is_below = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    if !path.components().all(is_below) {
        let reason = "expected a path below the input file's folder";
        return Err(Rejection::new("invalid_value", "avatar.path", reason));
    }
    let path = folder.join(path);
    let unreadable =
        |error: std::io::Error| Rejection::new("unreadable", "avatar.path", error.to_string());
    // A pipe or a device would block or never end.
    if !std::fs::metadata(&path).map_err(unreadable)?.is_file() {
        return Err(Rejection::new(
            "unreadable",
            "avatar.path",
            "not a regular file",
        ));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    of_bytes("avatar.path", &bytes)
}

/// The hash of a picture in base64, with or without a `data:` prefix.
///
/// # Errors
/// Not base64, or as for a file.
pub(crate) fn of_base64(text: &str) -> Result<Avatar, Rejection> {
    let encoded = text
        .split_once("base64,")
        .map_or(text, |(_, encoded)| encoded)
        .trim();
    let bytes = STANDARD
        .decode(encoded)
        .map_err(|error| Rejection::new("invalid_value", "avatar.base64", error.to_string()))?;
    of_bytes("avatar.base64", &bytes)
}

/// The hash of a picture file's bytes.
///
/// # Errors
/// As for a file.
pub(crate) fn picture_of(bytes: &[u8]) -> Result<Avatar, Rejection> {
    of_bytes("avatar", bytes)
}

fn of_bytes(field: &str, bytes: &[u8]) -> Result<Avatar, Rejection> {
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(Rejection::new(
            "too_long",
            field,
            format!("the limit of a picture is {FILE_BYTES_MAX} bytes"),
        ));
    }
    let broken =
        |error: image::ImageError| Rejection::new("invalid_picture", field, error.to_string());
    let reader = || ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let unreadable =
        |error: std::io::Error| Rejection::new("invalid_picture", field, error.to_string());
    let (width, height) = reader()
        .map_err(unreadable)?
        .into_dimensions()
        .map_err(broken)?;
    if u64::from(width) * u64::from(height) > PIXELS_MAX {
        let reason = format!("{width} x {height} pixels, the limit is {PIXELS_MAX}");
        return Err(Rejection::new("too_large", field, reason));
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(ALLOC_BYTES_MAX);
    let mut reader = reader().map_err(unreadable)?;
    reader.limits(limits);
    Ok(hashed(&reader.decode().map_err(broken)?))
}

/// PDQ of the first frame. Transparent pixels count with the color they have, as in Meta's tools.
fn hashed(picture: &DynamicImage) -> Avatar {
    let large = picture.width().max(picture.height());
    let reduced = (large > SIDE_MAX).then(|| picture.thumbnail(SIDE_MAX, SIDE_MAX));
    let rgb = reduced.as_ref().unwrap_or(picture).to_rgb8();
    let luma: Vec<f32> = rgb
        .pixels()
        .map(|image::Rgb([red, green, blue])| {
            (0.299 * f64::from(*red) + 0.587 * f64::from(*green) + 0.114 * f64::from(*blue)) as f32
        })
        .collect();
    let hashed = of_luma(&luma, rgb.width() as usize, rgb.height() as usize);
    Avatar {
        pdq: hashed.pdq.to_bytes(),
        quality: hashed.quality,
    }
}
