//! Room card: loops over columns of numbers. They know timestamps, values and window bounds; they must not know labels, plans
//! or histograms. Every rolling kernel has a twin in `kernels/naive.rs` that computes each window from nothing, and a property
//! test that holds the two together. Start at [`windows::Windows`], then [`slide`].
#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "the one module of hot loops: bounds come from Windows, whose invariants its constructor establishes"
)]

pub mod extrapolate;
pub mod kahan;
#[cfg(test)]
mod naive;
pub mod order;
pub mod picks;
pub mod slide;
pub mod stats;
pub mod windows;
