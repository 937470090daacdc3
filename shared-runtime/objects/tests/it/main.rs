//! Tests of the media as their consumer sees them.

#![expect(clippy::single_range_in_vec_init, reason = "read_ranges takes a slice of ranges")]

#[cfg(test)]
mod corruption;
#[cfg(test)]
mod crash;
#[cfg(feature = "documents")]
#[cfg(test)]
mod documents;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod media;
#[cfg(test)]
mod model;
#[cfg(test)]
mod real_files;
#[cfg(test)]
mod remote;
