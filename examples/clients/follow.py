#!/usr/bin/env python3
"""Follow everything that happens, from the start, through every restart of the gateway.

A whole client, written from docs/RPC.md alone: it connects again when the connection breaks, resumes after
its cursor, and counts what is missing and what comes twice, by the numbers that events have in their goal.

    pip install websockets
    python examples/clients/follow.py ~/.ponybunny/run/gateway.json --events 1000
    python examples/clients/follow.py ~/.ponybunny/run/gateway.json --stop /tmp/enough --progress

It ends after so many events, or once the stop file is there: with a number in it, when so many have come;
without, when nothing has come for two seconds. Then it prints one line of JSON, and exits 0 if nothing was
missing and nothing came twice, 1 if something was, 2 if it ran out of time.
"""

import argparse
import json
import pathlib
import sys
import time

from websockets.exceptions import InvalidHandshake, WebSocketException
from websockets.sync.client import connect

PAUSE_FIRST_S = 0.05
PAUSE_MAX_S = 2.0
# How often it is looked whether it is time to stop.
LOOK_S = 0.2
# A gateway pings each 30 s; one that is silent for longer than this is gone.
SILENCE_MAX_S = 75
# After this long without an event, an empty stop file means that all have come.
QUIET_S = 2.0
FRAME_BYTES_MAX = 16 * 1024 * 1024


class Enough(Exception):
    """There is no more to wait for."""


class Follower:
    """What was seen so far."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.began = time.monotonic()
        self.heard = self.began
        self.cursor = None
        # The last number seen, by goal and generation.
        self.last = {}
        self.counts = dict.fromkeys(
            ["events", "missing", "twice", "connections", "rebases", "legacy"], 0
        )

    def follow(self):
        """Follows until it is enough."""
        pause = PAUSE_FIRST_S
        while True:
            try:
                with self.connected() as socket:
                    self.subscribe(socket)
                    pause = PAUSE_FIRST_S
                    self.read(socket)
            except InvalidHandshake as error:
                # An answer in HTTP: the gateway is there and does not want us, or is just stopping.
                print(f"follow.py: {error}", file=sys.stderr)
            except (OSError, TimeoutError, ValueError, KeyError, WebSocketException):
                pass  # It is away, or went away: that is what this client is for.
            self.look()
            time.sleep(pause)
            pause = min(2 * pause, PAUSE_MAX_S)

    def connected(self):
        """Where the gateway is may have changed, so the file is read each time."""
        place = json.loads(self.arguments.gateway.read_text())
        headers = {}
        token = self.arguments.token
        if token is not None:
            headers["Authorization"] = f"Bearer {token.read_text().strip()}"
        return connect(
            f"ws://{place['address']}/",
            additional_headers=headers,
            compression=None,
            open_timeout=5,
            close_timeout=1,
            max_size=FRAME_BYTES_MAX,
        )

    def subscribe(self, socket):
        """Asks for what comes after what was seen; reads up to the answer."""
        after = "start" if self.cursor is None else self.cursor
        request = {"type": "req", "id": "s", "method": "events.subscribe", "params": {"after": after}}
        socket.send(json.dumps(request))
        self.heard = time.monotonic()
        while True:
            frame = self.receive(socket)
            if frame is None:
                self.look()
            # What comes before the answer was not asked for.
            if frame is not None and frame["type"] == "res" and frame["id"] == "s":
                break
        if "error" in frame:
            raise SystemExit(f"follow.py: {frame['error']['message']}")
        self.counts["connections"] += 1
        answer = frame["result"]
        self.cursor = answer["cursor"]
        if answer.get("rebase_required"):
            self.counts["rebases"] += 1
            self.last.clear()

    def read(self, socket):
        """Takes frames until the connection ends."""
        looked = time.monotonic()
        while True:
            frame = self.receive(socket)
            if frame is not None and frame["type"] == "cursor":
                self.cursor = frame["cursor"]
            elif frame is not None and frame["type"] == "event":
                if frame["event"] == "rebase_required" and "cursor" not in frame:
                    return  # Our cursor is refused now, with how things stand.
                self.take(frame)
            if frame is None or time.monotonic() - looked > LOOK_S:
                looked = time.monotonic()
                self.look()

    def receive(self, socket):
        """The next frame; None when none came for a moment."""
        try:
            text = socket.recv(timeout=LOOK_S)
        except TimeoutError:
            # The library answers pings and does not tell; silence of events alone is no silence.
            if time.monotonic() - self.heard > SILENCE_MAX_S:
                socket.ping().wait(LOOK_S * 10) or self.gone()
                self.heard = time.monotonic()
            return None
        self.heard = time.monotonic()
        return json.loads(text)

    def gone(self):
        raise TimeoutError("the gateway does not answer")

    def take(self, frame):
        """Counts an event, and remembers that it was seen."""
        if frame.get("ephemeral") or "seq" not in frame:
            self.counts["legacy"] += bool(frame.get("legacy"))
            return
        place = (frame["data"].get("goalId"), frame["gen"])
        last = self.last.get(place, 0)
        if frame["seq"] <= last:
            self.counts["twice"] += 1
            return
        self.counts["missing"] += frame["seq"] - last - 1
        self.counts["events"] += 1
        self.last[place] = frame["seq"]
        self.cursor = frame["cursor"]
        if self.arguments.progress and self.counts["events"] % 1000 == 0:
            print(f"follow.py: {self.counts['events']} events", file=sys.stderr, flush=True)
        if self.counts["events"] == self.arguments.events:
            raise Enough

    def look(self):
        """Whether it is enough, or too late."""
        now = time.monotonic()
        if now - self.began > self.arguments.seconds:
            raise Enough
        stop = self.arguments.stop
        if stop is None or not stop.exists():
            return
        expected = stop.read_text().strip()
        if expected and not expected.isdigit():
            return
        if self.counts["events"] >= int(expected) if expected else now - self.heard > QUIET_S:
            raise Enough

    def result(self):
        """The line that is printed at the end."""
        expected = self.arguments.events
        if expected is None and self.arguments.stop.exists():
            expected = int(self.arguments.stop.read_text().strip() or 0)
        return {
            **self.counts,
            "goals": len({goal for goal, _ in self.last}),
            "cursor": self.cursor,
            "seconds": round(time.monotonic() - self.began, 3),
            "complete": expected is not None and self.counts["events"] >= expected,
        }


def main():
    parser = argparse.ArgumentParser(description="Follow everything that happens and count what is missing")
    parser.add_argument("gateway", type=pathlib.Path, help="the gateway's run/gateway.json")
    parser.add_argument("--token", type=pathlib.Path, help="the file with the token, where one is needed")
    parser.add_argument("--events", type=int, help="end after so many events")
    parser.add_argument("--stop", type=pathlib.Path, help="end once this file is there")
    parser.add_argument("--seconds", type=float, default=600, help="give up after so long [600]")
    parser.add_argument("--progress", action="store_true", help="say how far it is, each 1000 events")
    arguments = parser.parse_args()
    if arguments.events is None and arguments.stop is None:
        parser.error("say when to end: --events or --stop")
    follower = Follower(arguments)
    try:
        follower.follow()
    except Enough:
        pass
    except KeyboardInterrupt:
        print("follow.py: stopped", file=sys.stderr)
    result = follower.result()
    print(json.dumps(result), flush=True)
    if result["missing"] or result["twice"]:
        return 1
    return 0 if result["complete"] else 2


if __name__ == "__main__":
    sys.exit(main())
