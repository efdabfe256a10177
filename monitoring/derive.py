#!/usr/bin/env python3
"""Makes a copy of the shipped configuration that runs on one machine, and, if wanted, in quick motion.

    monitoring/derive.py --out out/monitoring --alertmanager 127.0.0.1:19093 --webhook http://127.0.0.1:19094 \\
        --site museum=127.0.0.1:19091 [--faster 60]

The shipped files stay the source: addresses are replaced, receivers become webhooks, and every duration
(scrape and evaluation intervals, `for`, ranges in expressions, Alertmanager's waits) is divided by --faster.
Only the Python standard library is needed.
"""

import argparse
import pathlib
import re
import shutil

HERE = pathlib.Path(__file__).resolve().parent
UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
# A number with a unit that is not the end of a name such as `rate5m` or `deriv1h`.
DURATION = re.compile(r"(?<![\w.])(\d+)(ms|s|m|h|d|w)(?![\w%])")
# Spans in seconds inside expressions are products with one of these.
SECONDS = re.compile(r"(?<![\w.])(60|3600|86400)(?![\w.])")


def quicken(text, factor):
    """`text` with every duration divided by `factor`; comments and annotations stay as they are."""
    if factor == 1:
        return text

    def duration(match):
        milliseconds = int(match[1]) * UNITS[match[2]] / factor
        return f"{max(1, round(milliseconds))}ms"

    lines, annotations = [], None
    for line in text.split("\n"):
        indent = len(line) - len(line.lstrip())
        if annotations is not None and line.strip() and indent <= annotations:
            annotations = None
        if line.strip() == "annotations:":
            annotations = indent
        if annotations is None and not line.lstrip().startswith("#") and "- record:" not in line:
            line = DURATION.sub(duration, line)
            line = SECONDS.sub(lambda match: f"{int(match[1]) / factor:g}", line)
        lines.append(line)
    return "\n".join(lines)


def replace(text, pattern, by, what):
    """Replaces every match of `pattern`, of which there must be one."""
    text, count = re.subn(pattern, lambda _: by, text, flags=re.M | re.S)
    if not count:
        raise SystemExit(f"derive.py: the shipped file has no {what} any more: has it changed? (pattern {pattern!r})")
    return text


def write_rules(out, factor):
    """The rules, quickened."""
    (out / "rules").mkdir(parents=True, exist_ok=True)
    for rules in sorted((HERE / "prometheus" / "rules").glob("*.yml")):
        (out / "rules" / rules.name).write_text(quicken(rules.read_text(), factor))


def write_prometheus(kind, out, alertmanager, factor, site=None, plain=True):
    """`site.yml` or `central.yml` with its rules in the folder `out`; `plain` without TLS."""
    write_rules(out, factor)
    text = quicken((HERE / "prometheus" / f"{kind}.yml").read_text(), factor)
    text = replace(text, r"127\.0\.0\.1:9093", alertmanager, "address of the Alertmanager")
    if site:
        text = replace(text, r"site: example-site", f"site: {site}", "external label")
    if plain:
        text = replace(text, r"^    scheme: https$", "    scheme: http", "scheme")
        text = replace(text, r"^    tls_config:\n(      [^\n]*\n)+", "", "tls_config")
    if factor > 1:
        # A busy machine may take longer than a sixtieth of ten seconds; the interval is the longest.
        interval = re.search(r"scrape_interval: (\S+)", text)[1]
        text = replace(text, r"scrape_timeout: \S+", f"scrape_timeout: {interval}", "scrape_timeout")
        text = replace(text, r"refresh_interval: \S+", "refresh_interval: 1s", "refresh_interval")
    for folder in ("targets", "sites"):
        (out / folder).mkdir(exist_ok=True)
    path = out / f"{kind}.yml"
    path.write_text(text)
    return path


def write_alertmanager(out, webhook, factor):
    """`alertmanager.yml` whose receivers post to `webhook`/NAME, and which works at night, too."""
    out.mkdir(parents=True, exist_ok=True)
    shutil.copytree(HERE / "alertmanager" / "templates", out / "templates", dirs_exist_ok=True)
    text = quicken((HERE / "alertmanager" / "alertmanager.yml").read_text(), factor)
    text = replace(text, r"^      active_time_intervals:[^\n]*\n", "", "active_time_intervals")
    text = replace(text, r"^  (smtp|wechat)_[^\n]*\n", "", "mail server")
    head, receivers = text.split("\nreceivers:\n")
    names = re.findall(r"^  - name: (\S+)", receivers, flags=re.M)
    text = head + "\nreceivers:\n"
    for name in names:
        resolved = "false" if name == "heartbeat" else "true"
        text += f"  - name: {name}\n    webhook_configs:\n      - url: {webhook}/{name}\n        send_resolved: {resolved}\n"
    path = out / "alertmanager.yml"
    path.write_text(text)
    return path


def write_targets(path, targets):
    """A file of targets; `targets` are pairs of an address and its labels."""
    import json

    groups = [{"targets": [address], "labels": labels} for address, labels in targets]
    # JSON is YAML. Written aside and renamed, so that nobody reads half of it.
    aside = path.with_suffix(".tmp")
    aside.write_text(json.dumps(groups, indent=1))
    aside.rename(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--alertmanager", default="127.0.0.1:9093", help="its address")
    parser.add_argument("--webhook", required=True, help="where alerts go: a URL")
    parser.add_argument("--site", action="append", default=[], metavar="NAME=ADDRESS", help="a site and the address of its Prometheus")
    parser.add_argument("--faster", type=float, default=1)
    options = parser.parse_args()
    sites = dict(site.split("=", 1) for site in options.site)
    for site in sites:
        print(write_prometheus("site", options.out / site, options.alertmanager, options.faster, site))
    print(write_prometheus("central", options.out / "central", options.alertmanager, options.faster))
    write_targets(options.out / "central" / "sites" / "sites.yml", [(address, {"site": site}) for site, address in sites.items()])
    print(write_alertmanager(options.out / "alertmanager", options.webhook, options.faster))


if __name__ == "__main__":
    main()
