#!/usr/bin/env python3
"""How much one Prometheus carries: serves thousands of synthetic devices to a real one and measures it.

    tests/monitoring/bench.py [--devices 1000,5000] [--minutes 2] [--program target/release/linly-edge] [--write] [--json FILE]

The shipped site.yml, rules and alerts run at their real intervals (30 s). The devices share one port of one process
and differ by `__metrics_path__`. Before that, node_exporter and the daemon are scraped on the same machine, one after
the other. The tables are printed, and with --write they replace those in docs/fleet.md and docs/benchmarks.md. With the
defaults it takes seven minutes, in which the machine should do nothing else.
"""

import argparse
import asyncio
import datetime
import gc
import gzip
import http.client
import json
import os
import pathlib
import platform
import random
import re
import shutil
import statistics
import subprocess
import sys
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "monitoring"))

import derive
from fleet import Tree
from kiosk import Kiosk, Packed, Served
from processes import ROOT, Processes, free_ports, get, need_programs, query

TICKS = os.sysconf("SC_CLK_TCK")
INTERVAL = 30
# From the start of a Prometheus to the beginning of its measuring: every device has been scraped twice.
WARM = 65
# Bytes that a sample takes on disk, as Prometheus' documentation has it (1 to 2).
ON_DISK = 1.5
# The richest board that there is a copy of.
BOARD = Tree.FIXTURE.with_name("t234-agx-r36.4.tree")


def cost(pid):
    """CPU seconds so far, resident bytes now, and the most there has been."""
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    kib = lambda key: int(re.search(rf"{key}:\s+(\d+)", status)[1]) * 1024
    return (int(stat[11]) + int(stat[12])) / TICKS, kib("VmRSS"), kib("VmHWM")


