//! The local log from outside: on the simulated file system with every fault it knows, and on the real one.

#![expect(clippy::cast_possible_truncation, reason = "numbers of tests are small")]

#[cfg(test)]
mod crash;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod full;
#[cfg(test)]
mod group;
#[cfg(test)]
mod model;
#[cfg(test)]
mod mutations;
#[cfg(test)]
mod offsets;
#[cfg(test)]
mod os;
#[cfg(test)]
mod world;
