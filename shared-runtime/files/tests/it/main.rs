//! The two file systems: what the real one does, and that the simulated one is as cruel as it claims to be.

#[cfg(test)]
mod both;
#[cfg(test)]
mod sim;
