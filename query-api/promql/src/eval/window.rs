//! What a function of a range vector gets to see: one series' samples in one window, and the parts of functions that need more
//! than floats in plain windows: histograms, start timestamps, `anchored` and `smoothed` ends. These compute every window from
//! nothing; floats in plain windows take `crate::kernels`.

pub(super) mod aggregate;
pub(super) mod boundary;
pub(super) mod change;
pub(super) mod column;
pub(super) mod count;
pub(super) mod extended;
pub(super) mod instant;
