//! The machine that the gateway runs on, as `system.status` tells of it.

use std::net::IpAddr;

use pb_protocol::methods::machine::{
    Cpu, Hardware, Interface, Machine, Memory, Network, Os, ProcessCpu, ProcessFigures, ProcessMemory,
};
use pb_runtime::process;
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, Networks, RefreshKind, System};

/// Most addresses that are told.
const INTERFACES_MAX: usize = 64;

/// Looks at the machine. Blocks the thread for some milliseconds.
///
/// # Errors
/// The system does not tell.
pub(crate) fn look(process: ProcessFigures) -> Result<Machine, sysinfo::Error> {
    let what = RefreshKind::nothing()
        .with_memory(MemoryRefreshKind::nothing().with_ram())
        .with_cpu(CpuRefreshKind::nothing().with_frequency());
    let system = System::new_with_specifics(what)?;
    Ok(Machine {
        os: Os {
            platform: std::env::consts::OS.to_owned(),
            r#type: System::name()?,
            release: System::kernel_version()?,
            version: System::os_version()?,
            arch: std::env::consts::ARCH.to_owned(),
            hostname: System::host_name()?,
            uptime: System::uptime()?,
        },
        hardware: Hardware { cpu: cpu(&system), memory: memory(&system) },
        network: Network { interfaces: interfaces()? },
        process,
    })
}

fn cpu(system: &System) -> Cpu {
    let first = system.cpus().first();
    Cpu {
        model: first.map(|cpu| cpu.brand().trim().to_owned()).unwrap_or_default(),
        cores: system.cpus().len() as u64,
        speed: first.map_or(0, sysinfo::Cpu::frequency),
    }
}

fn memory(system: &System) -> Memory {
    let (total, free) = (system.total_memory(), system.available_memory());
    let used = total.saturating_sub(free);
    #[expect(clippy::cast_precision_loss, reason = "a share of a hundred is told")]
    let usage_percent = if total == 0 { 0.0 } else { used as f64 * 100.0 / total as f64 };
    Memory { total, free, used, usage_percent }
}

fn interfaces() -> Result<Vec<Interface>, sysinfo::Error> {
    let networks = Networks::new_with_refreshed_list()?;
    let mut found: Vec<Interface> = Vec::new();
    for (name, network) in &networks {
        let mac = network.mac_address();
        found.extend(network.ip_networks().iter().map(|ip| Interface {
            name: name.to_string_lossy().into_owned(),
            address: ip.addr.to_string(),
            family: if matches!(ip.addr, IpAddr::V4(_)) { "IPv4" } else { "IPv6" }.to_owned(),
            internal: ip.addr.is_loopback(),
            mac: (!mac.is_unspecified()).then(|| mac.to_string()),
        }));
    }
    found.sort_by(|a, b| (&a.name, &a.address).cmp(&(&b.name, &b.address)));
    found.truncate(INTERFACES_MAX);
    Ok(found)
}

/// What a process uses; `None` when it has ended.
pub(crate) fn figures(pid: u32, up_ms: u64) -> Option<ProcessFigures> {
    let memory = process::memory(pid)?;
    let (user, system) = process::cpu_times(pid)?;
    let micros = |time: std::time::Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    Some(ProcessFigures {
        pid,
        uptime: up_ms / 1000,
        memory: ProcessMemory {
            rss: memory.resident_kib * 1024,
            heap_total: memory.data_kib * 1024,
            heap_used: memory.anonymous_kib * 1024,
            external: memory.of_files_kib * 1024,
        },
        cpu: ProcessCpu { user: micros(user), system: micros(system) },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_is_the_one_that_this_runs_on() {
        let figures = figures(std::process::id(), 2_500).unwrap();
        assert_eq!((figures.pid, figures.uptime), (std::process::id(), 2));
        let memory = figures.memory;
        assert!(
            memory.heap_used > 0 && memory.rss >= memory.heap_used && memory.rss >= memory.external,
            "{memory:?}"
        );
        let machine = look(figures).unwrap();
        assert_eq!(machine.os.platform, "linux");
        assert!(machine.os.uptime > 0, "{machine:?}");
        let parallel = std::thread::available_parallelism().unwrap().get() as u64;
        assert!(machine.hardware.cpu.cores >= parallel, "{machine:?}");
        let ram = machine.hardware.memory;
        assert!(
            ram.total > 0 && ram.used + ram.free == ram.total && (0.0..=100.0).contains(&ram.usage_percent)
        );
        let loopback = machine.network.interfaces.iter().find(|one| one.address == "127.0.0.1").unwrap();
        assert!(loopback.internal && loopback.family == "IPv4", "{loopback:?}");
    }
}
