//! What each of our processes does around its work: where files lie, who holds the lock, what
//! time it is, how it logs, starts, is stopped, and ends its tasks.
//!
//! This crate never knows a domain type. It is the only one that reads the environment and the clock.
//!
//! Start reading at [`home`]: everything of ours lives under one folder.

pub mod clock;
pub mod config;
pub mod disk;
pub mod endpoint;
pub mod environment;
pub mod faultpoints;
pub mod file_system;
pub mod halt;
pub mod home;
pub mod ids;
pub mod lock;
pub mod log_file;
pub mod logging;
pub mod notified;
pub mod port_holder;
pub mod private_file;
pub mod process;
pub mod readiness;
pub mod scheduler_info;
pub mod secrets;
pub mod service_manager;
pub mod signals;
pub mod tasks;
pub mod token;
pub mod zones;

pub use clock::Clock;
pub use endpoint::Endpoint;
pub use home::Home;
pub use ids::Ids;
pub use lock::{LockHolder, ProcessLock};
pub use notified::Notified;
pub use scheduler_info::SchedulerInfo;
pub use tasks::Tasks;

/// The version of this build, as `connect`, locks and `pb --version` tell it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
