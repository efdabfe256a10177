#!/usr/bin/env python3
"""The whole of monitoring, for real: devices break, and the right people hear of it, once, in time.

    tests/monitoring/whole.py [--program target/release/linly-edge] [--faster 40]

Real Prometheus and Alertmanager run the shipped configuration with every duration divided by --faster. Two sites
are federated into a centre. Some devices are real daemons if --program is there, with sensors that read the files of a
board which the test changes; the others serve the same names from a model. Then devices are heated, starved, slowed
and killed, and mended again.
"""

import argparse
import asyncio
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "monitoring"))

import dashboards
from fleet import REAL, Fleet
from processes import ROOT, Processes, need_programs, query

# What is expected: the alert of a device or a site, and within how many minutes of real time people must know:
# the range of its expression, its `for`, one scrape, two evaluations, and Alertmanager's group_wait (and
# group_interval, where a group has already been sent).
EXPECTED = {
    ("museum", "hot", "KioskThrottled"): 5 + 5 + 3 + 5,
    ("museum", "warm", "KioskNearTrip"): 10 + 3 + 5,
    ("museum", "weak", "KioskUnderVoltage"): 1 + 3 + 5,
    ("museum", "leaky", "KioskMemoryLeak"): 15 + 30 + 3 + 5,
    ("station", "dropped", "KioskRailDropped"): 2 + 2 + 3 + 5,
    ("station", "killed", "KioskMissing"): 5 + 3 + 5,
    ("station", "blind", "KioskPeripheralGone"): 2 + 2 + 3 + 5,
    # Fewer than one in ten of the answers of the last hours need to be late.
    ("station", "", "SiteFirstSoundBudgetBurnsFast"): 10 + 2 + 3 + 5,
}
DAEMONS = {
    "lobby": {("museum", "lobby", "KioskFirstSoundSlow"): 30 + 15 + 3 + 5},
    "oven": {("museum", "oven", "KioskThrottled"): 5 + 5 + 3 + 5},
    "cable": {("station", "cable", "KioskRailDropped"): 2 + 2 + 3 + 5},
}
# What also fires and must not be sent, because what causes it is.
INHIBITED = [
    ("museum", "hot", "KioskNearTrip"),
    ("museum", "weak", "KioskThrottled"),
    ("station", "slow-1", "KioskFirstSoundSlow"),
    ("station", "slow-2", "KioskFirstSoundSlow"),
]
# What the boards and configurations of this test do not have.
ELSEWHERE = {
    "linly_talker_emmc_wear_ratio",
    "linly_talker_gpu_dedicated_memory_size_bytes",
    "linly_talker_gpu_dedicated_memory_used_bytes",
    "linly_talker_tls_certificate_expiry_timestamp_seconds",
}
# Maintenance: silenced as docs/fleet.md tells, and then switched off.
MUTED = ("museum", "muted", "KioskMissing")
# How long, in minutes, an alert may last after its cause has ended: its windows and what it keeps firing.
ENDS = 60
# A machine that does other work, too, may be late by so many seconds, however fast time runs.
SLACK = 8


class Failure(Exception):
    """What the test found wrong, in words."""


def say(text):
    print(f"{time.monotonic() - BEGAN:6.1f} s  {text}", flush=True)


def break_devices(fleet):
    """What goes wrong, all at once."""
    kiosks = fleet.kiosks
    for sensor in ("cpu", "gpu", "tj"):
        kiosks["hot"].set(f'temperature_celsius{{sensor="{sensor}"}}', 101.0)
        kiosks["warm"].set(f'temperature_celsius{{sensor="{sensor}"}}', 96.0)
    for name in ("hot", "weak"):
        kiosks[name].set('throttled_seconds_total{device="cpu-throttle-alert"}', 0.8)
        kiosks[name].set('cooling_device_state{device="cpu-throttle-alert"}', 1)
    kiosks["weak"].set('overcurrent_events_total{event="oc1"}', 2.0)
    kiosks["leaky"].leak = 40e6
    kiosks["dropped"].set('rail_voltage_volts{rail="VDD_IN"}', 3.0)
    kiosks["blind"].set('peripherals{kind="camera"}', 0)
    kiosks["slow-1"].slowness = kiosks["slow-2"].slowness = 6.0
    fleet.served["killed"].stop()
    fleet.served["muted"].stop()
    for name, daemon in fleet.daemons.items():
        if name == "lobby":
            daemon.slowed.set()
        elif name == "oven":
            daemon.tree.heat(101, throttled=True)
        else:
            daemon.tree.supply(12.0)


