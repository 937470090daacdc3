//! The store from outside: the real log, objects and store code over simulated files, clocks and media.
//!
//! Seeds are printed; `SIM_SEEDS` asks for more of them.

#[cfg(test)]
mod chance;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod mutations;
#[cfg(test)]
mod node;
#[cfg(test)]
mod panic;
#[cfg(test)]
mod shell;
#[cfg(test)]
mod takeover;
