"""The report of methods_table.py: Markdown, JSON and one self-contained page."""
import base64
import json
from html import escape

from eval_runs import ROOT, replace_text
from method_arms import BASELINE, CANDIDATES, CONTROLS, OTHER_SEED
from method_chart import trade_chart
from method_figures import DRIFT, FID, PASSES, at_cost, best_at_cost, front, sweeps

SPEEDUPS = (1.25, 1.5, 2, 3, 4, 6)  # of plain MAR, at which sweeps are compared
MOST_PICTURES = 6_000_000  # bytes in the page


def cost_of(table):
    """(key, name, unit) of what methods are compared by."""
    if table["timing"] and all("seconds" in row for row in table["rows"]):
        return "seconds", "seconds per image", "s"
    return "tflop", "TFLOP per image", "T"


def judged(rows):
    return [row for row in rows if row["family"] != CONTROLS]


def number(value, digits):
    return "-" if value is None else f"{value:.{digits}f}"


def probability(p):
    return "< 0.0001" if p < 0.0001 else f"{p:.2g}"


def pairs_text(pairs):
    """Pairs in which only the first, or only the second image keeps its rule."""
    if not pairs:
        return "-"
    return (f"{pairs['only_baseline_passes']} : {pairs['only_run_passes']}, "
            f"p {probability(pairs['mcnemar_probability'])}")


def difference_text(difference):
    if not difference:
        return "-"
    low, high = difference["interval"]
    return f"{difference['difference']:+.3f} ({low:+.3f} to {high:+.3f})"


def columns(table):
    """(heading, cell of a row), without what no row has."""
    rows = table["rows"]
    found = [("arm", lambda row: row["name"]),
             ("s per image", lambda row: number(row.get("seconds"), 3)),
             ("TFLOP", lambda row: number(row["tflop"], 4)),
             ("MB of caches", lambda row: number(row["cache_mb"], 2)),
             ("peak MB", lambda row: number(row["peak_mb"], 0))]
    if any("passes" in row for row in rows):
        found += [("rules kept (95 %)",
                   lambda row: PASSES.text(PASSES.value(row), PASSES.interval(row))),
                  ("only MAR : only this", lambda row: pairs_text(row.get("mcnemar")))]
    found += [("FID (95 %)", lambda row: FID.text(FID.value(row), FID.interval(row))),
              ("FID minus MAR's", lambda row: difference_text(row.get("fid_difference")))]
    if table["settings"]["model"] != "rules":
        found.append(("IS", lambda row: number(row["inception_score"], 2)))
    return [*found,
            ("precision", lambda row: number(row.get("precision"), 3)),
            ("recall", lambda row: number(row.get("recall"), 3)),
            ("drift (95 %)", lambda row: DRIFT.text(DRIFT.value(row), DRIFT.interval(row))),
            ("PSNR", lambda row: pixels_text(row, "psnr", 1)),
            ("SSIM", lambda row: pixels_text(row, "ssim", 3))]


def all_arms(table):
    """(heading, lines): every figure of every arm."""
    cells = columns(table)
    return [name for name, _ in cells], [[cell(row) for _, cell in cells] for row in table["rows"]]


def pixels_text(row, key, digits):
    if row["name"] == OTHER_SEED:
        return "other seed"
    if not row["same_order"]:
        return "other order"
    if row.get("identical") == row["images"] or row["name"] == BASELINE:
        return "equal"
    return number(row.get(key), digits)


def equal_cost(table, measure):
    """(heading, lines): sweeps at fractions of plain MAR's cost."""
    key, _, unit = cost_of(table)
    rows = judged(table["rows"])
    mar = next(row for row in rows if row["name"] == BASELINE)
    wanted = [(mar[key] / by, by) for by in SPEEDUPS]
    lines = []
    for family, sweep in sweeps(rows).items():
        cells = [at_cost(sweep, key, cost, measure) for cost, _ in wanted]
        if any(cells):
            lines.append([family, *(measure.text(*cell) if cell else "-" for cell in cells)])
    return ["method", *(f"{cost:.3g} {unit} (MAR / {by:g})" for cost, by in wanted)], lines


