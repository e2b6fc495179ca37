//! How good are the verdicts on labelled probes?
//!
//! Every probe is screened as a signup would be; from the top scores of ordinary probes and of mirrors come recall at a
//! set cost, ranks, and how far probabilities can be trusted. Nothing is learnt here.

mod figures;
mod trial;

pub(crate) use crate::evaluate::figures::Figures;
pub(crate) use crate::evaluate::trial::{Trial, trial};
