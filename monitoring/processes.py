"""Starts Prometheus and Alertmanager, waits for them, and ends them all."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]

PACKAGES = {"prometheus": "prometheus", "promtool": "prometheus", "prometheus-alertmanager": "prometheus-alertmanager", "amtool": "prometheus-alertmanager"}


def need_programs(*names):
    """Ends with the command that installs what is missing."""
    missing = sorted({PACKAGES.get(name, name) for name in names if not shutil.which(name)})
    if missing:
        raise SystemExit(
            f"missing: {' '.join(missing)}\n    sudo apt-get install -y --no-install-recommends {' '.join(missing)}\n"
            "Debian starts these as services, and Prometheus on port 9090, which the daemon wants:\n"
            "    sudo systemctl disable --now prometheus prometheus-alertmanager"
        )


def free_ports(count):
    """Ports on the loopback address that nobody uses now."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def get(url, timeout=10.0):
    with urllib.request.urlopen(url, timeout=timeout) as reply:
        return reply.read()


def query(address, expression, timeout=30.0):
    """The result of an instant query; an error carries what Prometheus says about it."""
    url = f"http://{address}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
    try:
        return json.loads(get(url, timeout))["data"]["result"]
    except urllib.error.HTTPError as error:
        raise ValueError(f"{expression}: {json.loads(error.read())['error']}") from None


class Processes:
    """Children of ours; leaving the block ends them all, whatever happened."""

    def __init__(self, logs):
        self.logs, self.children = logs, {}
        logs.mkdir(parents=True, exist_ok=True)

    def __enter__(self):
        # `kill` and `timeout` end it as Ctrl-C does: with everything that it has started.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        return self

    def __exit__(self, *_):
        for child in self.children.values():
            # A stopped one cannot hear that it is to end.
            for signum in (signal.SIGCONT, signal.SIGTERM):
                with contextlib.suppress(ProcessLookupError):
                    child.send_signal(signum)
        for name, child in self.children.items():
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                print(f"{name} did not end in 10 s and is killed", file=sys.stderr)
                child.kill()
                child.wait()

    def start(self, name, *command, **more):
        log = (self.logs / f"{name}.log").open("w")
        # Its own session, so that Ctrl-C reaches only us, who end it in order.
        self.children[name] = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log, start_new_session=True, **more)
        log.close()
        return self.children[name]

    def check(self):
        """Raises if a child has ended."""
        for name, child in self.children.items():
            if child.poll() is not None:
                text = (self.logs / f"{name}.log").read_text(errors="replace").strip().split("\n")[-5:]
                raise SystemExit(f"{name} has ended with {child.returncode}:\n  " + "\n  ".join(text) + f"\n  (all of it: {self.logs / name}.log)")

    def wait(self, name, url, seconds=60):
        """Until `url` answers."""
        end = time.monotonic() + seconds
        while True:
            self.check()
            with contextlib.suppress(OSError):
                get(url, 2)
                return
            if time.monotonic() > end:
                raise SystemExit(f"{name} does not answer at {url} after {seconds} s; see {self.logs / name}.log")
            time.sleep(0.2)

    def prometheus(self, name, config, port, data, factor=1, retention="15d"):
        """A Prometheus on the loopback address; its lookback and resending are quickened, too."""
        shutil.rmtree(data, ignore_errors=True)
        milliseconds = lambda seconds: f"{max(1, round(1000 * seconds / factor))}ms"
        # Two of them and more share a machine with what they watch.
        self.start(
            name, "nice", "-n", "3", "prometheus", f"--config.file={config}", f"--storage.tsdb.path={data}", f"--storage.tsdb.retention.time={retention}",
            f"--web.listen-address=127.0.0.1:{port}", f"--query.lookback-delta={milliseconds(300)}",
            f"--rules.alert.resend-delay={milliseconds(60)}", "--rules.alert.for-outage-tolerance=1h", f"--rules.alert.for-grace-period={milliseconds(600)}",
            "--log.level=warn", env={**os.environ, "GOMAXPROCS": "2"},
        )
        return f"127.0.0.1:{port}"

    def alertmanager(self, name, config, port, data):
        shutil.rmtree(data, ignore_errors=True)
        self.start(
            name, "nice", "-n", "3", "prometheus-alertmanager", f"--config.file={config}", f"--storage.path={data}",
            f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=", "--log.level=warn",
        )
        return f"127.0.0.1:{port}"