class Crowd:
    """Many devices from one template: all counters advance with the clock, at one of a number of paces.

    Devices of a pace share an answer for some seconds, so that what is made and packed anew is little: this process
    must not take from Prometheus what it is to measure. Two scrapes of a device never get the same.
    """

    PACES = 64
    FRESH = 10

    def __init__(self, count):
        kiosk = Kiosk("SERIAL")
        before = kiosk.exposition().decode().splitlines()
        kiosk.before -= 3600
        after = kiosk.exposition().decode().splitlines()
        form, own, self.base, self.rate, self.noise = [], [], [], [], []
        for old, new in zip(before, after):
            # The serial number is the only thing that is not a number: its family is each device's own.
            if "device_info" in old:
                own.append(old)
                continue
            if old.startswith("#"):
                form.append(old)
                continue
            series, value = old.rsplit(" ", 1)
            moved = float(new.rsplit(" ", 1)[1]) - float(value)
            kind = kiosk.types.get(series.partition("{")[0])
            # Gauges of sensors are never twice the same; counters, and what makes histograms, go up evenly.
            wavers = kind == "gauge" and any(word in series for word in ("celsius", "volts", "amperes", "watts", "hertz", "available", "resident", "allocated"))
            form.append(f"{series} %.8g")
            self.base.append(float(value))
            self.rate.append(0.0 if kind == "gauge" else moved / 3600)
            self.noise.append(0.004 * float(value) if wavers else 0.0)
        self.form, own = "\n".join(form) + "\n", "\n".join(own) + "\n"
        self.series, self.began = len(self.base) + 1, time.time()
        self.paces = [random.Random(pace).uniform(0.3, 3.0) for pace in range(self.PACES)]
        self.made = [(0.0, b"")] * self.PACES
        # Of several pieces of gzip in a row, a reader sees the text of all.
        self.own = [gzip.compress(own.replace("SERIAL", str(device)).encode(), 1, mtime=0) for device in range(count)]
        self.plain = 0

    def answer(self, path):
        try:
            device = int(path.split("/")[2])
            own = self.own[device]
        except (ValueError, IndexError):
            return None
        now, pace = time.time(), device % self.PACES
        when, packed = self.made[pace]
        if now - when > self.FRESH:
            passed, wave = (now - self.began) * self.paces[pace], random.random() - 0.5
            body = self.form % tuple(base + rate * passed + noise * wave for base, rate, noise in zip(self.base, self.rate, self.noise))
            self.plain, packed = len(body), gzip.compress(body.encode(), 1, mtime=0)
            self.made[pace] = now, packed
        return Packed(packed + own)


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
    text = gzip.decompress(body)
    return took, len(body), text.count(b"\n") - text.count(b"\n#") - text.startswith(b"#")


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
    name = f"bench-{count}"
    address = processes.prometheus(name, config, port, work / "data" / f"site-{count}")
    child = processes.children[name]
    await asyncio.to_thread(processes.wait, name, f"http://{address}/-/ready", 120)
    print(f"{count} devices: {WARM} seconds to reach all, then {minutes:g} minutes of measuring", flush=True)
    await asyncio.sleep(WARM)
    processes.check()
    began, (cpu, _, _), load, own = time.monotonic(), cost(child.pid), [os.getloadavg()[0]], time.process_time()
    ask_metric = lambda metric_name: asyncio.to_thread(metric, address, metric_name)
    appended, missed = "prometheus_tsdb_head_samples_appended_total", "prometheus_rule_group_iterations_missed_total"
    ingested, missed_rules = await ask_metric(appended), await ask_metric(missed)
    end, federations, queries = began + 60 * minutes, [], []
    while time.monotonic() < end:
        # As often as the centre asks.
        await asyncio.sleep(min(60, max(0.1, end - time.monotonic())))
        processes.check()
        load.append(os.getloadavg()[0])
        federations.append(await asyncio.to_thread(federated, address))
        once = time.perf_counter()
        await asyncio.to_thread(query, address, "topk(10, instance:linly_talker_thermal_headroom_celsius:min)")
        queries.append(time.perf_counter() - once)
    passed = time.monotonic() - began
    cpu_after, resident, most = cost(child.pid)
    simulator = time.process_time() - own
    samples = await ask_metric(appended) - ingested
    ask = lambda expression: asyncio.to_thread(query, address, expression, 120)
    value = lambda result: float(result[0]["value"][1]) if result else 0.0
    window = f"{int(passed)}s"
    scrapes = value(await ask(f'sum(count_over_time(up{{job="linly-edge"}}[{window}]))'))
    row = {
        "devices": count,
        "series_a_device": crowd.series,
        "series": await ask_metric("prometheus_tsdb_head_series"),
        "samples_a_second": samples / passed,
        "scrapes_missed": 1 - value(await ask(f'sum(sum_over_time(up{{job="linly-edge"}}[{window}]))')) / max(1, scrapes),
        "scrapes_wanted_and_done": scrapes / (count * passed / INTERVAL),
        "scrape_seconds_p99": value(await ask(f'quantile(0.99, scrape_duration_seconds{{job="linly-edge"}})')),
        "rule_seconds": await ask_metric("prometheus_rule_group_last_duration_seconds"),
        "rule_iterations_missed": await ask_metric(missed) - missed_rules,
        "resident_bytes": resident, "most_resident_bytes": most, "cores": (cpu_after - cpu) / passed,
        "federation_seconds": statistics.median(took for took, _, _ in federations),
        "federation_bytes": federations[-1][1], "federation_series": federations[-1][2],
        "query_seconds": statistics.median(queries),
        "plain_bytes": crowd.plain, "simulator_cores": simulator / passed,
        "load": f"{min(load):.1f} to {max(load):.1f}",
    }
    print(json.dumps(row, indent=1), flush=True)
    served.stop()
    # Nobody will read its data: it need not take the time to finish its rules.
    child.kill()
    await asyncio.to_thread(child.wait)
    del processes.children[name]
    shutil.rmtree(work / "data" / f"site-{count}", ignore_errors=True)
    return row


