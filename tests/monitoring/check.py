#!/usr/bin/env python3
"""Checks every file in monitoring/ that can be checked without running it: seconds, and no ports.

Configuration and rules by promtool and amtool, rule tests by promtool, that every rule has a test in which it fires
and one in which it does not, that every alert has its entry in docs/runbook.md, templates by rendering them, the
examples for Kubernetes by the operator's schemas, and that generated files are current.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "monitoring"))

from processes import ROOT, need_programs

MONITORING = ROOT / "monitoring"
RULES = MONITORING / "prometheus" / "rules"
TESTS = MONITORING / "prometheus" / "rules-test"
# An alert that always fires has no case in which it does not.
ALWAYS = {"Watchdog"}


def run(*command, cwd=MONITORING):
    """The output of a program; ends with all that it said if it fails."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, cwd=cwd)
    if done.returncode:
        sys.exit(f"FAILED: {' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def rules(kind):
    """Names of all rules of a kind, `record` or `alert`, by file."""
    return {path.name: re.findall(rf"^ +- {kind}: (\S+)$", path.read_text(), re.M) for path in sorted(RULES.glob("*.yml"))}


def check_every_rule_has_tests():
    """Each rule must be seen with a result and without."""
    fired, silent = set(), set()
    for path in sorted(TESTS.glob("*.test.yml")):
        text = path.read_text()
        # What a case expects stands between its name and the next case.
        for name, body in re.findall(r"- alertname: (\S+)\n(.*?)(?=\n +- alertname:|\n  - interval:|\Z)", text, re.S):
            (silent if "exp_alerts: []" in body else fired).add(name)
        for name, body in re.findall(r"- expr: '(?:round\()?([\w:]+)(?:, [\d.]+\))?'\n(.*?)(?=\n +- expr:|\n  - interval:|\Z)", text, re.S):
            (silent if "exp_samples: []" in body else fired).add(name)
    names = [name for kind in ("record", "alert") for found in rules(kind).values() for name in found]
    if len(names) != len(set(names)):
        sys.exit(f"FAILED: a rule's name is given twice: {sorted({name for name in names if names.count(name) > 1})}")
    for what, seen, excepted in (("a result", fired, set()), ("none", silent, ALWAYS)):
        if missing := sorted(set(names) - seen - excepted):
            sys.exit(f"FAILED: no case in {TESTS.relative_to(ROOT)} expects {what} of {', '.join(missing)}")
    return len(names)


def check_runbook():
    """Every alert links to a heading that is there, and every alert's heading belongs to an alert."""
    headings = re.findall(r"^### (\S+)$", (ROOT / "docs" / "runbook.md").read_text(), re.M)
    alerts = [name for found in rules("alert").values() for name in found]
    if set(headings) != set(alerts):
        sys.exit(f"FAILED: docs/runbook.md and the alerts differ in {sorted(set(headings) ^ set(alerts))}")
    for path in RULES.glob("*.yml"):
        for name, body in re.findall(r"- alert: (\S+)\n(.*?)(?=\n +- alert:|\n  - name:|\Z)", path.read_text(), re.S):
            for part in ("severity:", "summary:", "description:", "summary_zh:", f"runbook.md#{name.lower()}\n"):
                if part not in body + "\n":
                    sys.exit(f"FAILED: {name} has no {part.strip()}")
    return len(alerts)


def check_scrape_configurations_agree():
    """The agent scrapes as the site does: the two sections are the same text."""
    site, agent = ((MONITORING / "prometheus" / name).read_text().split("\nscrape_configs:\n")[1] for name in ("site.yml", "agent.yml"))
    if site != agent:
        sys.exit("FAILED: scrape_configs of agent.yml and site.yml differ")


def check_templates():
    """Renders every template, of alerts that fire and of some that have ended."""
    labels = {"alertname": "KioskThrottled", "site": "museum", "severity": "warning", "instance": "lobby"}
    alert = {
        "status": "firing", "labels": labels, "startsAt": "2026-01-02T03:04:05Z", "endsAt": "2026-01-02T04:04:05Z", "fingerprint": "1",
        "annotations": {"summary": "lobby is throttled", "description": "slow & hot", "summary_zh": "lobby 正在降频", "runbook_url": "https://example.com/#a"},
    }
    data = {
        "receiver": "r", "status": "firing", "alerts": [alert, alert | {"status": "resolved"}], "groupLabels": {"site": "museum", "alertname": "KioskThrottled"},
        "commonLabels": labels, "commonAnnotations": {}, "externalURL": "http://localhost",
    }
    expected = {
        "linly.subject": ["[WARNING × 1] museum: KioskThrottled"],
        "linly.text": ["FIRING (warning) at museum since 2026-01-02 03:04:05 UTC", "RESOLVED at museum", "slow & hot", "https://example.com/#a"],
        "linly.text.zh": ["【警告】站点 museum", "【已恢复】", "lobby 正在降频", "处理办法：https://example.com/#a"],
        "linly.html": ["lobby is throttled", "slow &amp; hot", 'href="https://example.com/#a"', "处理办法"],
    }
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "data.json"
        path.write_text(json.dumps(data))
        for name, parts in expected.items():
            text = run("amtool", "template", "render", "--template.glob=alertmanager/templates/*.tmpl", f"--template.data={path}",
                       f"--template.type={'html' if name == 'linly.html' else 'text'}", f'--template.text={{{{ template "{name}" . }}}}')
            for part in parts:
                if part not in text:
                    sys.exit(f"FAILED: {name} lacks {part!r}:\n{text}")
    # What the configuration names must be defined.
    used = set(re.findall(r'template "(linly[\w.]+)"', (MONITORING / "alertmanager" / "alertmanager.yml").read_text()))
    if unknown := used - set(expected):
        sys.exit(f"FAILED: alertmanager.yml uses {unknown}")


def main():
    need_programs("promtool", "amtool")
    for name in ("site.yml", "central.yml"):
        run("promtool", "check", "config", "--syntax-only", f"prometheus/{name}")
    run("promtool", "check", "config", "--syntax-only", "--agent", "prometheus/agent.yml")
    run("promtool", "check", "rules", "--lint=all", "--lint-fatal", *sorted(RULES.glob("*.yml")))
    check_scrape_configurations_agree()
    run("amtool", "check-config", "alertmanager/alertmanager.yml")
    check_templates()
    run(sys.executable, "grafana/generate.py", "--check")
    print(run(sys.executable, ROOT / "tests/monitoring/kubernetes.py").strip(), flush=True)
    print(f"{check_runbook()} alerts have their entry in the runbook", flush=True)
    print(f"{check_every_rule_has_tests()} rules have a case with a result and one without", flush=True)
    run("promtool", "test", "rules", *sorted(path.name for path in TESTS.glob("*.test.yml")), cwd=TESTS)
    print("configuration, rules, templates and dashboards are sound", flush=True)


if __name__ == "__main__":
    main()