def candidates(table, measure):
    """(heading, lines): each combination beside the best published sweep at its cost."""
    key, name, _ = cost_of(table)
    rows = judged(table["rows"])
    families = sweeps(rows)
    lines = []
    for row in sorted((row for row in rows if row["family"] == CANDIDATES),
                      key=lambda row: row[key]):
        best = best_at_cost(families, key, row[key], measure)
        lines.append([row["name"], f"{row[key]:.3g}",
                      measure.text(measure.value(row), measure.interval(row)),
                      measure.text(*best[1:]) if best else "-",
                      best[0] if best else "no sweep is so fast"])
    return ["combination", name, measure.name, "the best sweep at equal cost", "which"], lines


def options_of(table):
    """(heading, lines): what stands behind names that are no options themselves."""
    return ["arm", "method and options"], [[row["name"], row["text"]] for row in table["rows"]
                                           if row["name"] != row["text"]]


def ablations(table, measure):
    key, name, unit = cost_of(table)
    heading = ["question", "arm", "changed", name, measure.name]
    heading += ["only arm : only changed"] if measure is PASSES else []
    heading += ["FID of the changed arm minus the arm's"]
    lines = []
    for question, pairs in table["ablations"].items():
        for pair in pairs:
            one, other = pair["one"], pair["other"]
            line = [question, one["name"], other["name"],
                    f"{one[key]:.3g} to {other[key]:.3g} {unit}",
                    f"{measure.text(measure.value(one))} to {measure.text(measure.value(other))}"]
            line += [pairs_text(pair["mcnemar"])] if measure is PASSES else []
            lines.append([*line, difference_text(pair["fid_difference"])])
    return heading, lines


def caption(table):
    """What was measured, and how; a list of sentences."""
    said, timing = table["settings"], table["timing"]
    sentences = [(
        f"Model {said['model']} ({said['weights_sha256']['mar'][:12]}), {said['images']} images of "
        f"each arm, seed {said['seed']}, {said['precision']}, guidance {said['cfg']}, on "
        f"{said['processor']}; lazymar {said['version']}."), (
        f"FID: features of {said['extractor']} ({said['extractor_sha256'][:12]}) against "
        f"{said['reference']} (SHA-256 {(said['reference_sha256'] or 'of a folder')[:12]}). It is "
        "biased by the number of images: compare only within this table.")]
    if said["model"] == "rules":
        sentences.append("That network has not been trained on these pictures: FID, precision, "
                         "recall and drift are coarse here, and Inception Scores are left out. "
                         "Judge by the rules.")
    sentences.append(
        f"Precision and recall (k = 3): against {said['pictures']}." if said["pictures"] else
        "Precision and recall (k = 3): against as many images of plain MAR with another seed, so "
        "they say whether a method leaves MAR's distribution, not how real its images are.")
    sentences.append(
        "Drift: Frechet distance between an arm and plain MAR on equal seeds. PSNR and SSIM: "
        "medians over pairs with plain MAR, only where the decoding order is the same.")
    if cost_of(table)[0] == "seconds":
        others = timing["others_cores"]
        sentences.append(
            f"Seconds: median of lazymar_bench, runs of each arm: {timing['setting']['repeats']}, "
            f"images at once: {timing['setting']['batch']}, threads: {timing['threads']}; all arms "
            "take turns in one process" +
            (f"; other work took {others:.2f} of {timing['cores']} cores." if others is not None
             else "; how busy the machine was is not known."))
    else:
        sentences.append("No quiet timing of all arms: methods are compared by TFLOP, and seconds "
                         "are not stated.")
    return sentences


def markdown_table(heading, lines, texts=1):
    """The first `texts` columns are text, the others figures."""
    rule = ["---"] * texts + ["---:"] * (len(heading) - texts)
    return "\n".join(f"| {' | '.join(line)} |" for line in (heading, rule, *lines)) + "\n"


def markdown(table, measure):
    parts = ["\n".join(caption(table)) + "\n", markdown_table(*all_arms(table))]
    for title, texts, (heading, lines) in tables(table, measure):
        parts.append(f"**{title}**\n\n" + markdown_table(heading, lines, texts))
    return "\n".join(parts)


