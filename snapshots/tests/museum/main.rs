//! The museum: plugins of other times in hosts of other times. `cargo xtask museum` builds both from
//! sources and runs this.
//!
//! Libraries are never unloaded, so every order of loading has a process of its own: the small host of
//! `snapshots/museum/host`, which loads all pieces, then uses each.

mod collection;
mod hosts;
mod orders;
mod refusals;
