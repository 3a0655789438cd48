"""Times all arms of methods_table.py in one process, and whether the machine was quiet."""
import json
import os
import resource
import sys
import time
from pathlib import Path

from eval_runs import machine_flags, output, replace_text
from method_arms import arm_list, texts_of

QUIET = 0.1  # cores that others may use, of each core
LOOK = 3  # seconds before the pass


class OtherWork:
    """The cores that other processes use, and the hypervisor takes, from its making on."""

    def __init__(self):
        self.start = self.ticks()

    @staticmethod
    def ticks():
        """(seconds, busy seconds of all cores, those of this script's finished programs)."""
        try:
            words = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
        except OSError:
            return None
        user, nice, system, _, _, irq, softirq, steal = map(int, words[:8])
        used = [resource.getrusage(whose) for whose in
                (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)]
        busy = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
        return time.monotonic(), busy, sum(one.ru_utime + one.ru_stime for one in used)

    def cores(self):
        """None where the system does not say."""
        end = self.ticks()
        if self.start is None or end is None or end[1] == 0:
            return None
        seconds, busy, own = (after - before for before, after in
                              zip(self.start, end, strict=True))
        return max(busy - own, 0.0) / seconds


def too_busy(cores):
    return cores is not None and cores > QUIET * os.cpu_count()


def refuse(cores, when):
    print(f"methods_table.py: {when} other work takes {cores:.2f} of {os.cpu_count()} cores: no "
          "seconds were measured. The same command measures them on a quiet machine",
          file=sys.stderr)


def time_arms(plan, precision, options):
    """{"rows": {text: seconds}, ...}; None if there is no pass of all arms."""
    path = options.work / "timing.json"
    texts = texts_of(plan)
    setting = {"model": options.model, "precision": precision, "batch": options.time_bsz,
               "repeats": options.repeats, "cfg": options.cfg, "threads": options.threads,
               "asked_device": options.device}
    if path.exists():
        timing = json.loads(path.read_text(encoding="utf-8"))
        if timing["setting"] == setting and set(texts) <= set(timing["rows"]):
            return timing
    if options.no_timing:
        return None
    before = OtherWork()
    time.sleep(LOOK)
    if too_busy(before.cores()):
        return refuse(before.cores(), "before the timing")
    return measure(path, texts, setting, options)


def measure(path, texts, setting, options):
    print(f"timing {len(texts)} arms", file=sys.stderr)
    during = OtherWork()
    bench = options.work / "bench.json"
    output(options.bin / "lazymar_bench", "--models", options.model, "--batch", options.time_bsz,
           "--repeats", options.repeats, "--precision", setting["precision"],
           *machine_flags(options), "--arms", arm_list(texts, options.cfg), "--json", bench)
    others = during.cores()
    if too_busy(others):
        return refuse(others, "during the timing")
    said = json.loads(bench.read_text(encoding="utf-8"))
    rows = {}
    for text, row in zip(texts, said["rows"], strict=True):
        seconds = row["seconds_per_image"]
        rows[text] = {"seconds": seconds["median"], "seconds_p10": seconds["p10"],
                      "seconds_p90": seconds["p90"],
                      "gemm_share": row["share_of_gemm_rate"]}
    timing = {"setting": setting, "device": said["device"], "cores": said["cores"],
              "threads": said["threads"], "others_cores": others, "rows": rows}
    replace_text(path, json.dumps(timing, indent=1) + "\n")
    return timing
