"""The arms of methods_table.py: which methods, over which sweep, and which ablations.

An arm's text is a method and options of lazymar_eval, as lazymar_bench --arms takes them.
"""
from dataclasses import dataclass, field

CLIP = "--last_timestep 950"  # DiSA's: the noisiest timesteps move there
ODE_15 = f"--solver dpm++2m --head_steps 15 --timesteps quadratic {CLIP}"
SDE_15 = ODE_15.replace("dpm++2m", "sde-dpm++2m")
DISA_HEAD = f"--head_steps 50:5 {CLIP}"
BY_PROGRESS = "--lazy_warmup 2 --lazy_refresh_by progress --lazy_retain progress"

BASELINE = "mar"
BROKEN = "mar --num_iter 2"  # a control: half of an image at once must be judged worse
OTHER_SEED = "mar, another seed"  # a control: what chance alone does
CONTROLS = "controls"
CANDIDATES = "combinations"
ABLATED = "ablations"

# By family, from slow to fast: methods as published, and what they become in fewer steps. An arm is
# its text, or a name and its text.
SWEEPS = {
    "MAR": [BASELINE, "mar --num_iter 32", "mar --num_iter 16", "mar --num_iter 8"],
    "MAR, shorter head": ["mar --num_sampling_steps 50", "mar --num_sampling_steps 25"],
    "DPM-Solver++": [("mar, ODE-25", f"mar {ODE_15}".replace("15", "25")),
                     ("mar, ODE-15", f"mar {ODE_15}"),
                     ("mar, ODE-8", f"mar {ODE_15}".replace("15", "8"))],
    "LazyMAR": ["lazymar", "lazymar --num_iter 32", "lazymar --num_iter 16"],
    "LazyMAR by progress": ["lazymar-32 --num_iter 48", "lazymar-32", "lazymar-32 --num_iter 16"],
    "DiSA": ["disa", "disa --num_iter 32", "disa --num_iter 16"],
    "Halton": ["halton", "halton --tokens_per_step arccos:32",
               "halton --tokens_per_step arccos:16"],
    "Halton, rolled": ["halton-rolled", "halton-rolled --tokens_per_step arccos:32",
                       "halton-rolled --tokens_per_step arccos:16"],
    "ReCAP": ["recap", "recap --num_iter 32", "recap --num_iter 16"],
    "GtR": ["gtr-32 --tokens_per_step stages:48,12,4", "gtr-32", "gtr-16", "gtr-8"],
}

# Combinations that nobody has published, by name. One of them may become a preset.
COMBINATIONS = {
    "gtr-32-condition": "gtr-32-condition",
    "gtr-32-condition, DiSA's head": f"gtr-32-condition --detail none {DISA_HEAD}",
    "gtr-32-condition, ODE-15": f"gtr-32-condition --detail none {ODE_15}",
    "gtr-16-condition": "gtr-16-condition",
    "gtr-16-condition, DiSA's head": f"gtr-16-condition --detail none {DISA_HEAD}",
    "gtr-16-condition-ode15": "gtr-16-condition-ode15",
    "lazymar-gtr": "lazymar-gtr",
    "lazymar-gtr-head": "lazymar-gtr-head",
    "lazymar-gtr, DiSA's head": f"lazymar-gtr --detail none {DISA_HEAD}",
    "lazymar-gtr, ODE-15": f"lazymar-gtr --detail none {ODE_15}",
    "lazymar-ode15": "lazymar-ode15",
    "lazymar-fast": "lazymar-fast",
    "lazymar-ode15, 16 steps": f"lazymar-ode15 --num_iter 16 {BY_PROGRESS}",
    "lazymar-32, DiSA's head": f"lazymar-32 --lazy_caches token,condition {DISA_HEAD}",
    "lazymar-32, SDE-15": f"lazymar-32 --lazy_caches token,condition {SDE_15}",
    "halton-rolled, caches, ODE-15":
        f"lazymar-ode15 --order halton:rolled --tokens_per_step arccos:32 {BY_PROGRESS}",
}

# Question: pairs of an arm and the same arm with one thing changed.
ABLATIONS = {
    "Clip alone, 100 diffusion steps": [(BASELINE, f"mar {CLIP}")],
    "Annealing alone": [(BASELINE, "mar --head_steps 50:5"),
                        ("mar --num_sampling_steps 50", "mar --head_steps 50:5"),
                        ("mar --head_steps 50:5", "disa")],
    "Refresh by progress or by step, 32 steps": [
        ("lazymar-32", "lazymar-32 --lazy_refresh_by step"),
        ("lazymar-32", "lazymar-32 --lazy_refresh_by step --lazy_refresh 4")],
    "Full step where a stage begins, or not": [
        ("lazymar-gtr", "lazymar-gtr --lazy_refresh_at_stages off")],
    "Detail rows, or none": [("gtr-32", "gtr-32 --detail none"),
                             ("gtr-16", "gtr-16 --detail none")],
    "What is cached at 16 steps": [
        ("gtr-16", "gtr-16-condition"),
        ("gtr-16", "gtr-16-condition --lazy_caches token --lazy_retain progress"),
        ("gtr-16", "gtr-16-condition --lazy_caches token,condition --lazy_retain progress")],
}

# A few minutes: two points of some sweeps, one combination and one ablation.
SMALL = {BASELINE, "mar --num_iter 16", "lazymar", "lazymar --num_iter 32", "gtr-32", "gtr-16",
         "gtr-16-condition"}
METHODS = "methods"
GROUPS = (METHODS, CANDIDATES, ABLATED)


@dataclass(frozen=True)
class Arm:
    name: str
    text: str
    family: str


@dataclass
class Plan:
    """What to draw: the first arm is the baseline."""
    arms: list
    ablations: dict = field(default_factory=dict)  # by question: pairs of names


def known_arms():
    """By name, every arm that is on a sweep or a combination."""
    arms = [Arm(*(arm if isinstance(arm, tuple) else (arm, arm)), family)
            for family, sweep in SWEEPS.items() for arm in sweep]
    arms += [Arm(name, text, CANDIDATES) for name, text in COMBINATIONS.items()]
    return {arm.name: arm for arm in arms}


def make_plan(groups, small, only):
    """The arms of the groups, each once; with `only`, names or texts, those beside the controls."""
    known = known_arms()
    arms = {BASELINE: known[BASELINE], OTHER_SEED: Arm(OTHER_SEED, BASELINE, CONTROLS),
            BROKEN: Arm(BROKEN, BROKEN, CONTROLS)}

    def add(name, family):
        arms.setdefault(name, known.get(name, Arm(name, name, family)))

    for name in only:
        add(name, CANDIDATES)
    if only:
        return Plan(list(arms.values()))
    for name, arm in known.items():
        group = CANDIDATES if arm.family == CANDIDATES else METHODS
        if group in groups and (not small or name in SMALL):
            add(name, arm.family)
    ablations = {}
    if ABLATED in groups:
        for question, pairs in ABLATIONS.items():
            kept = [pair for pair in pairs if not small or SMALL.issuperset(pair)]
            if kept:
                ablations[question] = kept
            for name in (name for pair in kept for name in pair):
                add(name, ABLATED)
    return Plan(list(arms.values()), ablations)


def texts_of(plan):
    """What lazymar_bench runs: each text once."""
    return list(dict.fromkeys(arm.text for arm in plan.arms))


def arm_list(texts, cfg):
    """For lazymar_bench --arms."""
    return "; ".join(text + (f" --cfg {cfg}" if cfg else "") for text in texts)
