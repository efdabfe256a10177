#!/usr/bin/env python3
"""Writes the dashboards beside it: `generate.py` writes them, `generate.py --check` says which are out of date.

A dashboard is a list of rows, a row a list of panels, a panel a title, a unit and queries with legends. All else
(places, ids, colours of thresholds) is the same everywhere and stands here once. Only the Python standard library.
"""

import json
import pathlib
import sys

FOLDER = pathlib.Path(__file__).resolve().parent / "dashboards"
T = "linly_talker_"
# The steps of an answer in the order in which a visitor waits for them: what each is called, and its histogram.
STEPS = [
    ("first sound", T + "request_latency_seconds"),
    ("first lip movement", T + "first_lip_movement_seconds"),
    ("text of the question", T + "asr_finish_seconds"),
    ("first token", T + "llm_first_token_seconds"),
    ("voice of a sentence", T + "tts_duration_seconds"),
    ("face of a beat", T + "face_animator_duration_seconds"),
    ("silence after interruption", T + "hush_seconds"),
]
DEVICE = '{instance="$instance"}'


def panel(title, unit, *queries, kind="timeseries", width=12, height=8, about="", limits=(), low=None, high=None):
    """A panel; `queries` are pairs of an expression and its legend, `limits` pairs of a value and a colour."""
    return dict(title=title, unit=unit, queries=queries, kind=kind, width=width, height=height, about=about, limits=limits, low=low, high=high)


def stat(title, unit, expression, **more):
    """One number."""
    return panel(title, unit, (expression, ""), kind="stat", width=4, height=4, **more)


def quantile(q, histogram, selector=""):
    """The quantile of one device, from its own buckets."""
    inner = f"{histogram}_bucket{selector}"
    return f"histogram_quantile({q}, sum without (model) (rate({inner}[$__rate_interval])))"


def built(spec, number, place):
    """The JSON of a panel."""
    source = {"type": "prometheus", "uid": "${datasource}"}
    steps = [{"color": "green", "value": None}] + [{"color": colour, "value": value} for value, colour in spec["limits"]]
    defaults = {"unit": spec["unit"], "thresholds": {"mode": "absolute", "steps": steps}}
    if spec["low"] is not None:
        defaults["min"] = spec["low"]
    if spec["high"] is not None:
        defaults["max"] = spec["high"]
    options = {}
    if spec["kind"] == "timeseries":
        # Gaps are gaps: a device that was away has no straight line through its absence.
        defaults["custom"] = {"lineWidth": 1, "fillOpacity": 5, "spanNulls": False, "thresholdsStyle": {"mode": "line" if spec["limits"] else "off"}}
        options = {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}
    if spec["kind"] == "stat":
        options = {"colorMode": "value", "graphMode": "area", "reduceOptions": {"calcs": ["lastNotNull"]}}
    table = spec["kind"] == "table"
    targets = [
        {
            "refId": chr(ord("A") + place_), "datasource": source, "expr": expression, "legendFormat": legend or "__auto",
            "editorMode": "code", "instant": table, "range": not table, **({"format": "table"} if table else {}),
        }
        for place_, (expression, legend) in enumerate(spec["queries"])
    ]
    return {
        "id": number, "type": spec["kind"], "title": spec["title"], "description": spec["about"], "datasource": source,
        "gridPos": dict(zip("xywh", place)), "fieldConfig": {"defaults": defaults, "overrides": []}, "options": options, "targets": targets,
        **({"transformations": [{"id": "merge", "options": {}}, {"id": "organize", "options": {"excludeByName": {"Time": True, "job": True}}}]} if table else {}),
    }


