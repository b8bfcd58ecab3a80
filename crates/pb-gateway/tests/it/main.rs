//! A real gateway in this process, over real sockets, with a scheduler that does as it is told.
//! Nothing here sleeps to make a test pass: tests wait for conditions, with one limit.

#[cfg(test)]
mod admission;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod auth;
#[cfg(test)]
mod browser_headers;
#[cfg(test)]
mod chinese;
#[cfg(test)]
mod console;
#[cfg(test)]
mod cursors;
#[cfg(test)]
mod debug;
#[cfg(test)]
mod debug_live;
#[cfg(test)]
mod debug_overview;
#[cfg(test)]
mod debug_server;
#[cfg(test)]
mod deltas;
#[cfg(test)]
mod frames;
#[cfg(test)]
mod goal_diff;
#[cfg(test)]
mod goal_events;
#[cfg(test)]
mod health;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod legacy;
#[cfg(test)]
mod link;
#[cfg(test)]
mod log_levels;
#[cfg(test)]
mod offers;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod plan;
#[cfg(test)]
mod reconnect;
#[cfg(test)]
mod resume;
#[cfg(test)]
mod rpc_page;
#[cfg(test)]
mod slow;
#[cfg(test)]
mod sse;
#[cfg(test)]
mod start;
#[cfg(test)]
mod submit;
#[cfg(test)]
mod subscribe;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod tokens;
