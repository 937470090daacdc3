//! The collector's integration tests: its real `App` in this process, on ports that the system chooses, with a next hop
//! that answers what a test tells it.

#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod browsers;
#[cfg(test)]
mod command_line;
#[cfg(test)]
mod forwarding;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod other_peoples_files;
#[cfg(test)]
mod own_endpoints;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod wire;
