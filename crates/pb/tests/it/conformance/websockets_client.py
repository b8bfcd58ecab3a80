"""Python's library `websockets` against a gateway:

    websockets_client.py checks GATEWAY_JSON TOKEN_FILE    prints a line of JSON a check, then what was closed unasked
    websockets_client.py follow GATEWAY_JSON COUNT         prints each event and each close, to the COUNT-th goal that completes
"""

import contextlib
import json
import pathlib
import sys
import time
import traceback

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

LIMIT_S = 30
FRAME_BYTES_MAX = 16 * 1024 * 1024
REQUEST_BYTES_MAX = 1024 * 1024
PAUSE_S = 0.05

MODE, GATEWAY, LAST = sys.argv[1:4]
# What was closed, and by nobody whom we know.
unexpected = []
connections = 0


def url():
    return "ws://" + json.loads(pathlib.Path(GATEWAY).read_text())["address"] + "/"


@contextlib.contextmanager
def session(code=1000, **options):
    """A connection that we close, with this code, and nobody else."""
    global connections
    # Its closing handshake ends when all that came before the close has room, read or not: events come unasked.
    with connect(url(), max_size=FRAME_BYTES_MAX, max_queue=None, **options) as socket:
        connections += 1
        greeting = json.loads(socket.recv(timeout=LIMIT_S))
        assert greeting["event"] == "connection.authenticated", greeting
        try:
            yield socket
        except ConnectionClosed as closed:
            unexpected.append(repr(closed))
            raise
        if socket.protocol.close_rcvd is not None:
            unexpected.append(repr(socket.protocol.close_rcvd))
        socket.close(code)
        answer = socket.protocol.close_rcvd
        if answer is None or answer.code != code:
            unexpected.append(f"{code} was answered with {answer!r}")


def answer(socket, request):
    """The answer to a request that is sent already."""
    while True:
        frame = json.loads(socket.recv(timeout=LIMIT_S))
        if frame["type"] == "res":
            assert frame["id"] == request, frame
            assert "result" in frame, frame
            return frame["result"]


def text(request, method="system.ping", **params):
    return json.dumps({"type": "req", "id": request, "method": method, "params": params}, ensure_ascii=False)


def submit(key, description):
    return {"title": "很大", "description": description, "success_criteria": [], "idempotencyKey": f"python-{key}"}


def text_and_binary_requests():
    with session() as socket:
        socket.send(text("你"))
        assert answer(socket, "你")["pong"]
        socket.send(text("好").encode())
        assert answer(socket, "好")["pong"]


def fragments():
    with session() as socket:
        socket.send(list(text("字符")))
        assert answer(socket, "字符")["pong"]
        # Each byte, so in the middle of characters too, and fragments of nothing.
        for as_text in [True, False]:
            pieces = [bytes([byte]) for byte in text("中间").encode()]
            socket.send([b"", *pieces, b""], text=as_text)
            assert answer(socket, "中间")["pong"]


def control_frames_between_fragments():
    with session() as socket:
        pongs = []

        def pieces():
            for number, piece in enumerate(text("乒乓")):
                if number % 10 == 0:
                    pongs.append(socket.ping(f"{number}"))
                    socket.pong("nobody asked")
                yield piece

        socket.send(pieces())
        assert answer(socket, "乒乓")["pong"]
        assert len(pongs) > 3 and all(pong.wait(LIMIT_S) for pong in pongs)


def pings_of_0_and_125_bytes():
    with session() as socket:
        for payload in [b"", bytes(range(125)), b"\xff" * 125]:
            assert socket.ping(payload).wait(LIMIT_S), payload


def compression_is_declined():
    with session(compression="deflate") as socket:
        assert socket.request.headers["Sec-WebSocket-Extensions"].startswith("permessage-deflate")
        assert not socket.protocol.extensions
        socket.send(text("p", pad="x" * 10_000))
        assert answer(socket, "p")["pong"]


def without_compression():
    with session(compression=None) as socket:
        assert "Sec-WebSocket-Extensions" not in socket.request.headers
        socket.send(text("p"))
        assert answer(socket, "p")["pong"]


def close_codes_are_answered():
    for code in [1000, 1001, 3000, 4999]:
        with session(code) as socket:
            socket.send(text("p"))
            assert answer(socket, "p")["pong"]


