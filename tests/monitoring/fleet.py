"""Two sites and a centre on one machine: everything that the whole test sets up before it breaks something."""

import asyncio
import contextlib
import http.server
import json
import signal
import ssl
import subprocess
import threading
import time
import urllib.request

import derive
from board import Tree
from kiosk import Kiosk, Served
from processes import ROOT, free_ports, get


class Inbox:
    """A webhook that Alertmanager posts to; the path names the receiver."""

    def __init__(self, port):
        self.messages, inbox = [], self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                for alert in body["alerts"]:
                    labels = alert["labels"]
                    key = (labels.get("site", ""), labels.get("instance", ""), labels["alertname"])
                    inbox.messages.append((time.monotonic(), self.path.strip("/"), alert["status"], key, alert))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{port}"

    def first(self, key, status, after):
        """When the first message about `key` with `status` came after `after`, with its alert."""
        found = [(when, alert) for when, _, was, about, alert in self.messages if about == key and was == status and when > after]
        return min(found, key=lambda pair: pair[0]) if found else None


def certificates(folder):
    """A private authority, a server's certificate for 127.0.0.1 and a client's, as `site.yml` names them."""
    folder.mkdir(parents=True, exist_ok=True)

    def openssl(*arguments, **more):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, cwd=folder, **more)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "devices-ca.crt", "-subj", "/CN=test devices")
    for name, usage in (("device", "serverAuth"), ("prometheus", "clientAuth")):
        openssl("req", *key[:-2], "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (folder / "extensions").write_text(f"subjectAltName=IP:127.0.0.1,DNS:{name}.test\nextendedKeyUsage={usage}\n")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "devices-ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                "-extfile", "extensions", "-out", f"{name}.crt")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(folder / "device.crt", folder / "device.key")
    context.load_verify_locations(folder / "devices-ca.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


class Daemon:
    """A real daemon. What it is asked while `slowed` is set it answers late, because it is stopped meanwhile."""

    def __init__(self, processes, program, folder, name, tree=None):
        self.address, self.tree = f"127.0.0.1:{free_ports(1)[0]}", tree
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / f"{name}.toml"
        sensors = ""
        if tree:
            sensors = f'[sensors]\nroot = "{tree.folder}"\n'
            # As the updater leaves it.
            tree.set("var/lib/linly-edge-update/last", f"result=installed\nversion=0.1.0\ntime={int(time.time())}\n")
        config.write_text(f'[admin]\naddress = "{self.address}"\n{sensors}')
        self.slowed, self.ended, self.answers, self.trouble = threading.Event(), threading.Event(), 0, None
        # Models are found from the checkout.
        self.child = processes.start(name, program, "run", "--headless", "--config", config, cwd=ROOT)
        self.visitor = threading.Thread(target=self._ask_again_and_again, daemon=True)

    def _ask_again_and_again(self):
        try:
            while not self.ended.wait(0.1):
                request = urllib.request.Request(f"http://{self.address}/talk", b'{"text": "Thank you"}', {"Content-Type": "application/json"})
                if self.slowed.is_set():
                    waker = threading.Timer(1.25, self.child.send_signal, [signal.SIGCONT])
                    waker.start()
                    # The question is read at once; what takes time comes after it.
                    threading.Timer(0.02, self.child.send_signal, [signal.SIGSTOP]).start()
                with urllib.request.urlopen(request, timeout=30) as reply:
                    reply.read()
                self.answers += 1
                self.ended.wait(0 if self.slowed.is_set() else 1.0)
        except OSError as error:
            if not self.ended.is_set():
                self.trouble = f"the daemon was asked and did not answer: {error}"

    def families(self):
        """Names of the metrics it serves."""
        text = get(f"http://{self.address}/metrics").decode()
        return {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")}

    def stop(self):
        self.ended.set()
        with contextlib.suppress(ProcessLookupError):
            self.child.send_signal(signal.SIGCONT)


# Real daemons and their sites: visitors talk to one, one is heated, the supply of one drops.
REAL = {"lobby": "museum", "oven": "museum", "cable": "station"}


class Fleet:
    """Sites `museum` (mutual TLS) and `station`, a central Prometheus, one Alertmanager."""

    def __init__(self, processes, work, factor, program):
        self.processes, self.work, self.factor, self.program = processes, work, factor, program
        self.kiosks, self.served, self.daemons = {}, {}, {}
        # A program from before it had sensors serves only what it does itself.
        self.sensors = bool(program) and Tree.FIXTURE.exists() and not subprocess.run([program, "sensors", "--help"], capture_output=True).returncode

    @property
    def daemon(self):
        """The one that visitors talk to."""
        return self.daemons.get("lobby")

    async def start(self):
        ports = free_ports(5)
        self.inbox = Inbox(ports[0])
        alertmanager = f"127.0.0.1:{ports[1]}"
        config = derive.write_alertmanager(self.work / "alertmanager", self.inbox.url, self.factor)
        self.processes.alertmanager("alertmanager", config, ports[1], self.work / "data" / "alertmanager")
        self.alertmanager = alertmanager
        context = certificates(self.work / "museum" / "tls")
        await self._devices("museum", ["hot", "warm", "weak", "leaky", "muted", "fine"], context)
        await self._devices("station", ["dropped", "killed", "blind", "slow-1", "slow-2", "fine-2"], None)
        self.sites = {}
        for site, port in (("museum", ports[2]), ("station", ports[3])):
            folder = self.work / site
            config = derive.write_prometheus("site", folder, alertmanager, self.factor, site, plain=site == "station")
            targets = [(served.address, {"instance": name}) for name, served in self.served.items() if self.site_of[name] == site]
            for name, where in REAL.items():
                if where == site and self.program and (name == "lobby" or self.sensors):
                    tree = Tree(self.work / "trees" / name) if self.sensors else None
                    self.daemons[name] = Daemon(self.processes, self.program, self.work, name, tree)
                    targets.append((self.daemons[name].address, {"instance": name, "__scheme__": "http"}))
            derive.write_targets(folder / "targets" / "kiosks.yml", targets)
            self.sites[site] = self.processes.prometheus(site, config, port, self.work / "data" / site, self.factor)
        config = derive.write_prometheus("central", self.work / "central", alertmanager, self.factor)
        derive.write_targets(self.work / "central" / "sites" / "sites.yml", [(address, {"site": site}) for site, address in self.sites.items()])
        self.central = self.processes.prometheus("central", config, ports[4], self.work / "data" / "central", self.factor)
        for name, address in {"alertmanager": alertmanager, "central": self.central, **self.sites}.items():
            await asyncio.to_thread(self.processes.wait, name, f"http://{address}/-/ready")
        for name, daemon in self.daemons.items():
            await asyncio.to_thread(self.processes.wait, name, f"http://{daemon.address}/readyz", 120)
        if self.daemon:
            self.daemon.visitor.start()

    async def _devices(self, site, names, context):
        self.site_of = getattr(self, "site_of", {})
        for name in names:
            # Many answers a second, because in quick motion half an hour is less than a minute.
            kiosk = Kiosk(name, answers_a_second=10)
            self.kiosks[name], self.site_of[name] = kiosk, site
            answer = lambda path, kiosk=kiosk: kiosk.exposition() if path == "/metrics" else None
            self.served[name] = await Served(answer, ssl=context).start()

    def stop(self):
        for daemon in self.daemons.values():
            daemon.stop()
        for served in self.served.values():
            served.stop()
        self.inbox.server.shutdown()
