"""Processes that die, or are asked to stop, at any moment."""
import collections
import contextlib
import datetime
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import time

import checks
from checks import check
from run_support import (
    BIN,
    LONG,
    ROUNDS,
    SEED,
    Folder,
    finish,
    is_running,
    random_source,
    reference,
    same,
    wait_until,
)

ROUND_IMAGES = 16  # a round takes seconds, and each of two workers has several shards
WORKERS = ("--workers", 2, "--max_restarts", 5)


def everybody_gone(folder):
    return wait_until(lambda: not folder.members(), 60)


def children(process):
    try:
        return pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    except OSError:
        return []


def kill_all(folder, process, random):
    """As in a crash of the machine: parent and workers at once, as one process group."""
    os.killpg(process.pid, signal.SIGKILL)
    return True


def kill_parent(folder, process, random):
    process.kill()
    check("workers end when their parent dies", everybody_gone(folder))
    return True


def kill_worker(folder, process, random):
    """The run must recover by itself. In its first moments, it has no workers yet."""
    wait_until(lambda: children(process) or process.poll() is not None, 60)
    try:
        os.kill(int(random.choice(children(process))), signal.SIGKILL)
    except (IndexError, ProcessLookupError):  # they finished earlier
        return False
    return True


def send(number):
    def strike(folder, process, random):
        process.send_signal(number)
        return True
    return strike


# What to do, and the exit statuses that may follow.
KILLS = {"parent": (kill_parent, {-9}), "worker": (kill_worker, {0}), "all": (kill_all, {-9})}
STOPS = {  # -number: the signal came before the program had begun
    number.name: (send(number), {75, -number}) for number in (signal.SIGTERM, signal.SIGUSR1)}


def cpu_seconds(process):
    """Of a parent and its workers, past ones included."""
    ticks = 0
    for pid in (process.pid, *children(process)):
        with contextlib.suppress(OSError):  # it ended just now
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += sum(map(int, fields[11:15]))  # utime to cstime: see proc(5)
    return ticks / os.sysconf("SC_CLK_TCK")


def cpu_seconds_of_a_run():
    folder = Folder("timed", ROUND_IMAGES)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    same("undisturbed run of two workers", folder, folder.run(*WORKERS), images=ROUND_IMAGES)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    shutil.rmtree(folder.output)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def disturb(folder, strike, accepted, moment, random):
    """Starts or continues a run, and strikes after `moment` seconds of CPU time, so that others on
    the machine do not matter. False: it had ended before."""
    process = folder.start(*WORKERS)
    wait_until(lambda: process.poll() is not None or cpu_seconds(process) >= moment, 600)
    struck = process.poll() is None and strike(folder, process, random)
    result = finish(process)
    everybody_gone(folder)
    if result.returncode not in accepted | {0}:
        check(f"exit {result.returncode} is one of {sorted(accepted)}", False, result)
    return struck


def rounds(what, count, strikes):
    """Each round disturbs a new run once or twice, continues it to its end, and compares the folder
    with that of an undisturbed run. A round whose run ended before its strike does not count."""
    random = random_source(what)
    began = time.monotonic()
    seconds = cpu_seconds_of_a_run()
    struck, done, late, lost = collections.Counter(dict.fromkeys(strikes, 0)), 0, 0, 0
    victims = []
    try:
        while done < count:
            folder = Folder(f"{what} {done + late}", ROUND_IMAGES)
            names, failures = [], len(checks.failures)
            for _ in range(random.choice((1, 1, 1, 2))):
                if not victims:  # each as often, in any order
                    victims = random.sample(sorted(strikes), len(strikes))
                if disturb(folder, *strikes[victims[-1]], random.random() * seconds, random):
                    names.append(victims.pop())
            struck.update(names)
            same(f"{what}, round {done + 1} of {count}: {', '.join(names) or 'too late'}", folder,
                 folder.run(*WORKERS), images=ROUND_IMAGES)
            done, late = done + bool(names), late + (not names)
            if len(checks.failures) > failures:
                lost += 1
                shutil.copytree(folder.output, f"build/lost/{what} {done}", dirs_exist_ok=True)
            shutil.rmtree(folder.output)
    finally:
        version = subprocess.run([BIN / "lazymar_eval", "--version"], capture_output=True,
                                 check=False, text=True).stdout.strip()
        print(
            json.dumps({
                "soak": what, "date": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}",
                "version": version, "seed": SEED, "rounds": done, "struck": struck,
                "too_late": late, "images": ROUND_IMAGES, "lost": lost,
                "hours": round((time.monotonic() - began) / 3600, 2)
            }), flush=True)


def kills():
    reference(ROUND_IMAGES)
    rounds("kill", ROUNDS or len(KILLS), KILLS)
    rounds("stop", ROUNDS // 5 or len(STOPS), STOPS)


def signals():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        folder = Folder(f"{number.name} once", 24)
        process = folder.start()
        folder.wait_for_pngs(2)
        process.send_signal(number)
        result = finish(process)
        summary = folder.summary()
        check(f"{number.name}: exit 75, and what is done is counted", result.returncode == 75
              and summary["complete"] is False and summary["images"] == len(folder.pngs())
              and "continues" in result.stderr, result)
        stamps = folder.stamps()
        result = folder.run()
        kept = all(folder.stamps()[name] == stamp for name, stamp in stamps.items())
        same(f"{number.name}: the same command continues, and keeps what is there", folder, result,
             images=24, also=kept)

    folder = Folder("second interrupt", 200)
    process = folder.start("--eval_bsz", 64, "--num_iter", 64)
    wait_until(folder.members, 60)
    time.sleep(1)  # into a shard that takes several seconds
    workers = folder.members()
    process.send_signal(signal.SIGINT)
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    result = finish(process, 20)
    check("a second SIGINT: exit 130", result.returncode == 130, result)
    check("its workers are gone", wait_until(lambda: not any(map(is_running, workers)), 5))

    folder = Folder("grace", 200)
    process = folder.start("--eval_bsz", 64, "--num_iter", 64, "--grace", 1)
    wait_until(folder.members, 60)
    time.sleep(1)
    before = time.monotonic()
    process.terminate()
    result = finish(process)
    seconds = time.monotonic() - before
    check(f"a block that takes longer than the grace is dropped ({seconds:.1f} s)",
          result.returncode == 75 and seconds < 6 and not folder.pngs(), result)

    folder = Folder("early stop", 4)
    process = folder.start("--workers", 2)
    wait_until(lambda: children(process), 30)
    process.terminate()
    result = finish(process)
    check("a stop before the workers are up: exit 75", result.returncode == 75, result)


def thousand_with_kills():
    images = 1000
    folder = Folder("thousand with kills", images)
    random = random_source("thousand")
    process = folder.start("--workers", 3, "--max_restarts", 1000)
    while process.poll() is None:
        time.sleep(random.uniform(1, 20))
        kill_worker(folder, process, random)
    same("1 000 images by three processes that are killed at random", folder, finish(process),
         images=images)


CASES = [kills, signals, *([thousand_with_kills] if LONG else [])]
