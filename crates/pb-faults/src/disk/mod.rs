//! A disk that can lose its power: what a process did to its files, recorded by a shim, and what of it is
//! there afterwards.

pub mod image;
pub mod recording;
pub mod shim;
