//! The binary and the assembled process.

#[cfg(test)]
mod binary;
#[cfg(test)]
mod stack;
