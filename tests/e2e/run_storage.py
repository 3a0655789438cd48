"""Storage that fails: quotas, broken disks, network file systems, file systems gone read-only."""
import contextlib
import errno
import os
import pathlib
import shutil
import subprocess

from checks import check
from run_disk import is_whole
from run_support import SHIM, WORK, Folder, by_hand, finish, same, skipped

ALONE = by_hand(0, 1)  # no parent: the single process is observed
IMAGES = 8
LATE = SHIM.with_name("liblate_files.so")
EVERY_KIND = "write,pwrite,fsync,fdatasync,syncfs,rename,close,create,link,mkdir,utime"


def faults(folder, kinds, error, call=1, path=None, **more):
    """The environment of the injector: see tests/support/preload/failing_writes.cpp."""
    env = {"LD_PRELOAD": str(SHIM), "FAILING_FOLDER": str(folder.output), "FAILING_KINDS": kinds,
           "FAILING_ERRNO": str(error), "FAILING_CALL": str(call), **ALONE}
    if path:
        env["FAILING_PATH"] = path
    return {**env, **{f"FAILING_{name.upper()}": str(value) for name, value in more.items()}}


def fails_then_completes(name, folder, env, statuses=(74,)):
    """The run ends with one of the statuses and loses nothing; the same command completes."""
    result = folder.run("--stall", 60, env=env)
    there, stamps = folder.pngs(), folder.stamps() if folder.path else {}
    errors = [line for line in result.stderr.splitlines() if line.startswith("lazymar_eval: ")]
    check(
        f"{name}: exit {result.returncode}, {len(there)} whole PNGs", result.returncode in statuses
        and all(map(is_whole, there.values())) and len(errors) == (result.returncode != 0), result)
    recorded = {image["id"] for record in folder.records() for image in record["images"]} \
        if folder.path else set()
    result = folder.run("--stall", 60, env=ALONE)
    kept = all(folder.stamps()[image] == stamp for image, stamp in stamps.items()
               if int(image[:5]) in recorded)
    same(f"{name}: the same command completes, and keeps the {len(recorded)} that were finished",
         folder, result, images=IMAGES, also=kept)


