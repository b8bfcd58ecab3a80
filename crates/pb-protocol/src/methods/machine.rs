//! The machine and the processes, as `system.status` tells of them (`wire.md` §2.7).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The machine, and the process that answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Machine {
    /// Its operating system.
    pub os: Os,
    /// What it is made of.
    pub hardware: Hardware,
    /// How it is connected.
    pub network: Network,
    /// The gateway.
    pub process: ProcessFigures,
}

/// The operating system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Os {
    /// Its family, such as `linux`.
    pub platform: String,
    /// Its name, such as `Debian GNU/Linux`.
    pub r#type: String,
    /// The kernel's release.
    pub release: String,
    /// Its own version.
    pub version: String,
    /// What the gateway was built for, such as `x86_64`.
    pub arch: String,
    /// The machine's name.
    pub hostname: String,
    /// For how long it has been up, in seconds.
    pub uptime: u64,
}

/// What the machine is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hardware {
    /// Its processor.
    pub cpu: Cpu,
    /// Its memory.
    pub memory: Memory,
}

/// A processor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cpu {
    /// Its name.
    pub model: String,
    /// How many threads it runs at once.
    pub cores: u64,
    /// Its frequency, in MHz; 0 where the system does not tell.
    pub speed: u64,
}

/// Memory, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Memory {
    /// All there is.
    pub total: u64,
    /// What programs can have.
    pub free: u64,
    /// The rest.
    pub used: u64,
    /// The rest, of a hundred.
    pub usage_percent: f64,
}

/// How the machine is connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Network {
    /// The addresses of its interfaces.
    pub interfaces: Vec<Interface>,
}

/// An address of an interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Interface {
    /// The interface.
    pub name: String,
    /// The address.
    pub address: String,
    /// `IPv4` or `IPv6`.
    pub family: String,
    /// Whether it reaches this machine only.
    pub internal: bool,
    /// The interface's hardware address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
}

/// What a process uses. The keys are those of the first implementation, which was no native program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProcessFigures {
    /// Its process id.
    pub pid: u32,
    /// For how long it has run, in seconds.
    pub uptime: u64,
    /// Its memory.
    pub memory: ProcessMemory,
    /// Its time on the processor.
    pub cpu: ProcessCpu,
}

/// A process's memory, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProcessMemory {
    /// All that is in the machine's memory.
    pub rss: u64,
    /// What it has asked for as data.
    pub heap_total: u64,
    /// What is in memory and belongs to no file.
    pub heap_used: u64,
    /// What is in memory of files, its program among them.
    pub external: u64,
}

/// A process's time on the processor, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProcessCpu {
    /// In the program.
    pub user: u64,
    /// In the kernel.
    pub system: u64,
}

/// The processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Processes {
    /// The one that answers: the gateway.
    pub current: ProcessFigures,
    /// The gateway.
    pub gateway: DaemonProcess,
    /// The scheduler.
    pub scheduler: DaemonProcess,
}

/// One of our two processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DaemonProcess {
    /// `gateway` or `scheduler`.
    pub r#type: String,
    /// `running` or `stopped`.
    pub status: String,
    /// Since when, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<u64>,
    /// The socket between the two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub socket_path: Option<String>,
    /// The scheduler's database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub db_path: Option<String>,
    /// What it uses; absent while it does not run.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub figures: Option<ProcessFigures>,
}
