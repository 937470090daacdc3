//! The crate's integration tests: real sockets on loopback, on ports that the system chooses.

#[cfg(test)]
mod admin;
#[cfg(test)]
mod bind;
#[cfg(test)]
mod echo;
#[cfg(test)]
mod grpc;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod serve;