def padded(length):
    """A request of so many bytes."""
    return text("p", pad="x" * (length - len(text("p", pad=""))))


def a_request_of_1_mib():
    with session() as socket:
        for _ in range(3):
            socket.send(padded(REQUEST_BYTES_MAX))
            assert answer(socket, "p")["pong"]


def a_request_beyond_1_mib():
    with connect(url()) as socket:
        socket.send(padded(REQUEST_BYTES_MAX + 1))
        try:
            while True:
                assert json.loads(socket.recv(timeout=LIMIT_S))["type"] == "event"
        except ConnectionClosed as closed:
            assert (closed.rcvd.code, closed.rcvd.reason) == (1009, "message too big"), closed


def large_answers():
    with session() as socket:
        for number in range(150):
            socket.send(text("s", "goal.submit", **submit(number, "很" * 5_400)))
            assert answer(socket, "s")["status"]
        for _ in range(3):
            socket.send(text("l", "goal.list", limit=150))
            goals = answer(socket, "l")["goals"]
            assert len(json.dumps(goals, ensure_ascii=False).encode()) > 2_000_000


def requests_200_at_once():
    with session() as socket:
        ids = [f"{number}" for number in range(200)]
        for request in ids:
            if int(request) < 10:
                socket.send(text(request, "goal.submit", **submit(f"at-once-{request}", "一起")))
            else:
                socket.send(text(request))
        came = []
        while len(came) < len(ids):
            frame = json.loads(socket.recv(timeout=LIMIT_S))
            if frame["type"] == "res":
                assert "result" in frame, frame
                came.append(frame["id"])
        assert sorted(came, key=int) == ids
        assert came != ids, "those that take long hold up the others"


def a_subprotocol_is_not_chosen():
    with session(subprotocols=["graphql-ws", "chat"]) as socket:
        assert socket.subprotocol is None
        socket.send(text("p"))
        assert answer(socket, "p")["pong"]


def the_token_in_a_header():
    token = pathlib.Path(LAST).read_text().strip()
    with session(additional_headers={"Authorization": f"Bearer {token}"}) as socket:
        socket.send(text("w", "system.methods"))
        assert "token.create" in answer(socket, "w")["methods"]


def a_wrong_token():
    try:
        connect(url(), additional_headers={"Authorization": "Bearer wrong"}).close()
        raise AssertionError("it was let in")
    except InvalidStatus as refused:
        assert refused.response.status_code == 401
        assert json.loads(refused.response.body)["hint"]


def checks():
    for check in [
        text_and_binary_requests,
        fragments,
        control_frames_between_fragments,
        pings_of_0_and_125_bytes,
        compression_is_declined,
        without_compression,
        close_codes_are_answered,
        a_request_of_1_mib,
        a_request_beyond_1_mib,
        large_answers,
        requests_200_at_once,
        a_subprotocol_is_not_chosen,
        the_token_in_a_header,
        a_wrong_token,
    ]:
        told = {"check": check.__name__, "failed": None}
        try:
            check()
        except Exception:
            told["failed"] = traceback.format_exc()
        print(json.dumps(told), flush=True)
    print(json.dumps({"connections": connections, "unexpected": unexpected}), flush=True)


def follow():
    cursor, left = "start", int(LAST)
    while left:
        try:
            with connect(url(), max_size=FRAME_BYTES_MAX) as socket:
                socket.send(text("s", "events.subscribe", after=cursor))
                for message in socket:
                    frame = json.loads(message)
                    if "subscriptionId" not in frame:
                        continue
                    cursor = frame["cursor"]
                    if frame["type"] == "event":
                        print(json.dumps(frame), flush=True)
                        left -= frame["event"] == "goal.completed"
                    if not left:
                        break
                received = socket.protocol.close_rcvd
                if left:
                    print(json.dumps({"closed": received and [received.code, received.reason]}), flush=True)
        except ConnectionClosed as closed:
            received = closed.rcvd
            print(json.dumps({"closed": received and [received.code, received.reason]}), flush=True)
        except (OSError, ValueError, EOFError):
            pass  # The gateway is away.
        time.sleep(PAUSE_S)


{"checks": checks, "follow": follow}[MODE]()
