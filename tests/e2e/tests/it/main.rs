//! The end-to-end suite: real processes, real SDKs, real faults. Few and sharp; the rest is tested in the crates.

#[cfg(test)]
mod corruption;
#[cfg(test)]
mod disk_full;
#[cfg(test)]
mod freshness;
#[cfg(test)]
mod gateway;
#[cfg(test)]
mod jaeger_answers;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod overload;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod sdks;