def exporter(name, port, pid, scrapes):
    """What one scrape of it costs over a connection that is kept, as Prometheus keeps it, and what it holds."""
    headers = {"Accept-Encoding": "gzip", "Accept": "text/plain;version=0.0.4"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def scrape():
        began = time.perf_counter()
        connection.request("GET", "/metrics", headers=headers)
        reply = connection.getresponse()
        body = reply.read()
        took = time.perf_counter() - began
        if reply.status != 200:
            raise SystemExit(f"{name} answers {reply.status} after some scrapes")
        return took, body, reply.getheader("Content-Encoding") == "gzip"

    for _ in range(10):
        scrape()
    cpu, times = cost(pid)[0], []
    began = time.monotonic()
    for _ in range(scrapes):
        took, body, packed = scrape()
        times.append(took)
    used, passed = cost(pid)[0] - cpu, time.monotonic() - began
    # What it does when nobody asks is not the scrape's.
    time.sleep(10)
    idle = (cost(pid)[0] - cpu - used) / 10
    plain = gzip.decompress(body) if packed else body
    row = {
        "exporter": name, "series": sum(1 for line in plain.splitlines() if line and not line.startswith(b"#")),
        "plain_bytes": len(plain), "wire_bytes": len(body), "gzip": packed, "median_ms": 1000 * statistics.median(times),
        "p99_ms": 1000 * statistics.quantiles(times, n=100)[98], "cpu_ms_a_scrape": 1000 * max(0.0, used - idle * passed) / scrapes,
        "idle_cores": idle, "resident_bytes": cost(pid)[1],
    }
    print(json.dumps(row, indent=1), flush=True)
    return row


def exporters(processes, work, program, scrapes):
    """node_exporter with its defaults, and the daemon on the files of a board, one after the other."""
    port, other = free_ports(2)
    rows = []
    child = processes.start("node_exporter", "prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{port}", "--log.level=error")
    processes.wait("node_exporter", f"http://127.0.0.1:{port}/metrics")
    rows.append(exporter("node_exporter", port, child.pid, scrapes))
    end(processes, "node_exporter")
    if not program or not program.exists():
        print("no program was built: node_exporter alone is measured", flush=True)
        return rows
    config, tree = work / "bench.toml", Tree(work / "board", BOARD)
    config.write_text(f'[admin]\naddress = "127.0.0.1:{other}"\n[sensors]\nroot = "{tree.folder}"\n')
    child = processes.start("daemon", program, "run", "--headless", "--config", config, cwd=ROOT)
    processes.wait("daemon", f"http://127.0.0.1:{other}/readyz", 120)
    # Zeros alone would pack too well.
    question = urllib.request.Request(f"http://127.0.0.1:{other}/talk", b'{"text": "Thank you"}', {"Content-Type": "application/json"})
    urllib.request.urlopen(question, timeout=120).read()
    rows.append(exporter("linly-edge", other, child.pid, scrapes))
    end(processes, "daemon")
    return rows


def end(processes, name):
    """Ends a child, so that nothing of it is measured with what comes next."""
    child = processes.children.pop(name)
    child.terminate()
    try:
        child.wait(20)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def table(head, rows):
    """A table of Markdown."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def rounded(number, digits=2):
    """A number with so many digits that mean something, and commas."""
    if not number:
        return "0"
    exact = float(f"{number:.{digits}g}")
    return f"{exact:,.0f}" if exact >= 10 ** (digits - 1) or exact == int(exact) else f"{exact:g}"


def millions(series):
    return f"{rounded(series / 1e6)} M series"


def about_sites(rows):
    head = ["devices", "series a device", "series in the head", "samples a second", "CPU", "resident", "scrapes missed", "rules, all groups once", "federated series", "of that gzipped"]
    cells = []
    for row in rows:
        missed = row["scrapes_missed"] + max(0.0, 1 - row["scrapes_wanted_and_done"])
        rules = f"{row['rule_seconds']:.1f} s" + (f", {row['rule_iterations_missed']:.0f} left out" if row["rule_iterations_missed"] else "")
        cells.append([f"{row['devices']:,}", str(row["series_a_device"]), f"{row['series']:,.0f}", f"{row['samples_a_second']:,.0f}", f"{row['cores']:.2f} cores",
                      f"{row['resident_bytes'] / 1e9:.2f} GB", f"{100 * missed:.1f} %", rules, f"{row['federation_series']:,}",
                      f"{row['federation_bytes'] / 1024:,.0f} KB in {row['federation_seconds']:.1f} s"])
    return table(head, cells)


def about_exporters(rows):
    head = ["", "series", "plain", "gzipped", "p50 / p99", "CPU a scrape", "CPU between scrapes", "resident"]
    names = {"linly-edge": "linly-edge, models and the sensors of a board included", "node_exporter": "node_exporter with its defaults"}
    return table(head, [[names[row["exporter"]], str(row["series"]), f"{row['plain_bytes'] / 1024:.1f} KB", f"{row['wire_bytes'] / 1024:.1f} KB",
                         f"{row['median_ms']:.1f} / {row['p99_ms']:.1f} ms", f"{row['cpu_ms_a_scrape']:.1f} ms", f"{100 * row['idle_cores']:.1f} % of a core",
                         f"{row['resident_bytes'] / 1e6:.0f} MB"] for row in rows])


def sizing(rows):
    """What 10,000 and 100,000 devices need, by arithmetic from the largest site that was measured."""
    most = max(rows, key=lambda row: row["devices"])
    a_series, a_sample = most["resident_bytes"] / most["series"], most["cores"] / most["samples_a_second"]
    gigabytes = lambda series: f"{rounded(series * a_series / 1e9)} GB and as much again for queries"
    disk = lambda samples: f"{rounded(samples * 86400 * ON_DISK / 1e9)} GB a day"
    each = {key: most[key] / most["devices"] for key in ("series", "samples_a_second", "federation_series", "federation_bytes")}

    def holds(series, samples):
        return f"{millions(series)}, {rounded(samples, 3)} samples/s, {rounded(samples * a_sample)} cores, {gigabytes(series)}; {disk(samples)}"

    def central(devices):
        series = devices * each["federation_series"]
        return holds(series, series / 60)

    site = holds(1000 * each["series"], 1000 * each["samples_a_second"])
    alone = lambda devices: holds(devices * each["series"], devices * each["samples_a_second"])
    answers = f"of {rounded(1000 * each['federation_bytes'] / 1e6)} MB, gzipped"
    return table(["", "10,000 devices in 10 sites", "100,000 devices in 100 sites"], [
        ["each site (1,000 devices)", site, "the same"],
        ["the centre, every 60 s", central(10_000), central(100_000)],
        ["federation a minute", f"10 answers {answers}", f"100 answers {answers}"],
        ["alternatively one Prometheus for all", alone(10_000), "no"],
        ["who", "one Prometheus for each site and one in the centre", "Prometheus at each site; in the centre Mimir, Thanos or VictoriaMetrics"],
    ])


def texts(result):
    """What docs/fleet.md and docs/benchmarks.md say between their marks."""
    cpu = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    version = subprocess.run(["prometheus", "--version"], capture_output=True, text=True)
    version = re.search(r"version (\d+\.\d+)", version.stdout + version.stderr)[1]
    machine = f"{os.cpu_count()} cores of {cpu[1] if cpu else platform.machine()}"
    day, sites = datetime.date.today(), result["sites"]
    load = "; ".join(f"{row['load']} with {row['devices']:,} devices" for row in sites)
    measured = (
        f"Measured on {day} by `make bench-fleet` with Prometheus {version} on {machine}, which served the synthetic devices as well\n"
        f"(load {load}). Synthetic devices are more alike than real ones, so real series compress less; they share one\n"
        "connection pool without TLS; and Prometheus had run for minutes: chunks of two hours take more memory, and rules that\n"
        "look back over a day cost more when there is a day.\n\n" + about_sites(sites))
    scraped = f"Scraped {result['scrapes']:,} times in a row over a kept connection, in the same minutes as the fleet below ({day}, {machine}):\n\n" + about_exporters(result["exporters"])
    fleet = (f"{measured}\n\nFrom that, by arithmetic and not by measurement, with scrapes every {INTERVAL} s and {ON_DISK:g} bytes a sample on disk:\n\n{sizing(sites)}"
             if sites else "")
    return fleet, "\n\n".join(part for part in (scraped, measured if sites else "") if part)


def write(path, name, text):
    """Puts `text` between the marks of that name."""
    begin, over = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, rest = path.read_text().split(begin)
    path.write_text(before + begin + "\n" + text + "\n" + over + rest.split(over)[1])
    print(f"written to {path.relative_to(ROOT)}", flush=True)


async def run(options, processes, work):
    result = {"scrapes": options.scrapes, "exporters": await asyncio.to_thread(exporters, processes, work, options.program, options.scrapes), "sites": []}
    # There are no cycles worth looking for, and looking stops every answer.
    gc.disable()
    for count in options.devices:
        result["sites"].append(await measure(count, options.minutes, processes, work))
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=lambda text: [int(part) for part in text.split(",") if part], default=[1000, 5000], help="how many at a time; '' measures the exporters alone")
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--scrapes", type=int, default=1000, help="of the exporters")
    parser.add_argument("--program", type=pathlib.Path, help="the built daemon")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/fleet.md and docs/benchmarks.md")
    parser.add_argument("--json", type=pathlib.Path, help="where the figures go as JSON, too")
    options = parser.parse_args()
    if any(not 0 < count <= 5000 for count in options.devices):
        parser.error("site.yml takes 1 to 5000 devices (target_limit)")
    if options.write and not options.devices:
        parser.error("--write needs --devices: both documents tell of the fleet")
    options.program = options.program and options.program.resolve()
    need_programs("prometheus", "prometheus-node-exporter")
    work = ROOT / "out" / "bench-fleet"
    shutil.rmtree(work, ignore_errors=True)
    with Processes(work / "logs") as processes:
        result = asyncio.run(run(options, processes, work))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    fleet, benchmarks = texts(result)
    print(f"\n{fleet}\n\n{benchmarks}\n", flush=True)
    if options.write:
        write(ROOT / "docs" / "fleet.md", "measured", fleet)
        write(ROOT / "docs" / "benchmarks.md", "fleet", benchmarks)


if __name__ == "__main__":
    main()
