//! The real service in-process, on loopback ports that the system chooses.

#[cfg(test)]
mod durability;
#[cfg(test)]
mod house;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod reads;
#[cfg(test)]
mod spans;
