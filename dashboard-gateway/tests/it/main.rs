//! The real gateway in this process, on ports that the system chooses, before a query-api that tells what it was asked.

#[cfg(test)]
mod access;
#[cfg(test)]
mod administration;
#[cfg(test)]
mod login;
#[cfg(test)]
mod paths;
#[cfg(test)]
mod process;
#[cfg(test)]
mod proxy;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod web;
