"""--join: plain processes that come to a run at work, and go."""
import collections
import json
import signal

from checks import check, refused
from run_support import Folder, finish, same, wait_until

IMAGES = 160


def at_work(name, *flags, images=IMAGES):
    """A folder with a run that has begun, and its process."""
    folder = Folder(name, images)
    process = folder.start("--stall", 5, *flags)
    check(f"{name}: a run is at work", folder.wait_for_pngs(1))
    return folder, process


def makers(folder):
    """How many images each rank made."""
    made = collections.Counter()
    for record in folder.records():
        made[record["rank"]] += len(record["images"])
    return made


def join(folder, *flags, **more):
    return folder.start("--join", "--stall", 5, *flags, **more)


def joiners():
    for count in (2, 3):
        folder, run = at_work(f"{count} joiners")
        others = [join(folder) for _ in range(count)]
        results = [finish(process) for process in (run, *others)]
        made = makers(folder)
        same(f"{count} joiners: equal bytes, and everybody made some: {dict(made)}", folder,
             results[0], images=IMAGES, also=len(made) == count + 1)
        for result in results[1:]:
            check("a joiner ends with 0 and says why", result.returncode == 0
                  and "the run is complete: " in result.stderr, result)
        check("the command that began the run tells its result",
              "Run folder:" in results[0].stdout, results[0])
    folder, run = at_work("joiner with two workers", "--workers", 2)
    other = join(folder, "--workers", 2)
    result = finish(run)
    made = makers(folder)
    same(f"two workers are joined by two: {dict(made)}", folder, result, images=IMAGES,
         also=set(made) == {0, 1, 2, 3} and finish(other).returncode == 0)


def leaving():
    folder, run = at_work("a joiner is killed")
    killed, stopped = join(folder), join(folder)
    check("they work", wait_until(lambda: len(makers(folder)) == 3, 60))
    killed.kill()
    stopped.terminate()
    result = finish(stopped)
    check("a joiner that is stopped: exit 75, one line", result.returncode == 75
          and "left the run after signal 15" in result.stderr.splitlines()[-1], result)
    again = join(folder)
    same("one joiner killed, one stopped, one came back", folder, finish(run), images=IMAGES)
    check("the one that came back ends with 0", finish(again).returncode == 0)
    killed.communicate()

    folder, run = at_work("the run leaves, too", "--grace", 1)
    other = join(folder)
    check("the joiner works", wait_until(lambda: len(makers(folder)) == 2, 60))
    run.send_signal(signal.SIGKILL)
    run.communicate()
    refused("a new run beside the joiner", folder.run("--stall", 5), "--join")
    result = finish(other)
    same("the run was killed: the joiner completes it alone", folder, result, images=IMAGES,
         also="Run folder:" in result.stdout)
    same("and the first command finds it complete", folder, folder.run(), images=IMAGES)


def refusals():
    folder = Folder("nothing to join", 4)
    refused("join of nothing", join_and_finish(folder), "--join: there is no run",
            "start the run without --join")
    refused("--join with --overwrite", folder.run("--join", "--overwrite"), "--overwrite")
    folder, run = at_work("differences", images=400)
    refused("a folder that differs by its name", join_and_finish(folder, "--seed", 7),
            "seed 1 there, 7 now")
    refused("two differences", join_and_finish(folder, "--seed", 7, "--num_images", 8),
            "seed 1 there, 7 now", "num_images 400 there, 8 now")
    manifest = folder.info / "manifest.json"
    text = manifest.read_text()
    changed = json.loads(text)
    changed["settings"]["version"] = "0.0.1"
    manifest.write_text(json.dumps(changed))
    refused("another version of the program", join_and_finish(folder), "version 0.0.1 there")
    changed = json.loads(text)
    changed["weights_sha256"]["mar"] = "0" * 64
    manifest.write_text(json.dumps(changed))
    refused("other weights", join_and_finish(folder), "mar 000000")
    manifest.write_text(text)
    check("the refused made nothing", set(makers(folder)) == {0}, makers(folder))
    run.terminate()
    check("the run is stopped", finish(run).returncode == 75)
    refused("nobody is at work", join_and_finish(folder), "no process is at work",
            "without --join")
    folder = Folder("finished", 12)
    folder.run()
    stamps = folder.stamps()
    result = join_and_finish(folder)
    same("join of a finished folder", folder, result, also="complete" in result.stderr)
    check("touches no image", folder.stamps() == stamps)


def join_and_finish(folder, *flags):
    return finish(join(folder, *flags))


CASES = [joiners, leaving, refusals]
