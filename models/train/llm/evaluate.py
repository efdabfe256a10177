"""Asks the engine about a site that training has never seen, and counts.

    python3 models/train/llm/evaluate.py [--binary target/release/linly-edge] [-- --backend tract]

runs `linly-edge try llm --site eval/site.toml` over eval/questions.tsv. A question
that the site answers counts as right when the answer contains the expected words; one
that it does not answer counts as invented when the answer does not say so. `--wrong`
prints the answers that fell short. Needs nothing but Python.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
DECLINES = re.compile(r"do not know|don't know|do not have")


def plain(text):
    return re.sub(r"\s+", " ", text.lower())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, default=HERE.parents[2] / "target" / "release" / "linly-edge")
    parser.add_argument("--site", type=Path, default=HERE / "eval" / "site.toml")
    parser.add_argument("--questions", type=Path, default=HERE / "eval" / "questions.tsv")
    parser.add_argument("--wrong", action="store_true", help="print the answers that fell short")
    parser.add_argument("rest", nargs="*", help="more arguments for `try llm`, after --")
    args = parser.parse_args()
    cases = [line.rstrip("\n").split("\t") for line in args.questions.open() if line.strip() and not line.startswith("#")]
    run = subprocess.run(
        [args.binary, "try", "llm", "--site", args.site, *args.rest],
        input="\n".join(question for question, _ in cases) + "\n", capture_output=True, text=True, check=False,
    )  # fmt: skip
    answers = run.stdout.splitlines()
    if run.returncode or len(answers) != len(cases):
        sys.exit(f"{args.binary} gave {len(answers)} answers to {len(cases)} questions and ended with {run.returncode}: {run.stderr}")
    right, known, invented, absent = 0, 0, 0, 0
    for (question, expected), answer in zip(cases, answers):
        if expected == "-":
            absent += 1
            good = bool(DECLINES.search(plain(answer)))
            invented += not good
        else:
            known += 1
            good = all(part in plain(answer) for part in expected.split("|"))
            right += good
        if args.wrong and not good:
            print(f"{question}\n    expected: {expected}\n    answered: {answer}")
    print(f"right: {right} of {known} ({100 * right / known:.1f} %)")
    print(f"invented: {invented} of {absent} ({100 * invented / absent:.1f} %)")


if __name__ == "__main__":
    main()