def tables(table, measure):
    """(title, columns of text, (heading, lines)) of the comparisons, without empty ones."""
    found = [(f"At equal {cost_of(table)[1]}: {measure.name}", 1, equal_cost(table, measure)),
             ("Combinations", 1, candidates(table, measure)),
             ("Ablations", 3, ablations(table, measure)),
             ("Options of the named arms", 2, options_of(table))]
    return [part for part in found if part[2][1]]


def html_table(heading, lines, texts=1, grey=()):
    """The first `texts` columns are text; lines whose number is in `grey` are grey."""
    left = ' style="text-align:left;white-space:normal"'

    def cells(kind, line):
        return "".join(f"<{kind}{left if place < texts else ''}>{escape(cell)}</{kind}>"
                       for place, cell in enumerate(line))

    body = "".join(f'<tr{" class=faint" if place in grey else ""}>{cells("td", line)}</tr>'
                   for place, line in enumerate(lines))
    return f'<div class="scroll"><table><tr>{cells("th", heading)}</tr>{body}</table></div>'


def section(title, body, note=""):
    note = f'<p class="faint">{escape(note)}</p>' if note else ""
    return f"<section><h2>{escape(title)}</h2>{note}{body}</section>"


def strips(table, pictures):
    """Images of each arm, as many as the page can hold."""
    size = sum(path.stat().st_size for paths in pictures.values() for path in paths)
    share = min(1.0, MOST_PICTURES / max(size, 1))
    parts = []
    for row in table["rows"]:
        paths = pictures[row["name"]]
        shown = paths[:max(1, int(len(paths) * share))]
        images = "".join(
            f'<img style="width:9%;min-width:40px;margin:1px" alt="image {path.stem}" '
            f'src="data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}">'
            for path in shown)
        parts.append(f"<h3>{escape(row['name'])}</h3><div>{images}</div>")
    return "".join(parts)


def page(table, measure, pictures):
    key, cost_name, _ = cost_of(table)
    rows = judged(table["rows"])
    best = front(rows, key, measure)
    cost_title = cost_name[0].upper() + cost_name[1:]
    sections = [section(
        f"{cost_title} against {measure.name}", trade_chart(rows, key, cost_name, measure),
        "Black line: no other arm is both cheaper and better. Grey: dominated. Bars: 95 %. Thin "
        "lines join the arms of one sweep. Overlapping bars decide nothing; pairs below do.")]
    if measure is not DRIFT:
        drifting = [row for row in rows if row["name"] != BASELINE]
        sections.append(section(f"{cost_title} against drift",
                                trade_chart(drifting, key, cost_name, DRIFT),
                                "How far an arm is from plain MAR, not how good it is."))
    grey = {number for number, row in enumerate(table["rows"]) if row not in best}
    sections.append(section("All arms", html_table(*all_arms(table), 1, grey),
                            "Grey: dominated, or a control."))
    sections += [section(title, html_table(heading, those, texts))
                 for title, texts, (heading, those) in tables(table, measure)]
    sections.append(section("Images", strips(table, pictures),
                            "Images of every class, of equal numbers and seeds in each arm."))
    failed = table["failed_controls"]
    controls = ("All controls hold: plain MAR does not drift from itself, and two decoding steps "
                "are judged worse." if not failed else "FAILED: " + "; ".join(failed))
    sections.append(section("Controls and method", "".join(
        f"<p>{escape(text)}</p>" for text in [controls, *caption(table)])))
    names = [f"<div><b>{len(rows)}</b>arms</div>",
             f"<div><b>{table['settings']['images']}</b>images of each</div>",
             f"<div><b>{len(best)}</b>on the front</div>",
             f"<div><b>{'held' if not failed else 'FAILED'}</b>controls</div>"]
    template = (ROOT / "src/report/report.html").read_text(encoding="utf-8")
    for name, text in {"title": "Which acceleration is best?",
                       "subtitle": escape(caption(table)[0]),
                       "cards": f'<div class="cards">{"".join(names)}</div>',
                       "sections": "".join(sections),
                       "version": escape(table["settings"]["version"])}.items():
        template = template.replace("{{" + name + "}}", text)
    return template


def write(table, measure, pictures, folder):
    replace_text(folder / "table.json", json.dumps(table, indent=1) + "\n")
    replace_text(folder / "table.md", markdown(table, measure))
    replace_text(folder / "report.html", page(table, measure, pictures))
