"""The quality of the arms of methods_table.py, as the programs judge it."""
from eval_runs import comparison, drift, machine_flags, rule_passes, scores
from method_arms import BASELINE, BROKEN, OTHER_SEED


def judge(rows, runs, options):
    """Adds quality to rows. The runs' own info/scores.json keeps the distance from the reference,
    which is therefore computed last."""
    folders = list(runs.values())
    machine = machine_flags(options)
    threads = machine[2:]
    extractor = options.extractor
    if options.model == "rules":
        for row, said in zip(rows, rule_passes(options.bin, folders, *threads), strict=True):
            count = said["all"]
            row.update(passes=count["passes"] / count["images"], kept=count["passes"],
                       passes_interval=count["interval"])
            if "against" in said and row["name"] != OTHER_SEED:
                pairs = said["against"]
                row["mcnemar"] = {key: pairs[key] for key in
                                  ("only_baseline_passes", "only_run_passes",
                                   "mcnemar_probability")}
    for row, said in zip(rows, drift(options.bin, folders, extractor, "--save_features", *machine),
                         strict=True):
        row.update(drift=said["fid"], drift_interval=said["intervals"]["fid"])
    others = [row for row in rows if row["name"] != OTHER_SEED]
    compared = comparison(options.bin, [runs[row["name"]] for row in others],
                          options.work / "comparison", "--pairs", "2", *threads)
    for row, said in zip(others, compared, strict=True):
        # Another order draws another image: its pixels say nothing about quality.
        if said["pairs"] and row["same_order"]:
            row.update(psnr=said["pairs"]["psnr"]["median"], ssim=said["pairs"]["ssim"]["median"],
                       identical=said["pairs"]["identical"])
    pictures = options.pictures or runs[OTHER_SEED]
    for row, said in zip(rows, scores(options.bin, folders, pictures, extractor, "pr",
                                      *machine), strict=True):
        if options.pictures or row["name"] != OTHER_SEED:
            row.update(precision=said.get("precision"), recall=said.get("recall"))
    for row, said in zip(rows, scores(options.bin, folders, options.reference, extractor,
                                      "fid,is", *machine), strict=True):
        row.update(fid=said["fid"], fid_interval=said["intervals"]["fid"],
                   inception_score=said.get("inception_score", {}).get("mean"))
        if "against" in said and row["name"] != OTHER_SEED:
            row["fid_difference"] = said["against"].get("fid")
        row["extractor_sha256"] = said["extractor"]["weights_sha256"]


def ablate(plan, rows, runs, options):
    """By question: pairs of rows, and what the pair's images say."""
    by_name = {row["name"]: row for row in rows}
    found = {}
    for question, pairs in plan.ablations.items():
        found[question] = []
        for one, other in pairs:
            folders = [runs[one], runs[other]]
            pair = {"one": by_name[one], "other": by_name[other]}
            if options.model == "rules":
                pair["mcnemar"] = rule_passes(options.bin, folders)[1]["against"]
            scored = scores(options.bin, folders, options.reference, options.extractor, "fid",
                            *machine_flags(options))
            pair["fid_difference"] = scored[1]["against"]["fid"]
            found[question].append(pair)
    return found


def failed_controls(rows, measure):
    """What the controls should have shown, and did not."""
    by_name = {row["name"]: row for row in rows}
    failed = []
    mar, broken = by_name[BASELINE], by_name[BROKEN]
    chance = by_name[OTHER_SEED]["drift"]
    if abs(mar["drift"]) > 1e-3 * chance:
        failed.append(f"plain MAR drifts from itself by {mar['drift']:.4g}; it must be 0")
    if not measure.better(measure.value(mar), measure.value(broken)):
        failed.append(f"{BROKEN} is not judged worse than {BASELINE}")
    if broken["drift"] <= chance:
        failed.append(f"{BROKEN} drifts less than another seed does")
    return failed
