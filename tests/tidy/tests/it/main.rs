//! The house rules.

#[cfg(test)]
mod layers;
#[cfg(test)]
mod rooms;
#[cfg(test)]
mod words;
