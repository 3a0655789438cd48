#!/usr/bin/env python3
"""Adds the executions that scripts/fuzz.sh has counted to the table in docs/fuzzing.md.

    scripts/fuzz_record.py [--root FOLDER]     the runs move to build-fuzz/runs/recorded.jsonl
"""
import argparse
import json
import pathlib
import re

BEGIN, END = "<!-- counts -->", "<!-- end of counts -->"
HEADER = ["| target | executions | findings | last run | revision |", "|---|---|---|---|---|"]


def read_table(text):
    """{target: [executions, findings, date, revision]}"""
    table = {}
    for line in text.split(BEGIN)[1].split(END)[0].splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split("|")]
        if re.fullmatch(r"\d+", cells[1]) if len(cells) == 5 else False:
            table[cells[0].strip("`")] = [int(cells[1]), int(cells[2]), cells[3], cells[4]]
    return table


def with_runs(text, runs):
    table = read_table(text)
    for run in runs:
        before = table.get(run["target"], [0, 0, "", ""])
        table[run["target"]] = [before[0] + run["executions"], before[1] + run["finding"],
                                run["date"], run["revision"]]
    rows = [f"| `{name}` | {count} | {found} | {date} | {revision} |"
            for name, (count, found, date, revision) in table.items()]
    total = sum(values[0] for values in table.values())
    lines = [*HEADER, *rows, "", f"Executions over all targets: {total}."]
    before, rest = text.split(BEGIN)
    return before + BEGIN + "\n" + "\n".join(lines) + "\n" + END + rest.split(END)[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent.parent)
    root = parser.parse_args().root
    page = root / "docs/fuzzing.md"
    fresh, recorded = (root / "build-fuzz/runs" / f"{name}.jsonl"
                       for name in ("unrecorded", "recorded"))
    lines = fresh.read_text().splitlines() if fresh.exists() else []
    page.write_text(with_runs(page.read_text(), map(json.loads, lines)))
    if lines:
        with recorded.open("a") as file:
            file.writelines(line + "\n" for line in lines)
        fresh.unlink()
    print(f"fuzz_record.py: {len(lines)} runs added to {page}")


if __name__ == "__main__":
    main()
