#!/usr/bin/env python3
"""Checks monitoring/kubernetes, and the rules as PrometheusRule objects, against the Prometheus Operator's schemas.

    tests/monitoring/kubernetes.py                      # checks; no network
    tests/monitoring/kubernetes.py --take CRDS VERSION  # takes over the schemas of a version from a folder of its CRDs

kubernetes-schemas.json holds of each schema (Apache-2.0, prometheus-operator/prometheus-operator) what the examples
come by: all names at each level, and what is asked of those that are used. A name that the operator does not know is
an error here, while a cluster may drop it in silence.
"""

import argparse
import json
import pathlib
import re
import sys

try:
    import yaml
except ImportError:
    yaml = None

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "monitoring"))

from processes import ROOT

SCHEMAS = pathlib.Path(__file__).with_name("kubernetes-schemas.json")
KEPT = ("type", "enum", "pattern", "minimum", "maximum", "minLength", "minItems", "required")
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}


def objects():
    """Every object of the operator that the repository offers, with where it stands."""
    for path in sorted((ROOT / "monitoring" / "kubernetes").glob("*.yml")):
        for document in yaml.safe_load_all(path.read_text()):
            if document["apiVersion"].startswith("monitoring.coreos.com/"):
                yield path, document
    for path in sorted((ROOT / "monitoring" / "prometheus" / "rules").glob("*.yml")):
        # As the README there tells.
        yield path, {"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule", "metadata": {"name": path.stem}, "spec": yaml.safe_load(path.read_text())}


def prune(schema, values):
    """What is asked of `values`; of names that none of them has, only that there are such names."""
    kept = {key: schema[key] for key in KEPT if key in schema}
    if schema.get("x-kubernetes-int-or-string"):
        kept["type"] = ["integer", "string"]
    if "properties" in schema:
        kept["properties"] = {
            name: prune(inner, found) if (found := [value[name] for value in values if isinstance(value, dict) and name in value]) else {}
            for name, inner in sorted(schema["properties"].items())
        }
    if isinstance(schema.get("additionalProperties"), dict):
        kept["additionalProperties"] = prune(schema["additionalProperties"], [inner for value in values if isinstance(value, dict) for inner in value.values()])
    if "items" in schema:
        kept["items"] = prune(schema["items"], [inner for value in values if isinstance(value, list) for inner in value])
    return kept


def problems(schema, value, place):
    """What is wrong with a value, in words."""
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    # In Python a truth is a number, too.
    if kinds and not any(isinstance(value, TYPES[kind]) and (kind == "boolean") == isinstance(value, bool) for kind in kinds):
        return [f"{place}: {value!r} is no {' or '.join(kinds)}"]
    found = []
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{place}: {value!r} is none of {schema['enum']}")
    if isinstance(value, str):
        if "pattern" in schema and not re.search(schema["pattern"], value):
            found.append(f"{place}: {value!r} does not match {schema['pattern']}")
        if len(value) < schema.get("minLength", 0):
            found.append(f"{place} is too short")
    if isinstance(value, (int, float)) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        found.append(f"{place}: {value} is out of range")
    if isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            found.append(f"{place} is empty")
        for number, inner in enumerate(value):
            found += problems(schema.get("items", {}), inner, f"{place}[{number}]")
    if isinstance(value, dict):
        found += [f"{place}.{name} is missing" for name in schema.get("required", []) if name not in value]
        known, others = schema.get("properties"), schema.get("additionalProperties")
        for name, inner in value.items():
            if known and name in known:
                found += problems(known[name], inner, f"{place}.{name}")
            elif others is not None:
                found += problems(others, inner, f"{place}.{name}")
            elif known:
                found.append(f"{place}.{name} is unknown")
    return found


def take(folder, version):
    """Writes the schemas anew."""
    wanted, schemas = {}, {}
    for _, document in objects():
        wanted.setdefault((document["kind"], document["apiVersion"].split("/")[1]), []).append(document["spec"])
    for path in sorted(folder.glob("*.yaml")):
        crd = yaml.load(path.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        for offered in crd["spec"]["versions"]:
            kind, name = crd["spec"]["names"]["kind"], offered["name"]
            if (kind, name) in wanted:
                spec = offered["schema"]["openAPIV3Schema"]["properties"]["spec"]
                schemas[f"{kind} {name}"] = prune(spec, wanted[kind, name])
    if len(schemas) != len(wanted):
        sys.exit(f"no schema in {folder} for some of {sorted(wanted)}")
    SCHEMAS.write_text(json.dumps({"prometheus-operator": version, "licence": "Apache-2.0", "schemas": schemas}, indent=1, sort_keys=True) + "\n")


def check():
    """How many objects are sound, and the operator's version; ends with what is not."""
    known = json.loads(SCHEMAS.read_text())
    found, count = [], 0
    for path, document in objects():
        schema = known["schemas"][f"{document['kind']} {document['apiVersion'].split('/')[1]}"]
        found += [f"{path.relative_to(ROOT)}: {problem}" for problem in problems(schema, document["spec"], document["kind"])]
        count += 1
    # Without this nobody would see that nothing is looked at any more.
    broken = {"podMetricsEndpoints": [{"scheme": "gopher", "intervall": "30s"}], "selector": {}, "sampleLimit": "500"}
    told = problems(known["schemas"]["PodMonitor v1"], broken, "PodMonitor")
    if [part for part in ("gopher", "intervall is unknown", "'500' is no integer") if part not in "\n".join(told)]:
        sys.exit(f"FAILED: mistakes are not found: {told}")
    if found:
        sys.exit("FAILED: " + "\n".join(found))
    return count, known["prometheus-operator"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--take", nargs=2, metavar=("CRDS", "VERSION"))
    options = parser.parse_args()
    if not yaml:
        print("skipped: install python3-yaml to have the examples for Kubernetes checked")
        return
    if options.take:
        take(pathlib.Path(options.take[0]), options.take[1])
    count, version = check()
    print(f"{count} objects are what the Prometheus Operator {version} takes")


if __name__ == "__main__":
    main()
