"""Files that were damaged after they were written."""
import json
import os
import tarfile

from checks import check
from run_support import Folder, by_hand, finish, reference, same


def truncate(path):
    os.truncate(path, path.stat().st_size // 2)


def empty(path):
    os.truncate(path, 0)


def zero(path):
    path.write_bytes(bytes(path.stat().st_size))


def zero_end(path):
    content = path.read_bytes()
    path.write_bytes(content[:-100] + bytes(100))


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


def lengthen(path):
    path.write_bytes(path.read_bytes() + b"x")


def delete(path):
    path.unlink()


def images():
    folder = Folder("damage")
    folder.run()
    kinds = {
        "truncated": truncate, "empty": empty, "zeroed": zero, "zero end": zero_end,
        "longer": lengthen, "deleted": delete
    }
    for turn, (workers, verify) in enumerate(((1, "quick"), (3, "quick"), (3, "deep"))):
        stamps = folder.stamps()
        if verify == "deep":
            kinds["one bit"] = flip
        # Two in one shard, the others in separate shards.
        victims = [f"{(2 * i + turn) % 12:05}.png" for i in range(len(kinds) - 1)]
        victims.append(f"{(2 * 0 + turn) % 12 ^ 1:05}.png")
        for name, damage in zip(victims, kinds.values(), strict=True):
            damage(folder.path / name)
        damaged = folder.stamps()
        result = folder.run("--workers", workers, "--verify", verify)
        now = folder.stamps()
        untouched = {name for name in now if now[name] == damaged.get(name)}
        remade = sorted(set(now) - untouched)
        same(f"{', '.join(kinds)} ({workers} workers, {verify}): all is well again", folder, result)
        check(f"exactly those were written: {remade}", remade == sorted(victims)
              and all(now[name] == stamps[name] for name in untouched), result)

    flip(folder.path / "00003.png")
    folder.run()
    check("control: the quick check does not see one bit",
          folder.pngs()["00003.png"] != reference()["00003.png"])
    same("and the deep one does", folder, folder.run("--verify", "deep"))


def checked_twice():
    """Two processes end together: one checks; the other must not check what is regenerated."""
    folder = Folder("checked twice", 24)
    folder.run()
    for image in range(0, 24, 2):
        delete(folder.path / f"{image:05}.png")
    both = [folder.start(env=by_hand(rank)) for rank in (0, 1)]
    results = [finish(process) for process in both]
    for result in results:
        same("damage that one of two processes finds first", folder, result, images=24)


def journals():
    folder = Folder("journals")
    folder.run()
    journal = folder.info / "journal.0.jsonl"
    whole = journal.read_bytes()
    lines = whole.splitlines(keepends=True)
    record = json.loads(lines[2])
    cases = {
        "a torn last line": whole[:-40],
        "a torn line in the middle": b"".join(lines[:2]) + lines[2][:50] + b"\n" +
                                     b"".join(lines[3:]),
        "garbage": b"\x00\xff{]\n" * 3 + whole + b'[1,2]\n7\n{}\n"text"\n',
        "wrong types": whole + b'{"block":"x","undone":[]}\n{"block":1,"undone":"y"}\n',
        "a block that does not exist": whole + json.dumps({**record, "block": 977}).encode() +
                                       b"\n",
        "a negative block": whole + json.dumps({**record, "block": -3}).encode() + b"\n",
        "a block with another one's images": whole.replace(b'{"block":%d,' % record["block"],
                                                           b'{"block":1,', 1),
        "a record without images": whole +
                                   json.dumps({**record, "images": [], "attempt": 9}).encode() +
                                   b"\n",
        "an empty journal": b"",
        "a zeroed journal": bytes(len(whole)),
    }
    for name, content in cases.items():
        journal.write_bytes(content)
        result = folder.run()
        records = {r["block"]: r for r in folder.records()}
        same(f"journal: {name}", folder, result, also=set(range(6)) <= set(records))
    journal.unlink()
    same("journal: gone", folder, folder.run("--workers", 2))


def archives():
    folder = Folder("few files", flags=["--few_files"])
    result = folder.run("--workers", 2)

    def members():
        found = {}
        for path in sorted(folder.path.glob("*.tar")):
            with tarfile.open(path) as tar:
                found.update({member.name: tar.extractfile(member).read() for member in tar})
        return found

    check(
        "--few_files: a tar per block, no PNG outside", result.returncode == 0
        and not folder.pngs() and len(list(folder.path.glob("*.tar"))) == 6, result)
    check("--few_files: the same images", members() == reference(), result)
    archive = folder.path / "block-00002.tar"
    for name, damage in {"truncated": truncate, "zeroed": zero, "one bit": flip,
                         "deleted": delete}.items():
        damage(archive)
        before = {p.name: p.stat().st_mtime_ns for p in folder.path.glob("*.tar") if p != archive}
        result = folder.run("--verify", "deep")
        kept = all(
            (folder.path / other).stat().st_mtime_ns == stamp for other, stamp in before.items())
        check(
            f"--few_files: a tar {name} is made again alone", result.returncode == 0
            and members() == reference() and kept and folder.summary()["complete"], result)


CASES = [images, checked_twice, journals, archives]
