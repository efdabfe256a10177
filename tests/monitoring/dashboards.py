"""Runs every query of every dashboard against the Prometheus for which it is meant."""

import asyncio
import json
import re

from processes import ROOT, query

FOLDER = ROOT / "monitoring" / "grafana" / "dashboards"
# Who is asked: the centre holds no series of devices, a site none of other sites.
CENTRAL = {"fleet", "site", "idle-cost"}
SITE = {"device", "why-slow"}
# Nothing is the normal answer of a query that ends in such a filter.
FILTERED = re.compile(r"(== 0|> 0)$")


def queries():
    """Dashboard, panel, expression, legend: of panels, annotations and variables."""
    for path in sorted(FOLDER.glob("*.json")):
        board = json.loads(path.read_text())
        for panel in board["panels"]:
            for target in panel.get("targets", []):
                yield path.stem, panel["title"], target["expr"], target["legendFormat"]
        for note in board["annotations"]["list"]:
            yield path.stem, "annotation", note["expr"], ""
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                selector, label = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"]).groups()
                yield path.stem, f"variable {variable['name']}", selector, f"{{{{{label}}}}}"


async def check(fleet, instance="hot", site="museum"):
    """Runs them all; raises with those that are wrong. Returns how many there are."""
    wrong, count = [], 0
    # What Grafana makes of it: four times the scrape interval.
    interval = f"{round(4 * 30_000 / fleet.factor)}ms"
    for board, title, expression, legend in queries():
        values = {"$__rate_interval": interval, "$instance": instance, "$site": site, "$price": "0.30"}
        for name, value in values.items():
            expression = expression.replace(name, value)
        if board not in CENTRAL | SITE:
            wrong.append(f"{board}: is it for the centre or for a site? say so in dashboards.py")
            continue
        count += 1
        try:
            result = await asyncio.to_thread(query, fleet.central if board in CENTRAL else fleet.sites[site], expression)
        except ValueError as error:
            wrong.append(f"{board}, {title}: {error}")
            continue
        if not result and not FILTERED.search(expression):
            wrong.append(f"{board}, {title}: nothing comes of {expression}")
        for label in re.findall(r"\{\{(\w+)\}\}", legend):
            if result and not any(label in each["metric"] for each in result):
                wrong.append(f"{board}, {title}: the legend wants the label {label}, which {expression} has not")
    if wrong:
        raise ValueError("queries of dashboards:\n  " + "\n  ".join(wrong))
    return count