async def mend_devices(fleet):
    """All of it is put right."""
    kiosks = fleet.kiosks
    for sensor in ("cpu", "gpu", "tj"):
        for name in ("hot", "warm"):
            kiosks[name].set(f'temperature_celsius{{sensor="{sensor}"}}', 55.0)
    for name in ("hot", "weak"):
        kiosks[name].set('throttled_seconds_total{device="cpu-throttle-alert"}', 0.0)
        kiosks[name].set('cooling_device_state{device="cpu-throttle-alert"}', 0)
    kiosks["weak"].set('overcurrent_events_total{event="oc1"}', 0.0)
    kiosks["leaky"].leak = 0.0
    kiosks["leaky"].restart()
    kiosks["leaky"].set("memory_available_bytes", 9 * 2**30)
    kiosks["leaky"].set("process_resident_memory_bytes", 136e6)
    kiosks["dropped"].set('rail_voltage_volts{rail="VDD_IN"}', 5.0)
    kiosks["blind"].set('peripherals{kind="camera"}', 1)
    kiosks["slow-1"].slowness = kiosks["slow-2"].slowness = 1.0
    await fleet.served["killed"].start()
    await fleet.served["muted"].start()
    for name, daemon in fleet.daemons.items():
        if name == "lobby":
            daemon.slowed.clear()
        elif name == "oven":
            daemon.tree.heat(55, throttled=False)
        else:
            daemon.tree.supply(19.2)


async def until(what, holds, seconds, fleet):
    """Waits until `holds()`, or fails with `what`."""
    end = time.monotonic() + seconds
    while not holds():
        fleet.processes.check()
        if fleet.daemon and fleet.daemon.trouble:
            raise Failure(fleet.daemon.trouble)
        if time.monotonic() > end:
            raise Failure(f"{what()} (waited {seconds:.0f} s)")
        await asyncio.sleep(0.1)


async def messages(fleet, status, expected, after):
    """Waits for a message with `status` about each of `expected`, which has minutes for each."""
    waiting = dict(expected)

    def arrived():
        for key, minutes in list(waiting.items()):
            if found := fleet.inbox.first(key, status, after):
                del waiting[key]
                took = found[0] - after
                say(f"{status:8} {' / '.join(filter(None, key))}: {took:.1f} s = {took * fleet.factor / 60:.0f} min; {found[1]['annotations']['summary']}")
                if took > minutes * 60 / fleet.factor + SLACK:
                    raise Failure(f"{key} took {took:.1f} s: more than {minutes} min / {fleet.factor:g}")
        return not waiting

    longest = max(expected.values()) * 60 / fleet.factor + SLACK
    await until(lambda: f"no message that these are {status}: {sorted(waiting)}", arrived, longest, fleet)


async def ask(address, expression):
    return await asyncio.to_thread(query, address, expression)


async def settled(fleet):
    """Waits until everybody has been scraped and the centre knows of both sites."""
    devices = len(fleet.served) + len(fleet.daemons)
    say(f"waiting for {devices} devices")
    for _ in range(300):
        fleet.processes.check()
        found = await ask(fleet.central, "fleet:up:sum")
        if found and float(found[0]["value"][1]) == devices:
            return
        await asyncio.sleep(0.2)
    raise Failure(f"the centre does not see {devices} devices: {found}")


async def check_federation(fleet):
    """What the centre holds: recorded series with the labels of the device, and nothing else of it."""
    names = await ask(fleet.central, 'group by (__name__) ({job="linly-edge"})')
    raw = sorted(each["metric"]["__name__"] for each in names if ":" not in each["metric"]["__name__"])
    allowed = {"linly_talker_build_info", "linly_talker_device_info", "ALERTS", "ALERTS_FOR_STATE"}
    if set(raw) - allowed:
        raise Failure(f"series of devices in the centre: {raw}")
    if wrong := await ask(fleet.central, '{__name__=~".+",exported_instance!=""} or {__name__=~".+",exported_job!=""}'):
        raise Failure(f"labels in conflict: {wrong[0]['metric']}")
    if wrong := await ask(fleet.central, '{__name__=~"site.*:.+",instance!=""}'):
        raise Failure(f"a series of a site has an instance: {wrong[0]['metric']}")
    if wrong := await ask(fleet.central, '{__name__=~"(instance|site|site_le):.+",site=""}'):
        raise Failure(f"a federated series has no site: {wrong[0]['metric']}")
    count = float((await ask(fleet.central, 'count({__name__=~"instance:.+",instance="fine"})'))[0]["value"][1])
    if not 30 <= count <= 50:
        raise Failure(f"{count:.0f} series of a device go up, about 40 should")
    say(f"federation: {count:.0f} series of each device, labels as they left the site")


def check_messages(fleet, extra):
    """Nothing was sent that nobody expected, and nothing that follows from a cause that was."""
    inbox = fleet.inbox.messages
    # What was burnt fast has also been burnt; when the haste is over, the slow alert tells what is left.
    known = set(EXPECTED) | extra | {("station", "", "SiteMissing"), ("station", "", "SiteFirstSoundBudgetBurnsSlow")}
    surprises = sorted({key for _, receiver, _, key, _ in inbox if key not in known and receiver != "heartbeat"})
    if surprises:
        raise Failure(f"messages that nobody expected: {surprises}")
    beats = {(key[0], alert["labels"].get("monitor", "")) for _, receiver, _, key, alert in inbox if receiver == "heartbeat"}
    if beats != {("museum", ""), ("station", ""), ("", "central")}:
        raise Failure(f"heartbeats came from {sorted(beats)}")
    for _, receiver, _, key, alert in inbox:
        expected = {"critical": "night-and-day", "warning": "working-hours", "none": "heartbeat"}[alert["labels"]["severity"]]
        if receiver != expected:
            raise Failure(f"{key} went to {receiver} instead of {expected}")
    say("nothing else was sent; heartbeats of both sites and the centre came")


