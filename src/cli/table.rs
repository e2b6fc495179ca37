//! Tables for a terminal; right-to-left text stays in its cell.

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{ContentArrangement, Table};

/// Columns wrapped at this width where the terminal's is not known.
const WIDTH: u16 = 160;

/// An empty table with a header.
pub(crate) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(WIDTH);
    table.set_header(header.iter().copied());
    table
}

/// Text of any direction, isolated (UAX #9, FSI..PDI) so that it cannot reorder its neighbours; control characters out.
pub(crate) fn cell(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|c| if c.is_control() && c != '\n' { ' ' } else { c })
        .collect();
    if plain.is_ascii() {
        plain
    } else {
        format!("\u{2068}{plain}\u{2069}")
    }
}
