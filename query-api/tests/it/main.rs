//! query-api as a whole, over a trace store in memory: requests over HTTP, answers compared with what Jaeger says.

#[cfg(test)]
mod adjusted;
#[cfg(test)]
mod memory_store;
#[cfg(test)]
mod overview;
#[cfg(test)]
mod partial;
#[cfg(test)]
mod served;
#[cfg(test)]
mod shapes;
#[cfg(test)]
mod skeleton;
#[cfg(test)]
mod stack;
#[cfg(test)]
mod yc;