async def check_inhibited(fleet):
    """What must not be sent does fire, so that its silence is Alertmanager's doing."""
    for site, instance, alert in [*INHIBITED, MUTED]:
        fired = await ask(fleet.sites[site], f'max_over_time(ALERTS{{alertname="{alert}",instance="{instance}",alertstate="firing"}}[1h])')
        if not fired:
            raise Failure(f"{alert} of {instance} should have fired, unheard")
    say(f"{len(INHIBITED)} alerts that follow from others fired and were not sent, nor was one that is silenced")


async def run(options, processes):
    work = ROOT / "out" / "test-monitoring"
    shutil.rmtree(work, ignore_errors=True)
    program = options.program if options.program and options.program.exists() else None
    say(f"real daemons run {program}" if program else "no program was built: every device is a model of one")
    fleet = Fleet(processes, work, options.faster, program)
    await fleet.start()
    try:
        await settled(fleet)
        expected, extra = dict(EXPECTED), set()
        for name in fleet.daemons:
            expected |= DAEMONS[name]
            extra |= set(DAEMONS[name]) | missing_families(fleet, name)
        check_names(fleet)
        # What was normal must be known before something is not.
        await asyncio.sleep(15)
        silence = ["amtool", "silence", "add", f"--alertmanager.url=http://{fleet.alertmanager}", "-a", "test", "-d", "2h", "-c", "maintenance", "site=museum", "instance=muted"]
        await asyncio.to_thread(subprocess.run, silence, check=True, capture_output=True, timeout=30)
        say("devices are heated, starved, slowed, blinded and killed")
        broke = time.monotonic()
        break_devices(fleet)
        await messages(fleet, "firing", expected, broke)
        await check_inhibited(fleet)
        await check_federation(fleet)
        say(f"{await dashboards.check(fleet)} queries of the dashboards answered")
        say("everything is mended")
        mended = time.monotonic()
        await mend_devices(fleet)
        await messages(fleet, "resolved", {key: ENDS for key in expected}, mended)
        say("the Prometheus of the station stands still")
        stopped = time.monotonic()
        processes.children["station"].send_signal(signal.SIGSTOP)
        missing = {("station", "", "SiteMissing"): 5 + 5 + 3 + 5}
        await messages(fleet, "firing", missing, stopped)
        processes.children["station"].send_signal(signal.SIGCONT)
        await messages(fleet, "resolved", {key: 20 for key in missing}, time.monotonic())
        check_messages(fleet, extra)
    finally:
        fleet.stop()


def check_names(fleet):
    """What the rules read is what real daemons serve: a name that was changed in one place only is found here."""
    if not fleet.sensors:
        say("the daemon has no sensors yet: names are those of the model")
        return
    used = set()
    for path in (ROOT / "monitoring/prometheus/rules").glob("*.yml"):
        expressions = "\n".join(line for line in path.read_text().splitlines() if not re.search(r"^ *#|- record:|summary|description|runbook_url", line))
        used |= set(re.findall(r"(?<![\w:])linly_talker_\w+(?!\w*:)", expressions))
    served = set().union(*(daemon.families() for daemon in fleet.daemons.values()))
    unknown = {name for name in used if re.sub(r"_(bucket|count|sum)$", "", name) not in served} - ELSEWHERE
    if unknown:
        raise Failure(f"no daemon serves {sorted(unknown)}, which rules read")
    say(f"{len(used)} names of metrics that rules read: real daemons serve them")


def missing_families(fleet, name):
    """A daemon that lacks what alerts read is told of, as it should be; says which families."""
    served = fleet.daemons[name].families()
    rules = (ROOT / "monitoring/prometheus/rules/device-alerts.yml").read_text()
    wanted = {part.split('"')[0] for part in rules.split('"family", "')[1:]}
    lacks = sorted(family for family in wanted if family.removesuffix("_count") not in served)
    if not lacks:
        return set()
    say(f"{name} lacks {', '.join(lacks)}: KioskMetricsMissing tells it")
    return {(REAL[name], name, "KioskMetricsMissing")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, help="the built daemon")
    parser.add_argument("--faster", type=float, default=40)
    options = parser.parse_args()
    if options.program:
        options.program = options.program.resolve()
    need_programs("prometheus", "prometheus-alertmanager", "amtool", "openssl")
    with Processes(ROOT / "out" / "test-monitoring-logs") as processes:
        try:
            asyncio.run(run(options, processes))
        except (Failure, ValueError, subprocess.SubprocessError) as failure:
            sys.exit(f"FAILED: {failure}\n  (logs: {processes.logs}; load: {os.getloadavg()[0]:.1f})")
    say("monitoring works")


BEGAN = time.monotonic()

if __name__ == "__main__":
    main()
