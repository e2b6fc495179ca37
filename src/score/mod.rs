//! What is the evidence worth?
//!
//! Fellegi and Sunter (1969): every agreement weighs log2(m / u) bits, where m is how often mirrors relate like that and
//! u how often ordinary accounts do; weights add up to a prior. Here u belongs to the very value (the comparison's
//! surprise), what a relation is worth at that surprise is a table ([`model`]), and signals that tell the same fact are not counted twice.

pub(crate) mod bits;
pub(crate) mod dial;
pub(crate) mod model;
pub(crate) mod model_file;

pub use crate::score::bits::{Circumstances, Score};
pub use crate::score::model::Model;
