"""For scripts that draw several runs and compare them: calls the programs, reads their JSON."""
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAMS = ROOT / "build" / "bin"


def output(program, *words, quiet=False):
    """What the program prints; its stderr is shown, if quiet only of failures. If the program
    fails, so does this script, with its status."""
    said = subprocess.run([str(word) for word in (program, *words)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE if quiet else None, text=True, check=False)
    if said.returncode != 0:
        if quiet:
            sys.stderr.write(said.stderr)
        script = Path(sys.argv[0]).name
        print(f"{script}: {program} {' '.join(map(str, words))}\n{script}: this ended with "
              f"{said.returncode}; the lines above say why", file=sys.stderr)
        sys.exit(said.returncode if said.returncode > 0 else 128 - said.returncode)
    return said.stdout


def machine_flags(options):
    """--device and --threads of a script, for a program."""
    return ["--device", options.device,
            *(["--threads", options.threads] if options.threads else [])]


def draw(programs, folder, *flags):
    """Draws a run below the folder, continues it, or finds it drawn; the run folder."""
    said = output(programs / "lazymar_eval", "--output_dir", folder, *flags)
    return Path(said.split("Run folder: ")[-1].splitlines()[0].strip())


def read_info(run, name):
    """A JSON file that a run left about itself, such as summary."""
    return json.loads((run / "info" / f"{name}.json").read_text(encoding="utf-8"))


def replace_text(path, text):
    """Writes a file as a whole: a kill leaves the old or the new one."""
    partial = path.with_name(path.name + ".new")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def rule_passes(programs, runs, *flags):
    """By run: images that keep their rule, and pairs with the first run."""
    return json.loads(output(programs / "lazymar_score", *runs, "--rules", "--json", "-",
                             *flags, quiet=True))["runs"]


def scores(programs, runs, reference, extractor, metrics, *flags):
    """By run: scores against a reference, and their differences from the first run's."""
    return json.loads(output(programs / "lazymar_score", *runs, "--fid", reference, "--extractor",
                             extractor, "--metrics", metrics, "--json", "-", *flags,
                             quiet=True))["sets"]


def drift(programs, runs, extractor, *flags):
    """By run: the Frechet distance from the first run, image by image of equal seeds. That of the
    first run itself is a control, 0."""
    return scores(programs, runs, runs[0], extractor, "fid", *flags)


def comparison(programs, runs, folder, *flags):
    """By run: what lazymar_compare says of its images, paired with those of the first run."""
    output(programs / "lazymar_compare", *runs, "--output_dir", folder, *flags, quiet=True)
    return json.loads((folder / "comparison.json").read_text(encoding="utf-8"))["runs"]


def passes_text(count):
    """A share of passes with its exact interval."""
    low, high = count["interval"]
    return (f"{100 * count['passes'] / count['images']:.1f} % "
            f"({100 * low:.1f} to {100 * high:.1f})")
