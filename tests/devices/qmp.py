"""QEMU's control socket: commands with answers, and events that are waited for."""

import json
import queue
import socket
import threading
import time


class Qmp:
    """A connection to a QEMU whose `-qmp` socket is at `path`."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.answers, self.events, self.lock = queue.Queue(), queue.Queue(), threading.Lock()
        threading.Thread(target=self._read, name="qmp", daemon=True).start()
        self.execute("qmp_capabilities")

    def _read(self):
        with self.socket.makefile() as lines:
            try:
                for line in lines:
                    message = json.loads(line)
                    if "event" in message:
                        self.events.put(message)
                    elif "QMP" not in message:
                        self.answers.put(message)
            except OSError:
                pass
        self.answers.put({"error": {"desc": "QEMU has ended"}})

    def execute(self, command, limit=120, **arguments):
        """What QEMU answers to a command."""
        with self.lock:
            self.socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
            answer = self.answers.get(timeout=limit)
        if "error" in answer:
            raise RuntimeError(f"{command}: {answer['error']['desc']}")
        return answer["return"]

    def wait_event(self, name, limit, **data):
        """The next event of that name whose data has those values."""
        end = time.monotonic() + limit
        while True:
            try:
                event = self.events.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise TimeoutError(f"QEMU told no {name} {data or ''} in {limit:.0f} s") from None
            if event["event"] == name and data.items() <= event.get("data", {}).items():
                return event

    def close(self):
        self.socket.close()
