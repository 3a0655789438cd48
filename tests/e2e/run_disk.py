"""Disks that fill up, and writes that fail."""
import errno
import subprocess
import zlib

from checks import check
from run_support import LONG, SHIM, WORK, Folder, by_hand, same, skipped

ALONE = by_hand(0, 1)  # no parent: the single process is observed
IMAGES = 4


def is_whole(png):
    """Signature, a CRC per chunk, IEND at the very end."""
    position = 8
    while png[:8] == b"\x89PNG\r\n\x1a\n" and position + 12 <= len(png):
        length = int.from_bytes(png[position:position + 4], "big")
        chunk, crc = png[position + 4:position + 8 + length], png[position + 8 + length:position +
                                                                  12 + length]
        if zlib.crc32(chunk).to_bytes(4, "big") != crc:
            return False
        position += 12 + length
        if chunk[:4] == b"IEND":
            return position == len(png)
    return False


def failing(folder, call, error, flags=(), env=ALONE):
    count = WORK / "calls"
    count.unlink(missing_ok=True)
    result = folder.run(
        *flags, env={
            **env, "LD_PRELOAD": str(SHIM), "FAILING_FOLDER": str(folder.output),
            "FAILING_CALL": str(call), "FAILING_ERRNO": str(error), "FAILING_COUNT": str(count)
        })
    return result, int(count.read_text()) if count.exists() else 0


def writes(durability):
    folder = Folder(f"counted {durability}", IMAGES, flags=["--durability", durability])
    result, calls = failing(folder, 0, 0)
    same(f"{durability}: {calls} writing calls", folder, result, images=IMAGES, also=calls > 20)
    numbers = range(1, calls + 1) if LONG else sorted({1 + i * (calls - 1) // 7 for i in range(8)})
    failed = 0
    for number in numbers:
        error = (errno.ENOSPC, errno.EIO)[number % 2]
        folder = Folder(f"call {number} {durability}", IMAGES, flags=["--durability", durability])
        result, _ = failing(folder, number, error)
        failed += result.returncode == 74
        there = folder.pngs()
        check(
            f"{durability}: call {number} fails: exit {result.returncode}, {len(there)} whole PNGs",
            result.returncode in (0, 74) and all(map(is_whole, there.values()))
            and (result.returncode == 0) == (folder.path is not None and
                                             (folder.info / "summary.json").exists()
                                             and folder.summary()["complete"]), result)
        same(f"{durability}: call {number} fails: run again", folder,
             folder.run("--stall", 60, env=ALONE, timeout=40), images=IMAGES)
    check(f"{durability}: control: {failed} of {len(numbers)} failures were met", failed
          > len(numbers) // 4)


def small_disk():
    """A tmpfs that is too small; as root or in a separate user namespace."""
    mount = WORK / "small"
    mount.mkdir()
    inside = f"""
      set -u
      mount -t tmpfs -o size=120k tmpfs '{mount}' || exit 99
      "$@"; first=$?
      mount -o remount,size=8m '{mount}'
      "$@"; second=$?
      mkdir -p '{WORK}/grown' && cp -r '{mount}/.' '{WORK}/grown/'
      echo "exits $first $second"
    """
    folder = Folder("grown", 24)
    command = [*map(str, folder.args), "--workers", "2"]
    command[command.index("--output_dir") + 1] = str(mount)
    try:
        tried = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False)
        wrapper = ["unshare", "-m" if tried.returncode == 0 else "-Urm"]
        result = subprocess.run([*wrapper, "bash", "-c", inside, "bash", *command],
                                capture_output=True, check=False, text=True, timeout=300)
    except FileNotFoundError:
        skipped("a disk that fills up", "there is no unshare")
        return
    if result.returncode in (1, 99) and "exits" not in result.stdout:
        skipped("a disk that fills up",
                "no mount namespace: " + result.stderr.strip().splitlines()[-1])
        return
    check("a disk that fills up: exit 74", "exits 74 " in result.stdout
          and "No space left" in result.stderr, result)
    check("larger: run again, done", "exits 74 0" in result.stdout, result)
    same("with equal bytes", folder, images=24)


def all_writes():
    for durability in ("none", "shard", "file") if LONG else ("shard",):
        writes(durability)


CASES = [all_writes, small_disk]
