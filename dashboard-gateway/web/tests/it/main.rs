//! The build that is embedded here, as a browser would get it.

#[cfg(test)]
mod served;
