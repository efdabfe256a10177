#!/usr/bin/env python3
"""How much one Prometheus carries: serves thousands of synthetic devices to a real one and measures it.

    tests/monitoring/bench.py [--devices 1000,5000] [--minutes 4] [--program target/release/linly-edge] [--json FILE]

The shipped site.yml, rules and alerts run at their real intervals (30 s). The devices share one port of one process
and differ by `__metrics_path__`; their answers are made anew for each scrape, and gzipped. Beside it, node_exporter
and the daemon are scraped on the same machine in the same run.
"""

import argparse
import asyncio
import gzip
import json
import os
import pathlib
import random
import re
import shutil
import statistics
import sys
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "monitoring"))

import derive
from kiosk import Kiosk, Served
from processes import ROOT, Processes, free_ports, get, need_programs, query

TICKS = os.sysconf("SC_CLK_TCK")


def cost(pid):
    """CPU seconds so far, resident bytes now, and the most there has been."""
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    kib = lambda key: int(re.search(rf"{key}:\s+(\d+)", status)[1]) * 1024
    return (int(stat[11]) + int(stat[12])) / TICKS, kib("VmRSS"), kib("VmHWM")


class Crowd:
    """Many devices from one template: all counters advance with the clock, each device at a pace of its own."""

    def __init__(self, count):
        kiosk = Kiosk("SERIAL")
        before = kiosk.exposition().decode().splitlines()
        kiosk.before -= 3600
        after = kiosk.exposition().decode().splitlines()
        self.form, self.base, self.rate, self.noise = [], [], [], []
        for old, new in zip(before, after):
            if old.startswith("#"):
                self.form.append(old)
                continue
            series, value = old.rsplit(" ", 1)
            moved = float(new.rsplit(" ", 1)[1]) - float(value)
            kind = kiosk.types.get(series.partition("{")[0])
            # Gauges of sensors are never twice the same; counters, and what makes histograms, go up evenly.
            wavers = kind == "gauge" and any(word in series for word in ("celsius", "volts", "amperes", "watts", "hertz", "available", "resident", "allocated"))
            name = series.replace("%", "%%").replace("SERIAL", "%(serial)s") if "SERIAL" in series else series
            self.form.append(f"{name} %.8g")
            self.base.append(float(value))
            self.rate.append(0.0 if kind == "gauge" else moved / 3600)
            self.noise.append(0.004 * float(value) if wavers else 0.0)
        self.series, self.began = len(self.base), time.time()
        form = "\n".join(self.form) + "\n"
        # The serial number is the only thing that is not a number.
        self.head, self.tail = form.split("%(serial)s")
        self.paces = [random.Random(device).uniform(0.3, 3.0) for device in range(count)]
        self.plain = 0

    def answer(self, path):
        try:
            device = int(path.split("/")[2])
            pace = self.paces[device]
        except (ValueError, IndexError):
            return None
        passed, wave = (time.time() - self.began) * pace, random.random() - 0.5
        values = tuple(base + rate * passed + noise * wave for base, rate, noise in zip(self.base, self.rate, self.noise))
        cut = self.head.count("%.8g")
        body = (self.head % values[:cut] + str(device) + self.tail % values[cut:]).encode()
        self.plain = len(body)
        return body


def metric(address, name):
    """The sum of a metric of a Prometheus itself, from its own /metrics."""
    found = re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", get(f"http://{address}/metrics", 60).decode(), re.M)
    return sum(map(float, found))


def federated(address):
    """What central.yml asks a site for: seconds, bytes, series."""
    matches = re.findall(r"^ {8}- (.+)$", (ROOT / "monitoring/prometheus/central.yml").read_text().split("match[]:")[1].split("scrape_interval")[0], re.M)
    url = f"http://{address}/federate?" + "&".join(f"match[]={urllib.request.quote(match.strip(chr(39)))}" for match in matches)
    began = time.perf_counter()
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept-Encoding": "gzip"}), timeout=120) as reply:
        body = reply.read()
    took = time.perf_counter() - began
    return took, len(body), sum(1 for line in gzip.decompress(body).splitlines() if line and not line.startswith(b"#"))


