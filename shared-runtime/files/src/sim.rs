//! A simulated file system and clock: in memory, deterministic by seed, and as cruel as POSIX allows.
//!
//! Knows: what a crash, a power loss, a full disk and a failed fsync may do to files and names. Must not know: what is
//! in them. Start at [`SimFiles`]; `disk` is the state behind it, `inode` what a power loss makes of one file,
//! `directory` what it makes of names, `hold` how a test stops an fsync half way.

mod chance;
mod clock;
mod directory;
mod disk;
mod files;
mod hold;
mod inode;
mod operation;

pub use clock::SimClock;
pub use files::SimFiles;
pub use hold::Hold;
pub use operation::{Operation, Outcome, Step};
