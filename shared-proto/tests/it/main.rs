//! Tests of `shared-proto` against prost's types as the oracle.

#[cfg(test)]
mod admit;
#[cfg(test)]
mod bodies;
#[cfg(test)]
mod codec;
#[cfg(test)]
mod damaged;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod json;
#[cfg(test)]
mod model;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod split;
#[cfg(test)]
mod views;