async def measure(count, minutes, processes, work):
    """One Prometheus with `count` devices for some minutes."""
    crowd = Crowd(count)
    served = await Served(crowd.answer).start()
    port, = free_ports(1)
    folder = work / f"site-{count}"
    config = derive.write_prometheus("site", folder, "127.0.0.1:1", 1, f"bench-{count}")
    derive.write_targets(folder / "targets" / "kiosks.yml",
                         [(served.address, {"instance": f"kiosk-{device:05}", "__metrics_path__": f"/device/{device}"}) for device in range(count)])
    # As many targets as one site is allowed; nobody listens where alerts would go.
    address = processes.prometheus(f"bench-{count}", config, port, work / "data" / f"site-{count}")
    child = processes.children[f"bench-{count}"]
    await asyncio.to_thread(processes.wait, "prometheus", f"http://{address}/-/ready", 120)
    print(f"{count} devices: one minute to reach all, then {minutes:g} minutes of measuring", flush=True)
    await asyncio.sleep(75)
    processes.check()
    began, (cpu, _, _), load, own = time.monotonic(), cost(child.pid), [os.getloadavg()[0]], time.process_time()
    ingested, missed_rules = metric(address, "prometheus_tsdb_head_samples_appended_total"), metric(address, "prometheus_rule_group_iterations_missed_total")
    end, federations, queries = began + 60 * minutes, [], []
    while time.monotonic() < end:
        await asyncio.sleep(min(30, max(0.1, end - time.monotonic())))
        processes.check()
        load.append(os.getloadavg()[0])
        federations.append(await asyncio.to_thread(federated, address))
        once = time.perf_counter()
        await asyncio.to_thread(query, address, "topk(10, instance:linly_talker_thermal_headroom_celsius:min)")
        queries.append(time.perf_counter() - once)
    passed = time.monotonic() - began
    cpu_after, resident, most = cost(child.pid)
    ask = lambda expression: asyncio.to_thread(query, address, expression, 120)
    value = lambda result: float(result[0]["value"][1]) if result else 0.0
    window = f"{int(passed)}s"
    scrapes = value(await ask(f'sum(count_over_time(up{{job="linly-edge"}}[{window}]))'))
    row = {
        "devices": count,
        "series_a_device": crowd.series,
        "series": metric(address, "prometheus_tsdb_head_series"),
        "samples_a_second": (metric(address, "prometheus_tsdb_head_samples_appended_total") - ingested) / passed,
        "scrapes_missed": 1 - value(await ask(f'sum(sum_over_time(up{{job="linly-edge"}}[{window}]))')) / scrapes,
        "scrapes_wanted_and_done": scrapes / (count * passed / 30),
        "scrape_seconds_p99": value(await ask(f'quantile(0.99, scrape_duration_seconds{{job="linly-edge"}})')),
        "rule_seconds": value(await ask("sum(prometheus_rule_group_last_duration_seconds)")) or metric(address, "prometheus_rule_group_last_duration_seconds"),
        "rule_iterations_missed": metric(address, "prometheus_rule_group_iterations_missed_total") - missed_rules,
        "resident_bytes": resident, "most_resident_bytes": most, "cores": (cpu_after - cpu) / passed,
        "federation_seconds": statistics.median(took for took, _, _ in federations),
        "federation_bytes": federations[-1][1], "federation_series": federations[-1][2],
        "query_seconds": statistics.median(queries),
        "plain_bytes": crowd.plain, "simulator_cores": (time.process_time() - own) / passed,
        "load": f"{min(load):.1f} to {max(load):.1f} on {os.cpu_count()} cores",
    }
    print(json.dumps(row, indent=1), flush=True)
    served.stop()
    # Nobody will read its data: it need not take the time to finish its rules.
    child.kill()
    await asyncio.to_thread(child.wait)
    del processes.children[f"bench-{count}"]
    return row


def exporter(name, url, pid, scrapes):
    """What one scrape of it costs, over `scrapes` of them, and what it holds."""
    request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip", "Accept": "text/plain;version=0.0.4"})

    def scrape():
        began = time.perf_counter()
        with urllib.request.urlopen(request, timeout=30) as reply:
            body, packed = reply.read(), reply.headers.get("Content-Encoding") == "gzip"
        return time.perf_counter() - began, len(body), gzip.decompress(body) if packed else body, packed

    scrape()
    cpu, times = cost(pid)[0], []
    began = time.monotonic()
    for _ in range(scrapes):
        took, size, body, packed = scrape()
        times.append(took)
    used, passed = cost(pid)[0] - cpu, time.monotonic() - began
    # What it does when nobody asks is not the scrape's.
    time.sleep(10)
    idle = (cost(pid)[0] - cpu - used) / 10
    row = {
        "exporter": name, "series": sum(1 for line in body.splitlines() if line and not line.startswith(b"#")),
        "plain_bytes": len(body), "wire_bytes": size, "gzip": packed, "median_ms": 1000 * statistics.median(times),
        "p99_ms": 1000 * statistics.quantiles(times, n=100)[98], "cpu_ms_a_scrape": 1000 * max(0.0, used - idle * passed) / scrapes,
        "idle_cores": idle, "resident_bytes": cost(pid)[1],
    }
    print(json.dumps(row, indent=1), flush=True)
    return row


def exporters(processes, work, program, scrapes):
    """node_exporter with its defaults, and the daemon, one after the other."""
    port, other = free_ports(2)
    rows = []
    child = processes.start("node_exporter", "prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{port}", "--log.level=error")
    processes.wait("node_exporter", f"http://127.0.0.1:{port}/metrics")
    rows.append(exporter("node_exporter", f"http://127.0.0.1:{port}/metrics", child.pid, scrapes))
    if program and program.exists():
        config = work / "bench.toml"
        config.write_text(f'[admin]\naddress = "127.0.0.1:{other}"\n')
        child = processes.start("daemon", program, "run", "--headless", "--config", config, cwd=ROOT)
        processes.wait("daemon", f"http://127.0.0.1:{other}/readyz", 120)
        rows.append(exporter("linly-edge", f"http://127.0.0.1:{other}/metrics", child.pid, scrapes))
    else:
        print("no program was built: node_exporter alone is measured", flush=True)
    return rows


async def run(options, processes, work):
    result = {"exporters": await asyncio.to_thread(exporters, processes, work, options.program, options.scrapes), "sites": []}
    for count in options.devices:
        result["sites"].append(await measure(count, options.minutes, processes, work))
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=lambda text: [int(part) for part in text.split(",") if part], default=[1000, 5000], help="how many at a time; '' measures the exporters alone")
    parser.add_argument("--minutes", type=float, default=4)
    parser.add_argument("--scrapes", type=int, default=1000, help="of the exporters")
    parser.add_argument("--program", type=pathlib.Path, help="the built daemon")
    parser.add_argument("--json", type=pathlib.Path, help="where the figures go as JSON, too")
    options = parser.parse_args()
    if any(not 0 < count <= 5000 for count in options.devices):
        parser.error("site.yml takes 1 to 5000 devices (target_limit)")
    options.program = options.program and options.program.resolve()
    need_programs("prometheus", "prometheus-node-exporter")
    work = ROOT / "out" / "bench-fleet"
    shutil.rmtree(work, ignore_errors=True)
    with Processes(work / "logs") as processes:
        result = asyncio.run(run(options, processes, work))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