def dashboard(uid, title, rows, variables=(), about=""):
    """The JSON of a dashboard. Every one lets its reader choose the data source."""
    panels, number, y = [], 0, 0
    for heading, specs in rows:
        number += 1
        panels.append({"id": number, "type": "row", "title": heading, "collapsed": False, "gridPos": {"x": 0, "y": y, "w": 24, "h": 1}, "panels": []})
        y, x, tallest = y + 1, 0, 0
        for spec in specs:
            number += 1
            if x + spec["width"] > 24:
                x, y, tallest = 0, y + tallest, 0
            panels.append(built(spec, number, (x, y, spec["width"], spec["height"])))
            x, tallest = x + spec["width"], max(tallest, spec["height"])
        y += tallest
    source = {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    return {
        "uid": uid, "title": title, "description": about, "tags": ["linly-edge"], "schemaVersion": 38, "editable": True, "graphTooltip": 1,
        "time": {"from": "now-6h", "to": "now"}, "refresh": "1m", "timezone": "browser", "templating": {"list": [source, *variables]},
        "links": [{"type": "dashboards", "tags": ["linly-edge"], "asDropdown": True, "title": "linly-edge", "keepTime": True, "includeVars": True}],
        "annotations": {"list": [{
            "name": "Alerts", "enable": True, "iconColor": "red", "datasource": {"type": "prometheus", "uid": "${datasource}"},
            "expr": 'ALERTS{alertstate="firing",alertname!="Watchdog"}', "titleFormat": "{{alertname}}", "textFormat": "{{instance}}",
        }]},
        "panels": panels,
    }


def chosen(name, label, query):
    """A variable whose values are those of a label."""
    return {
        "name": name, "label": label, "type": "query", "query": {"query": query, "refId": name}, "refresh": 2, "sort": 1,
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
    }


def typed(name, label, value):
    """A variable that is typed in."""
    return {"name": name, "label": label, "type": "textbox", "query": value, "current": {"text": value, "value": value}}


SLOW = [(0.8, "orange"), (1, "red")]


def fleet():
    burn = T + "request_latency_seconds_slow:burnrate"
    first = "fleet:" + T + "request_latency_seconds"
    rows = [
        ("Now", [
            stat("Devices up", "none", "fleet:up:sum"),
            stat("Devices missing", "none", "fleet:up:count - fleet:up:sum", limits=[(1, "red")]),
            stat("Sites missing", "none", 'count(up{job="federate"} == 0) or vector(0)', limits=[(1, "red")]),
            stat("Visitors being served", "none", f"fleet:{T}sessions:sum"),
            stat("Devices throttled", "none", f"fleet:{T}throttled_seconds:count", limits=[(1, "orange")]),
            stat("Power", "watt", f"fleet:{T}board_energy_joules:rate5m"),
        ]),
        ("What visitors feel", [
            panel("End of speech to first sound, whole fleet", "s", *[(f"{first}:p{p}_rate5m", f"P{p}") for p in (50, 95, 99)], limits=SLOW, low=0),
            panel("Allowance burnt by each site, one hour", "none", (f"site:{burn}1h", "{{site}}"), limits=[(1, "orange"), (14.4, "red")], low=0,
                  about="1 uses up the allowance of 1 % of answers after 0.8 s exactly; 14.4 wakes somebody."),
            panel("Questions", "reqps", (f"site:{T}turns:rate5m", "{{site}}"), low=0),
            panel("Failed answers", "percentunit", (f"site:{T}turns_failed:rate30m / (site:{T}turns:rate30m > 0)", "{{site}}"), limits=[(0.05, "red")], low=0),
        ]),
        ("Where to look", [
            panel("Alerts that fire", "none", ('sum by (site, alertname, severity) (ALERTS{alertstate="firing",alertname!="Watchdog"})', ""), kind="table"),
            panel("The ten slowest devices: P95 of the first sound", "s", (f"topk(10, instance:{T}request_latency_seconds:p95_rate30m)", ""), kind="table"),
            panel("The ten nearest to their trip", "celsius", (f"bottomk(10, instance:{T}thermal_headroom_celsius:min)", ""), kind="table"),
            panel("Devices up at each site", "percentunit", ("site:up:sum / site:up:count", "{{site}}"), low=0, high=1),
        ]),
        ("What runs", [
            panel("Versions of the program", "none", (f"count by (version) ({T}build_info)", "{{version}}")),
            panel("Boards and releases", "none", (f"count by (model, l4t) ({T}device_info)", ""), kind="table"),
        ]),
    ]
    return dashboard("linly-fleet", "linly-edge: fleet", rows, about="All sites, from what they send to the central Prometheus.")


def site():
    s = '{site="$site"}'
    rows = [
        ("Now", [
            stat("Devices up", "none", f"site:up:sum{s}"),
            stat("Devices", "none", f"site:up:count{s}"),
            stat("Visitors being served", "none", f"site:{T}sessions:sum{s}"),
            stat("Allowance burnt, one hour", "none", f"site:{T}request_latency_seconds_slow:burnrate1h{s}", limits=[(1, "orange"), (14.4, "red")]),
            stat("Devices throttled", "none", f"site:{T}throttled_seconds:count{s}", limits=[(1, "orange")]),
            stat("Power", "watt", f"site:{T}board_energy_joules:rate5m{s}"),
        ]),
        ("What visitors feel", [
            panel(f"{what[0].upper() + what[1:]}, all devices", "s",
                  *[(f"histogram_quantile({q}, site_le:{histogram}_bucket:rate5m{s})", f"P{q * 100:.0f}") for q in (0.5, 0.95, 0.99)], width=8, low=0)
            for what, histogram in STEPS[:5]
        ]),
        ("Each device", [
            panel("P95 of the first sound", "s", (f"instance:{T}request_latency_seconds:p95_rate30m{s}", "{{instance}}"), limits=SLOW, low=0),
            panel("Answers that succeed", "percentunit", (f"instance:{T}turns_succeeded:ratio_rate30m{s}", "{{instance}}"), high=1),
            panel("Headroom to the trip", "celsius", (f"instance:{T}thermal_headroom_celsius:min{s}", "{{instance}}"), limits=[(0, "red")]),
            panel("Time throttled", "percentunit", (f"instance:{T}throttled_seconds:max_rate5m{s}", "{{instance}}"), low=0, high=1),
            panel("Throttled in the last day", "m", (f"instance:{T}throttled_seconds:max_increase1d{s} / 60", "{{instance}}"), low=0),
            panel("Power", "watt", (f"instance:{T}board_energy_joules:rate5m{s}", "{{instance}}"), low=0),
            panel("Memory of the program", "bytes", (f"instance:process_resident_memory_bytes:max5m{s}", "{{instance}}"), low=0),
            panel("Scrapes answered", "percentunit", (f"instance:up:avg5m{s}", "{{instance}}"), low=0, high=1),
        ]),
    ]
    return dashboard("linly-site", "linly-edge: one site", rows, [chosen("site", "Site", "label_values(site:up:count, site)")],
                     "One site, from what it sends to the central Prometheus.")


def device():
    rows = [
        ("Latency of each step", [
            panel("P95 of each step", "s", *[(quantile(0.95, histogram, DEVICE), what) for what, histogram in STEPS], width=24, limits=SLOW, low=0),
        ]),
        ("Heat and power under it", [
            panel("Temperature", "celsius", (f"{T}temperature_celsius{DEVICE}", "{{sensor}}"), width=24),
            panel("Headroom to the trip, and time throttled", "none", (f"instance:{T}thermal_headroom_celsius:min{DEVICE}", "headroom, K"),
                  (f"rate({T}throttled_seconds_total{DEVICE}[$__rate_interval]) > 0", "throttled by {{device}}, s/s"), width=24),
            panel("Power of each rail", "watt", (f"rate({T}rail_energy_joules_total{DEVICE}[$__rate_interval])", "{{rail}}"), width=24, low=0),
            panel("Voltage of each rail", "volt", (f"{T}rail_voltage_volts{DEVICE}", "{{rail}}"), width=24),
            panel("Over-current and under-voltage events", "none", (f"increase({T}overcurrent_events_total{DEVICE}[$__rate_interval])", "{{event}}"), width=24, low=0),
            panel("Clocks", "hertz", (f"{T}gpu_frequency_hertz{DEVICE}", "GPU"), (f"{T}cpu_frequency_hertz{DEVICE}", "CPU {{policy}}"), width=24, low=0),
        ]),
        ("Memory and program", [
            panel("Memory", "bytes", (f"{T}memory_available_bytes{DEVICE}", "available"), (f"{T}memory_nvmap_used_bytes{DEVICE}", "held by the GPU"),
                  (f"process_resident_memory_bytes{DEVICE}", "program, resident"), (f"{T}memory_allocated_bytes{DEVICE}", "program, allocated"), low=0),
            panel("GPU busy", "percentunit", (f"rate({T}gpu_busy_seconds_total{DEVICE}[$__rate_interval])", "GPU"), low=0, high=1),
            panel("Turns", "reqps", (f"rate({T}turns_total{DEVICE}[$__rate_interval])", "{{end}}"), low=0),
            panel("Items waiting", "none", (f"{T}queue_depth{DEVICE}", "{{link}}"), low=0),
            panel("Collectors that fail", "none", (f"{T}collector_success{DEVICE} == 0", "{{collector}}")),
            panel("Fan", "percentunit", (f"{T}fan_duty_ratio{DEVICE}", "{{fan}}"), low=0, high=1),
        ]),
    ]
    return dashboard("linly-device", "linly-edge: one device", rows, [chosen("instance", "Device", 'label_values(up{job="linly-edge"}, instance)')],
                     "One device, from the Prometheus of its site. Time runs alike in all panels: what happened under a peak caused it.")


def why_slow():
    mean = lambda histogram: f"rate({histogram}_sum{DEVICE}[$__rate_interval]) / (rate({histogram}_count{DEVICE}[$__rate_interval]) > 0)"
    rows = [
        ("Is it slow, and since when?", [
            panel("End of speech to first sound", "s", *[(quantile(q, STEPS[0][1], DEVICE), f"P{q * 100:.0f}") for q in (0.5, 0.95, 0.99)], limits=SLOW, low=0),
            panel("Where the others stand: P95 of all devices of the site", "s", (f"instance:{T}request_latency_seconds:p95_rate30m", "{{instance}}"), low=0,
                  about="If all are slow, look for what they share: the version, the room's heat, the supply."),
        ]),
        ("Which step?", [
            panel("Mean of each step", "s", *[(mean(histogram), what) for what, histogram in STEPS], width=24, low=0),
        ]),
        ("Too hot?", [
            panel("Headroom to the trip", "celsius", (f"instance:{T}thermal_headroom_celsius:min{DEVICE}", "headroom"), width=8),
            panel("Time throttled", "percentunit", (f"rate({T}throttled_seconds_total{DEVICE}[$__rate_interval])", "{{device}}"), width=8, low=0, high=1),
            panel("Fan", "percentunit", (f"{T}fan_duty_ratio{DEVICE}", "{{fan}}"), width=8, low=0, high=1),
        ]),
        ("Short of power?", [
            panel("Events of the supply", "none", (f"increase({T}overcurrent_events_total{DEVICE}[$__rate_interval])", "{{event}}"), width=8, low=0,
                  about="oc1: under-voltage; oc2: mean over-current; oc3: instantaneous over-current."),
            panel("Voltage against the mean of a day", "percentunit",
                  (f"{T}rail_voltage_volts{DEVICE} / instance_rail:{T}rail_voltage_volts:avg1d{DEVICE}", "{{rail}}"), width=8),
            panel("Power mode: actual and wanted", "none", (f"{T}power_mode_id{DEVICE}", "actual"), (f"{T}power_mode_desired_id{DEVICE}", "wanted"), width=8),
        ]),
        ("Short of memory, or busy with something else?", [
            panel("GPU clock against its limit", "percentunit",
                  (f'{T}gpu_frequency_hertz{DEVICE} / ignoring (limit) {T}gpu_frequency_limit_hertz{{instance="$instance",limit="max"}}', "GPU"), width=8, low=0, high=1),
            panel("Available memory", "bytes", (f"{T}memory_available_bytes{DEVICE}", "available"), width=8, low=0),
            panel("CPU of the program, in cores", "none", (f"rate(process_cpu_seconds_total{DEVICE}[$__rate_interval])", "cores"), width=8, low=0),
            panel("Items waiting", "none", (f"{T}queue_depth{DEVICE}", "{{link}}"), width=8, low=0),
            panel("Items lost, late pictures, gaps in the sound", "none", (f"sum without (link) (rate({T}dropped_total{DEVICE}[$__rate_interval]))", "lost"),
                  (f"rate({T}video_late_frames_total{DEVICE}[$__rate_interval])", "late pictures"),
                  (f"rate({T}speaker_underruns_total{DEVICE}[$__rate_interval])", "gaps"), width=8, low=0),
            panel("Starts of the program", "none", (f"changes(process_start_time_seconds{DEVICE}[1h])", "in one hour"), width=8, low=0),
        ]),
    ]
    return dashboard("linly-why-slow", "linly-edge: why is it slow", rows, [chosen("instance", "Device", 'label_values(up{job="linly-edge"}, instance)')],
                     "One question, from the symptom to its cause. From the Prometheus of the site.")


def idle():
    e = T + "board_energy_joules"
    day = f"avg_over_time(fleet:{e}:idle_rate5m[1d])"
    # W → kWh in a year: 8,760 hours, 1,000 W.
    rows = [
        ("What idling costs", [
            stat("Power now", "watt", f"fleet:{e}:rate5m"),
            stat("Of it idle", "watt", f"fleet:{e}:idle_rate5m"),
            stat("Idle share, one day", "percentunit", f"{day} / avg_over_time(fleet:{e}:rate5m[1d])"),
            stat("Idle energy in a year at this rate", "kwatth", f"{day} * 8760 / 1000"),
            stat("What that costs, in the currency of the price", "none", f"{day} * 8760 / 1000 * $price"),
            stat("Turns in a day", "none", f"avg_over_time(fleet:{T}turns:rate5m[1d]) * 86400"),
        ]),
        ("Where", [
            panel("Idle and busy power", "watt", (f"fleet:{e}:idle_rate5m", "idle"), (f"fleet:{e}:rate5m - fleet:{e}:idle_rate5m", "serving"), low=0),
            panel("Idle power of each site", "watt", (f"site:{e}:idle_rate5m", "{{site}}"), low=0),
            panel("The ten devices that idle at the highest power", "watt", (f"topk(10, avg_over_time(instance:{e}:idle_rate5m[1d]))", ""), kind="table",
                  about="A mean of one day: a device that is never used counts with all of its power."),
            panel("Energy of a turn, idling between turns included", "joule", (f"topk(10, instance:{e}_per_turn:ratio_rate30m)", "{{site}} {{instance}}"), low=0),
            panel("GPU busy", "percentunit", (f"quantile(0.5, instance:{T}gpu_busy_seconds:rate5m)", "median device"), (f"max(instance:{T}gpu_busy_seconds:rate5m)", "busiest device"), low=0, high=1),
            panel("Questions", "reqps", (f"fleet:{T}turns:rate5m", "fleet"), low=0),
        ]),
    ]
    return dashboard("linly-idle", "linly-edge: what idle hardware costs", rows, [typed("price", "Price of a kWh", "0.30")],
                     "Energy that was used while nobody was served. From the central Prometheus.")


DASHBOARDS = {"fleet": fleet, "site": site, "device": device, "why-slow": why_slow, "idle-cost": idle}


def main():
    stale = []
    for name, make in DASHBOARDS.items():
        path, text = FOLDER / f"{name}.json", json.dumps(make(), indent=1, ensure_ascii=False) + "\n"
        if path.exists() and path.read_text() == text:
            continue
        stale.append(path.name)
        if "--check" not in sys.argv:
            path.write_text(text)
            print(f"wrote {path}")
    if stale and "--check" in sys.argv:
        sys.exit(f"out of date: {', '.join(stale)}; run monitoring/grafana/generate.py")


if __name__ == "__main__":
    main()
