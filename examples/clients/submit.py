#!/usr/bin/env python3
"""Ask for a goal, follow it to its end and answer its questions, through every restart of the gateway.

    pip install websockets
    pb goal check ../hello.toml --json > /tmp/hello.json
    python submit.py ~/.ponybunny/run/gateway.json /tmp/hello.json hello-1 /tmp/hello-1.cursor

The goal is what `goal.submit` takes, or what `pb goal check` makes of a goal file. `hello-1` names what is asked
for: asked for again it is the same goal, and nothing is done twice. The last is a file that keeps how far it
came, so that this program too may be killed and run again.
"""

import json
import pathlib
import sys
import time

from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import connect

ENDS = {"goal.completed": 0, "goal.failed": 1, "goal.cancelled": 1}
GATEWAY, GOAL, KEY, CURSOR = sys.argv[1:]
goal = json.loads(pathlib.Path(GOAL).read_text())
goal = goal.get("goal", goal)


def keep(cursor):
    """On the disk, whole or not at all."""
    pathlib.Path(CURSOR + ".new").write_text(cursor)
    pathlib.Path(CURSOR + ".new").replace(CURSOR)


def request(socket, id, method, **params):
    socket.send(json.dumps({"type": "req", "id": id, "method": method, "params": params}))


def ask(socket, question):
    """Asks whoever sits here, and hands the answer over. If somebody was faster, theirs counts."""
    print(question["title"], question["description"], sep="\n", flush=True)
    print(*(option["action"] for option in question["context_data"]["options"]), sep=" | ", flush=True)
    answer = {"escalationId": question["id"], "action": sys.stdin.readline().strip()}
    request(socket, "answer", "escalation.respond", **answer, idempotencyKey=question["id"])


def talk(socket):
    """Until the goal ends: its exit code. None if it is better to connect again."""
    request(socket, "submit", "goal.submit", **goal, idempotencyKey=KEY)
    for frame in map(json.loads, socket):
        if "error" in frame:
            print(f"{frame['id']}: {frame['error']}", file=sys.stderr)
            if frame["id"] != "answer":
                return 2
        elif frame.get("id") == "submit":
            cursor = pathlib.Path(CURSOR).read_text() if pathlib.Path(CURSOR).exists() else "start"
            request(socket, "follow", "events.subscribe", goalId=frame["result"]["id"], after=cursor)
        elif "rebase_required" in (frame.get("event"), *frame.get("result", {})):
            return keep("start")  # The log was put back from a backup: once more from its start.
        elif "subscriptionId" in frame:  # What was not asked for has none.
            if "seq" in frame:
                print(f"{frame['seq']} {frame['event']}", flush=True)
            if frame.get("event") in ENDS:
                return ENDS[frame["event"]]  # It is not kept: who runs this again is told again.
            if frame.get("event") == "escalation.created":
                ask(socket, frame["data"]["escalation"])
            keep(frame["cursor"])


for attempt in range(sys.maxsize):
    try:
        address = json.loads(pathlib.Path(GATEWAY).read_text())["address"]
        with connect(f"ws://{address}/", max_size=16 * 1024 * 1024) as socket:
            if (code := talk(socket)) is not None:
                sys.exit(code)
    except InvalidStatus as refused:
        sys.exit(refused.response.body.decode())
    except (OSError, ValueError, WebSocketException) as away:
        print(f"the gateway is away: {away}", file=sys.stderr)
    time.sleep(min(0.05 * 2**min(attempt, 10), 2))
