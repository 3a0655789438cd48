"""Processes that die, or are asked to stop, at any moment."""
import contextlib
import os
import pathlib
import signal
import time

from checks import check
from run_support import LONG, Folder, finish, is_running, random_source, same, wait_until


def everybody_gone(folder):
    return wait_until(lambda: not folder.members(), 60)


def kill_rounds(name, rounds, images, strike, accepted, flags=()):
    """Starts repeatedly, kills after a random time, and finally lets it finish."""
    random = random_source(name)
    folder = Folder(name, images)
    codes = []
    for _ in range(rounds):
        process = folder.start(*flags)
        time.sleep(random.uniform(0.05, 4.0 if LONG else 2.0))
        strike(folder, process, random)
        result = finish(process)
        codes.append(result.returncode)
        if result.returncode not in accepted:
            check(f"{name}: an exit status of {accepted}", False, result)
        everybody_gone(folder)
    if folder.path and (folder.info /
                        "summary.json").exists() and folder.summary()["complete"] and not LONG:
        print(f"  note: complete before the last of {rounds} rounds: {codes}")
    same(f"{name}: {rounds} rounds (exits {codes}), then to the end", folder,
         folder.run(*flags, timeout=7200), images=images)


def kill_all(folder, process, random):
    """As in a crash of the machine: parent and workers at once, as one process group."""
    os.killpg(process.pid, signal.SIGKILL)


def kill_parent(folder, process, random):
    process.kill()
    check("workers end when their parent dies", everybody_gone(folder))


def kill_worker(folder, process, random):
    """Kills one or two workers; the run must recover by itself."""
    for _ in range(random.randint(1, 2)):
        workers = folder.members()
        if workers:
            with contextlib.suppress(ProcessLookupError):  # it finished earlier
                os.kill(random.choice(workers), signal.SIGKILL)
        time.sleep(random.uniform(0, 1))


def send(number):
    def strike(folder, process, random):
        process.send_signal(number)
    return strike


def kills():
    rounds = 100 if LONG else 3
    images = 400 if LONG else 128
    kill_rounds("kill -9 of everybody", rounds, images, kill_all, {0, -9}, ("--workers", "2"))
    kill_rounds("kill -9 of the parent", rounds if LONG else 2, images, kill_parent, {0, -9},
                ("--workers", "2"))
    kill_rounds("kill -9 of workers", rounds if LONG else 2, images, kill_worker, {0},
                ("--workers", "2", "--max_restarts", "5"))
    for number in (signal.SIGTERM, signal.SIGUSR1):
        # -number: the signal came before the program had begun.
        kill_rounds(f"{number.name} at random", rounds if LONG else 2, images, send(number),
                    {0, 75, -number}, ("--workers", "2"))


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
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
    wait_until(lambda: children.read_text().strip(), 30)
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


CASES = [signals, kills, *([thousand_with_kills] if LONG else [])]