def full_at_each_file():
    grid = ["--grid", "2x4"]
    score = ["--score", "pretrained_models/demo_stats.npz", "--extractor", "demo"]
    parts = (("manifest.json", {74}, grid), ("/ranks", {74}, grid), ("/claims", {74}, grid),
             ("/unfinished", {74}, grid), ("journal.", {74}, grid), ("summary.json", {74}, grid),
             ("grid.png", {74}, grid), ("status.json", {0}, grid), (".log", {0, 74}, grid),
             ("/features", {74}, score), ("scores.json", {74}, score))
    for number, (part, statuses, flags) in enumerate(parts):
        folder = Folder(f"full {number}", IMAGES, flags)
        env = faults(folder, "write,create,link,rename,mkdir", errno.ENOSPC, path=part, always=1)
        fails_then_completes(f"no space for {part}", folder, env, statuses)
    check("scores are there once there is space", (folder.info / "scores.json").exists())
    folder = Folder("full tar", IMAGES, ["--few_files"])
    result = folder.run(env=faults(folder, "write", errno.ENOSPC, 2, ".tar", always=1))
    tars = list(folder.path.glob("*.tar"))
    check(f"no space for tars: exit {result.returncode}, {len(tars)} tars",
          result.returncode == 74 and len(tars) < IMAGES // 2, result)
    result = folder.run("--verify", "deep", env=ALONE)
    check("the same command completes the tars", result.returncode == 0
          and folder.summary()["complete"], result)
    for number, part in enumerate(("/unfinished", "journal.")):  # some images are finished
        folder = Folder(f"later full {number}", IMAGES)
        env = faults(folder, "write", errno.ENOSPC, 3, part, always=1)
        fails_then_completes(f"no space for {part}, later", folder, env)


def disks():
    for durability, kinds in (("shard", "syncfs"), ("shard", "fsync"), ("shard", "fdatasync"),
                              ("file", "fsync"), ("file", "fdatasync")):
        folder = Folder(f"EIO {durability} {kinds}", IMAGES, ["--durability", durability])
        fails_then_completes(f"EIO on {kinds}, --durability {durability}", folder,
                             faults(folder, kinds, errno.EIO, 2))
    for name, kinds, error, call in (
            ("a quota that is used up (EDQUOT)", EVERY_KIND, errno.EDQUOT, 60),
            ("a rename that fails (EIO)", "rename", errno.EIO, 6),
            ("every rename fails (EPERM)", "rename", errno.EPERM, 1),
            ("root squash (EACCES)", "create,mkdir,link,rename", errno.EACCES, 1),
            ("read-only from the start", EVERY_KIND, errno.EROFS, 1),
            *((f"read-only from call {call} on", EVERY_KIND, errno.EROFS, call)
              for call in (20, 50, 80, 110))):
        folder = Folder(name.replace("/", ""), IMAGES)
        fails_then_completes(name, folder, faults(folder, kinds, error, call, always=1))
    folder = Folder("no hard links", IMAGES)
    result = folder.run(env=faults(folder, "link", errno.EPERM, always=1))
    same("a file system without hard links", folder, result, images=IMAGES)


def network():
    """What NFS does: stale handles, files that others see late."""
    for name, env in (
            ("stale handles", lambda folder: {**faults(folder, "read", errno.ESTALE, 3, "/info/",
                                                       always=1, every=3)}),
            ("files seen late", lambda folder: {"LD_PRELOAD": str(LATE), "LATE_SECONDS": "3",
                                                "LATE_FOLDER": str(folder.output)})):
        folder = Folder(name, 24)
        both = [folder.start("--stall", 8, env={**env(folder), **by_hand(rank)})
                for rank in (0, 1)]
        results = [finish(process) for process in both]
        same(f"two processes and {name}", folder, results[0], images=24,
             also=results[1].returncode == 0)
        if results[1].returncode != 0:
            print(results[1].stderr)
    parent = WORK / "read only"
    parent.mkdir()
    folder = Folder("read only", IMAGES)
    folder.output = parent / "output"
    folder.args[folder.args.index("--output_dir") + 1] = folder.output
    if os.geteuid() == 0:
        mounts = f"mount --bind '{parent}' '{parent}' && mount -o remount,ro,bind '{parent}'"
        prefix = ["unshare", "-m", "bash", "-c", mounts + ' && exec "$@"', "bash"]
    else:
        parent.chmod(0o555)
        prefix = []
    result = folder.run(env=ALONE, prefix=prefix)
    parent.chmod(0o755)
    check("a read-only parent: refused with the way out, exit 74", result.returncode == 74
          and "choose a writable" in result.stderr, result)
    same("once it is writable, the same command completes", folder, folder.run(env=ALONE),
         images=IMAGES)


@contextlib.contextmanager
def loop_mount(*options):
    """An ext4 of 16 MB; yields its folder and device, or nothing that is true if root may not."""
    image, place = WORK / "disk.img", WORK / "disk"
    place.mkdir(exist_ok=True)
    image.write_bytes(bytes(16 << 20))
    # -I 128: no room for fractions of a second.
    made = subprocess.run(["mkfs.ext4", "-q", "-I", "128", image], check=False) \
        if shutil.which("mkfs.ext4") else None
    mounted = made and made.returncode == 0 and subprocess.run(
        ["mount", "-o", ",".join(["loop", "errors=remount-ro", *options]), image, place],
        check=False, capture_output=True).returncode == 0
    if not mounted:
        yield None, None
        return
    try:
        device = subprocess.run(["findmnt", "-n", "-o", "SOURCE", place], check=False,
                                capture_output=True, text=True).stdout.strip()
        yield place, pathlib.Path(device).name
    finally:
        subprocess.run(["umount", place], check=False)


def on(place, name, images=IMAGES):
    folder = Folder(name, images)
    folder.output = place / "output"
    folder.args[folder.args.index("--output_dir") + 1] = folder.output
    return folder


def ext4():
    with loop_mount() as (place, device):
        if place is None:
            skipped("ext4 on a loop device", "this user may not mount")
            return
        folder = on(place, "ext4")
        same("ext4 with times of whole seconds: two workers", folder,
             folder.run("--workers", 2, "--stall", 3), images=IMAGES)
        check("control: its times are whole seconds",
              all(stamp[1] % 10**9 == 0 for stamp in folder.stamps().values()))
        shutil.rmtree(folder.output)
        filler = place / "filler"
        free = os.statvfs(place).f_bfree * os.statvfs(place).f_bsize
        with contextlib.suppress(OSError):  # the file system's own tables take some, too
            filler.write_bytes(bytes(free))
        result = folder.run(env=ALONE)
        check(f"a full ext4: exit 74, {len(folder.pngs())} whole PNGs", result.returncode == 74
              and all(map(is_whole, folder.pngs().values())), result)
        filler.unlink()
        same("with space again, the same command completes", folder, folder.run(env=ALONE),
             images=IMAGES)
        shutil.rmtree(folder.output)
        trigger = pathlib.Path(f"/sys/fs/ext4/{device}/trigger_fs_error")
        if not trigger.exists():
            skipped("an ext4 that becomes read-only", "this kernel has no trigger_fs_error")
            return
        folder = on(place, "read-only in the middle", 100)
        process = folder.start(env=ALONE)
        folder.wait_for_pngs(4)
        trigger.write_text("lazymar's test")
        result = finish(process)
        there = folder.pngs()
        check(f"ext4 becomes read-only in the middle: exit {result.returncode}, "
              f"{len(there)} whole PNGs", result.returncode == 74
              and 4 <= len(there) < 100 and all(map(is_whole, there.values())), result)
        subprocess.run(["umount", place], check=True)
        subprocess.run(["fsck.ext4", "-p", WORK / "disk.img"], check=False, capture_output=True)
        subprocess.run(["mount", "-o", "loop", WORK / "disk.img", place], check=True)
        same("checked and mounted again: the same command completes", folder,
             folder.run(env=ALONE), images=100)


def overlay():
    """Half a run in a container's image, the other half in the layer above."""
    lower, merged = WORK / "lower", WORK / "overlay/merged"
    for path in (lower, merged):
        path.mkdir(parents=True)
    folder = on(lower, "overlay", 24)
    process = folder.start(env=ALONE)
    folder.wait_for_pngs(4)
    process.terminate()
    finish(process)
    below = {path: path.read_bytes() for path in lower.rglob("*") if path.is_file()}
    # overlayfs takes no upper layer on another overlay, as in a container: it gets a tmpfs.
    top = WORK / "overlay"
    script = (f"mkdir '{WORK}/below' && cp -a '{lower}/.' '{WORK}/below' && "
              f"mount -t tmpfs tmpfs '{top}' -o size=64m && mkdir '{top}'/{{upper,work,merged}} && "
              f"mount -t overlay overlay -o 'lowerdir={WORK}/below,upperdir={top}/upper,"
              f"workdir={top}/work' '{merged}' || exit 99; "
              f"\"$@\"; status=$?; cp -a '{merged}' '{WORK}/after'; exit $status")
    folder.args[folder.args.index("--output_dir") + 1] = merged / "output"
    result = folder.run(env=ALONE, prefix=["unshare", "-m", "bash", "-c", script, "bash"])
    if result.returncode in (1, 99) and not (WORK / "after").exists():
        skipped("overlay", "this user may not mount one: " + result.stderr.strip()[-200:])
        return
    folder.output = WORK / "after/output"
    same("a run that began in a lower layer completes in the upper one", folder, result, images=24)
    check("the lower layer stays as it was", below == {
        path: path.read_bytes() for path in lower.rglob("*") if path.is_file()})


CASES = [network, ext4, overlay, full_at_each_file, disks]
