//! The engine of traces against models: what goes in comes out, before and after flush and compaction.

#[cfg(test)]
mod compaction;
#[cfg(test)]
mod cost;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod data;
#[cfg(test)]
mod head;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod red;
#[cfg(test)]
mod round_trip;
#[cfg(test)]
mod search;
#[cfg(test)]
mod whole;
