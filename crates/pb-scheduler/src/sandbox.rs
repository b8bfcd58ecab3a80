//! From a command to a job: which environment it sees, what it may touch, how long it may run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use pb_exec::{Confinement, Job, Policy};
use pb_model::goal_file::input_variable;
use pb_runtime::config::Sandbox as Settings;
use pb_runtime::{Endpoint, Home, environment};

/// TCP ports that every command may connect to (`security.md` 22).
const TCP_PORTS: [u16; 3] = [22, 80, 443];
/// Ports of ours, which no command may connect to, whatever it lists.
const OWN_PORTS: [u16; 2] = [18789, 18790];

/// What all commands have in common.
#[derive(Debug, Clone)]
pub(crate) struct Sandbox {
    home: Home,
    /// The log's files; they may lie outside the home.
    log: [PathBuf; 3],
    user_home: Option<PathBuf>,
    tool_caches: Vec<PathBuf>,
    environment: Vec<(String, String)>,
    allow_unconfined_agents: bool,
}

/// One command to confine.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    /// The step that it is; its processes carry it.
    pub(crate) step: String,
    /// Program and arguments.
    pub(crate) argv: &'a [String],
    /// Folder, relative to the workspace.
    pub(crate) cwd: Option<&'a str>,
    /// Variables that the item sets.
    pub(crate) env: &'a BTreeMap<String, String>,
    /// The goal's inputs.
    pub(crate) inputs: &'a BTreeMap<String, String>,
    /// The goal's folder.
    pub(crate) workspace: &'a Path,
    /// The step's own TMPDIR.
    pub(crate) temporary: &'a Path,
    /// Ports that the item lists.
    pub(crate) tcp_ports: &'a [u16],
    /// Longest run.
    pub(crate) time_limit: Duration,
    /// What to do where the kernel cannot confine. The person wrote the commands of a goal file: they run
    /// with a warning; what a model wants to run does not, unless the person said so.
    pub(crate) policy: Policy,
}

impl Sandbox {
    pub(crate) fn new(home: Home, db: &Path, settings: &Settings) -> Self {
        let user_home = environment::path("HOME");
        let file = |end: &str| PathBuf::from([db.as_os_str(), end.as_ref()].join("".as_ref()));
        Self {
            home,
            log: ["", "-wal", "-shm"].map(file),
            tool_caches: settings.tool_caches(user_home.as_deref()),
            user_home,
            environment: environment::all(),
            allow_unconfined_agents: settings.allow_unconfined_agents,
        }
    }

    /// Whether a person said that agents may run where the kernel cannot confine them.
    pub(crate) fn allows_unconfined_agents(&self) -> bool {
        self.allow_unconfined_agents
    }

    /// The job for a command.
    pub(crate) fn job(&self, request: &Request<'_>) -> Job {
        let cwd = request.cwd.map_or_else(|| request.workspace.to_owned(), |cwd| request.workspace.join(cwd));
        Job {
            step: request.step.clone(),
            argv: request.argv.to_vec(),
            cwd,
            env: self.environment(request),
            time_limit: request.time_limit,
            confinement: self.confinement(request),
        }
    }

    /// What a command of a goal is given in its environment, but for what is of one step alone.
    pub(crate) fn lasting_environment(
        &self,
        workspace: &Path,
        inputs: &BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        self.environment(&Request {
            step: String::new(),
            argv: &[],
            cwd: None,
            env: &BTreeMap::new(),
            inputs,
            workspace,
            temporary: Path::new("TMPDIR"),
            tcp_ports: &[],
            time_limit: Duration::ZERO,
            policy: Policy::BestEffort,
        })
    }

    fn environment(&self, request: &Request<'_>) -> BTreeMap<String, String> {
        let path = |path: &Path| path.to_string_lossy().into_owned();
        let mut extra = request.env.clone();
        for (name, value) in request.inputs {
            extra.insert(input_variable(name), value.clone());
        }
        extra.insert("PB_WORKSPACE".to_owned(), path(request.workspace));
        extra.insert("TMPDIR".to_owned(), path(request.temporary));
        // `~/.config` is hidden; tools that insist on one find an empty place of their own.
        extra.entry("XDG_CONFIG_HOME".to_owned()).or_insert_with(|| path(&request.temporary.join("config")));
        pb_exec::environment::build(self.environment.iter().cloned(), &extra)
    }

    fn confinement(&self, request: &Request<'_>) -> Confinement {
        let mut writable = vec![request.workspace.to_owned(), request.temporary.to_owned()];
        writable.extend(self.tool_caches.iter().cloned());
        let mut hidden = vec![self.home.root().to_owned()];
        hidden.extend(self.log.iter().cloned());
        if let Some(user_home) = &self.user_home {
            hidden.extend(pb_exec::credential_paths(user_home));
        }
        let own = self.own_ports();
        let listed = TCP_PORTS.iter().chain(request.tcp_ports);
        let tcp_ports = listed.copied().filter(|port| !own.contains(port)).collect();
        Confinement { policy: request.policy, writable, hidden, tcp_ports }
    }

    /// Ports that the daemons listen on, or would by default.
    pub(crate) fn own_ports(&self) -> BTreeSet<u16> {
        let bound = Endpoint::read(&self.home.gateway_json()).map(|endpoint| endpoint.address.port());
        OWN_PORTS.into_iter().chain(bound).collect()
    }
}
