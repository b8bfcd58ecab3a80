"""What a command of a goal can reach. Writes a JSON object {attempt: outcome} into its first argument."""

import json
import os
import socket
import subprocess
import sys

FOUND, PB, HOME, USER, WORK, SCHEDULER, GATEWAY = sys.argv[1:8]
OTHER_GOAL, PORT, OPEN_PORT = sys.argv[8:11]
LIMIT_S = 10
found = {}


def attempt(name, action):
    try:
        found[name] = action()
    except PermissionError:
        found[name] = "denied"
    except ConnectionRefusedError:
        found[name] = "nobody listens"
    except OSError as error:
        found[name] = f"{type(error).__name__}: {error.strerror}"


def read(path):
    with open(path, "rb") as file:
        file.read(1)
    return "read"


def write(path):
    with open(path, "ab") as file:
        file.write(b"x")
    return "written"


def tcp(host, port):
    with socket.create_connection((host, int(port)), LIMIT_S):
        return "connected"


def say(frame):
    """Speaks on the link between scheduler and gateway; what comes back."""
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(LIMIT_S)
        link.connect(f"{HOME}/gateway.sock")
        try:
            link.sendall((json.dumps(frame) + "\n").encode())
        except (BrokenPipeError, ConnectionResetError):
            pass  # It was closed before we spoke; what it said first can still be read.
        answer = json.loads(link.makefile().readline() or '{"type": "closed"}')
    return answer["type"]


def run(*command, **variables):
    """Runs pb as a person would who knows where everything is; how it ended."""
    environment = {**os.environ, "PB_HOME": HOME, **variables}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LIMIT_S)
    if ended.returncode == 0:
        return f"done: {ended.stdout}"
    return (ended.stderr.splitlines() or [f"exit {ended.returncode}"])[0].replace(HOME, "HOME")


attempt("control: read a file that is no secret", lambda: read(f"{USER}/notes.txt"))
attempt("control: write in the workspace", lambda: write("mine.txt"))
attempt("control: write in TMPDIR", lambda: write(os.path.join(os.environ["TMPDIR"], "mine.txt")))
attempt("control: connect to a listed port", lambda: tcp("127.0.0.1", OPEN_PORT))

for port in [PORT, 18789, 18790]:
    name = "of the gateway" if port == PORT else port
    attempt(f"connect to port {name}", lambda: tcp("127.0.0.1", port))
attempt("connect to port of the gateway by another name", lambda: tcp("localhost", PORT))

connect = {"clientType": "scheduler-daemon", "version": "1", "pid": int(SCHEDULER), "caps": ["log"]}
connect["log"] = {"id": "x", "generation": 1, "schema": 1, "path": f"{HOME}/state.db"}
goal = {"title": "from inside", "items": [{"id": "a", "kind": "command", "argv": ["true"]}]}
attempt("be the scheduler on the link", lambda: say({"type": "connect", "timestamp": 1, "data": connect}))
attempt("submit on the link", lambda: say({"type": "req", "id": "1", "method": "goal.submit", "params": goal}))

goal_file = "from-inside.toml"
with open(goal_file, "w") as file:
    file.write('title = "from inside"\n[[items]]\nid = "a"\nkind = "command"\nargv = ["true"]\n')
attempt("pb goal list", lambda: run(PB, "goal", "list"))
attempt("pb run", lambda: run(PB, "run", "--detach", goal_file))
attempt("pb stop", lambda: run(PB, "stop"))
for command in [["goal", "list"], ["run", "--detach", goal_file], ["stop"], ["scheduler", "start"]]:
    disguised = ["env", "-u", "PB_STEP", PB, *command]
    attempt(f"pb {' '.join(command)}, without PB_STEP", lambda: run(*disguised))

# What it starts of its own ends with it, also what makes a session of its own.
own = {"PB_HOME": os.path.abspath("own-home"), "PB_PORT": "0"}
attempt("start daemons of its own", lambda: run("env", "-u", "PB_STEP", PB, "start", **own))

secrets = sorted(name for name, value in os.environ.items() if "sekret" in value)
attempt("see a key in the environment", lambda: ", ".join(secrets) or "absent")
for name, pid in [("scheduler", SCHEDULER), ("gateway", GATEWAY), ("parent", os.getppid())]:
    attempt(f"read the environment of the {name}", lambda: read(f"/proc/{pid}/environ"))
    attempt(f"read the memory of the {name}", lambda: read(f"/proc/{pid}/mem"))
    attempt(f"signal the {name}", lambda: os.kill(int(pid), 0) or "signalled")

for path in [".ssh/id_x", ".aws/credentials", ".netrc", ".config/x"]:
    attempt(f"read ~/{path}", lambda: read(f"{USER}/{path}"))
os.symlink(f"{USER}/.ssh", f"{FOUND}.link")
attempt("read ~/.ssh/id_x by a link", lambda: read(f"{FOUND}.link/id_x"))
attempt("read ~/.ssh/id_x by /proc", lambda: read(f"/proc/self/root{USER}/.ssh/id_x"))
for path in ["state.db", "state.db-wal", "gateway.db", "token", "run/gateway.json", "scheduler.lock", "logs/scheduler.log"]:
    attempt(f"read {path}", lambda: read(f"{HOME}/{path}"))
attempt("list the home", lambda: str(os.listdir(HOME)))
attempt("list the workspaces", lambda: str(os.listdir(f"{HOME}/workspaces")))
attempt("read another goal's file", lambda: read(f"{OTHER_GOAL}/private.txt"))

for name, path in [
    ("the user's home", f"{USER}/new"),
    ("beside the goal file", f"{WORK}/new"),
    ("the temporary folder of all", "/tmp/pb-inside-new"),
    ("the settings", f"{HOME}/config.toml"),
    ("the log", f"{HOME}/state.db"),
    ("another goal's file", f"{OTHER_GOAL}/private.txt"),
]:
    attempt(f"write to {name}", lambda: write(path))


def leave_behind():
    """A process that ignores SIGTERM, in a session of its own, orphaned."""
    script = "trap '' TERM HUP; echo $$ > \"$0\"; while :; do sleep 1000; done"
    subprocess.Popen(["sh", "-c", script, f"{FOUND}.pid"], start_new_session=True)
    while not (os.path.exists(f"{FOUND}.pid") and os.path.getsize(f"{FOUND}.pid")):
        pass
    return "left"


attempt("leave a process behind", leave_behind)

with open(FOUND, "w") as file:
    json.dump(found, file)
