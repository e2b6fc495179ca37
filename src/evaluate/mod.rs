//! How good are the verdicts on labelled probes, and which weights do these probes ask for?
//!
//! Every probe is screened as a signup would be; from the top scores of ordinary probes and of mirrors come recall at a
//! set cost, ranks, and how far probabilities can be trusted. The same screens, pair by pair, are what weights are fitted on.

mod calibration;
mod counted;
mod figures;
mod ladder;
mod logistic;
mod trial;

pub(crate) use crate::evaluate::calibration::{fitted, judged, unfitted};
pub(crate) use crate::evaluate::counted::{Counted, Shown, shown};
pub(crate) use crate::evaluate::figures::Figures;
pub(crate) use crate::evaluate::trial::{Trial, trial};
