//! The seam to the file system and the clock: the real ones, and simulated ones that crash, lose power and fill up.
//!
//! Knows: files, directories, durability. Must not know: what is in them. Start at [`Files`]; [`OsFiles`] is the real
//! one, `sim::SimFiles` (feature `sim`) the one that the crash simulations run on.

mod clock;
mod context;
mod os;
#[cfg(feature = "sim")]
pub mod sim;
mod traits;

pub use clock::{Clock, SystemClock};
pub use os::OsFiles;
pub use traits::{Entry, File, Files};
