//! The store's promise, as tests.

#[cfg(test)]
mod backup;
#[cfg(test)]
mod compacted;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod feed;
#[cfg(test)]
mod migrate;
#[cfg(test)]
mod support;
#[cfg(test)]
mod trace;
#[cfg(test)]
mod trace_find;
#[cfg(test)]
mod wal;
