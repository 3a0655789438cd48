"""Files made to waste memory or time: each is read or refused quickly, within bounded memory.
Then run folders made by a stranger: see hostile_runs.py.

usage: hostile_files_test.py FOLDER_OF_BINARIES
"""
import io
import itertools
import os
import pathlib
import string
import struct
import subprocess
import sys
import tempfile
import zipfile

from hostile_runs import hostile_runs

from checks import check, conclude

BINARIES = pathlib.Path(sys.argv[1]).resolve()
PROGRAM = BINARIES / "lazymar_convert"
TIMES_THE_FILE = 100  # a value of one byte takes about 90 bytes in memory
ALLOWANCE = 32 << 20
SECONDS = 60


def pth(body):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("x/data.pkl", b"\x80\x02" + body + b".")
    return archive.getvalue()


def safetensors(header):
    return struct.pack("<Q", len(header)) + header


def names(count):
    letters = itertools.product(string.ascii_letters + string.digits, repeat=4)
    return [b"".join([c.encode() for c in name]) for name in itertools.islice(letters, count)]


def text(value):
    return b"X" + struct.pack("<I", len(value)) + value


MODEL = b"}" + text(b"model") + b"}("
FILES = {
    # A few bytes that claim to be large.
    "long string": pth(b"X\xff\xff\xff\xffx"),
    "memo index": pth(b"Nr\xfe\xff\xff\xff"),
    "zip entries": b"PK\3\4" + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 65534, 65534, 0, 4, 0),
    "header length": struct.pack("<Q", 100_000_000) + b"{}",
    "storage": pth(MODEL + text(b"a") + b"ctorch._utils\n_rebuild_tensor_v2\n((" +
                   text(b"storage") + b"ctorch\nFloatStorage\n" + text(b"0") + text(b"cpu") +
                   b"\x8a\7" + b"\xff" * 6 + b"\x7f" + b"tQK\0(J\xff\xff\xff\x7ft(K\1t\x89}tRus"),
    # Megabytes of the smallest items of each kind.
    "values": pth(b"N0" * 2_000_000 + b"N"),
    "stack": pth(b"]" * 1_000_000),
    "marks": pth(b"(" * 1_000_000),
    "nesting": pth(b"N" + b"\x85" * 1_000_000),
    "doubling": pth(b"N" + b"2\x86" * 500_000),
    "globals": pth(b"ca\nb\n0" * 600_000 + b"}"),
    "entries that are no tensors": pth(b"}q\0" + text(b"model") + b"}(" +
                                       b"".join(b"\x8c\4" + n + b"h\0"
                                                for n in names(400_000)) + b"us"),
    "JSON lists": safetensors(b'{"a":[' + b"[]," * 1_000_000 + b"[]]}"),
    "JSON entries": safetensors(b"{" + b",".join(b'"%s":{}' % n for n in names(500_000)) + b"}"),
    "metadata": safetensors(b'{"__metadata__":{' + b",".join(b'"%s":""' % n
                                                             for n in names(500_000)) + b"}}"),
}


def run(path):
    """Exit status, last line of stderr, and peak memory."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(["timeout", str(SECONDS), PROGRAM, "--list", path],
                                   stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        errors.seek(0)
        return os.waitstatus_to_exitcode(status), errors.read().decode(), usage.ru_maxrss * 1024


def main():
    if b"__asan_init" in PROGRAM.read_bytes():
        print("skipped: AddressSanitizer's own memory is far more")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "file")
        path.write_bytes(safetensors(b"{}"))
        _, _, base = run(path)
        for name, content in FILES.items():
            path.write_bytes(content)
            status, errors, memory = run(path)
            limit = base + ALLOWANCE + TIMES_THE_FILE * len(content)
            refused = status == 2 and errors.count("\n") == 1 and f"{path}: byte " in errors
            listed = status in (0, 1)  # 1: with tensors that cannot be used
            good = (refused or listed) and memory < limit
            check(
                f"{name}: {len(content)} bytes, exit {status}, {(memory - base) >> 20} MiB, "
                f"{errors.strip()[:200]}", good)
    hostile_runs(BINARIES)
    conclude()


main()
