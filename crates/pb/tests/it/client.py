"""Plain clients of the gateway, which know what the README says. Each prints one event a line as JSON and
ends with the COUNT-th goal that completes: client.py websocket|sse HOST:PORT COUNT [CURSOR]"""

import json
import sys
import urllib.request

KIND, ADDRESS, COUNT = sys.argv[1:4]
AFTER = sys.argv[4] if len(sys.argv) > 4 else "start"


def websocket():
    from websockets.sync.client import connect

    with connect(f"ws://{ADDRESS}") as socket:
        request = {"type": "req", "id": "1", "method": "events.subscribe", "params": {"after": AFTER}}
        socket.send(json.dumps(request))
        for text in socket:
            frame = json.loads(text)
            if frame["type"] == "event" and "seq" in frame:
                yield {key: frame[key] for key in ["event", "data", "cursor", "seq", "at"]}


def sse():
    with urllib.request.urlopen(f"http://{ADDRESS}/events?after={AFTER}") as response:
        event = {}
        for line in response:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name:
                event[name] = value
            elif event.get("event") == "connected":
                event = {}
            elif event:
                yield {"event": event["event"], "data": json.loads(event["data"]), "cursor": event["id"]}
                event = {}


completed = 0
for event in {"websocket": websocket, "sse": sse}[KIND]():
    print(json.dumps(event), flush=True)
    completed += event["event"] == "goal.completed"
    if completed == int(COUNT):
        break
