//! Commands on their way to the scheduler: on the disk first, then the bell, then its answer.

pub(crate) mod commands;
pub(crate) mod pending;
pub(crate) mod results;
