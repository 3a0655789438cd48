"""Compares methods by their figures: the front of cost against quality, and equal cost."""
import math
from dataclasses import dataclass
from itertools import pairwise

from method_arms import ABLATED, CANDIDATES


@dataclass(frozen=True)
class Measure:
    """A figure of a row: its value, the ends of its 95 % interval, and which way is better."""
    key: str
    name: str
    up: bool
    digits: int = 3
    percent: bool = False

    def value(self, row):
        return row.get(self.key)

    def interval(self, row):
        return row.get(f"{self.key}_interval")

    def better(self, one, other):
        return one > other if self.up else one < other

    def text(self, value, interval=None):
        if value is None:
            return "-"
        text = self.rounded(value) + (" %" if self.percent else "")
        return text + (" ({} to {})".format(*map(self.rounded, interval)) if interval else "")

    def rounded(self, value):
        # + 0.0: no "-0.000"
        return f"{round(value * (100 if self.percent else 1), self.digits) + 0.0:.{self.digits}f}"


PASSES = Measure("passes", "images that keep their rule", up=True, digits=1, percent=True)
FID = Measure("fid", "FID", up=False)
DRIFT = Measure("drift", "paired drift", up=False)


def dominated(row, rows, cost, measure):
    """Whether another row is as cheap and as good, and better in one of both."""
    mine = (row[cost], measure.value(row))
    return any((other[cost] <= mine[0] and not measure.better(mine[1], measure.value(other)))
               and (other[cost], measure.value(other)) != mine
               for other in rows if other is not row)


def front(rows, cost, measure):
    """The rows that no other dominates, cheapest first."""
    return sorted((row for row in rows if not dominated(row, rows, cost, measure)),
                  key=lambda row: row[cost])


def at_cost(sweep, cost, wanted, measure):
    """(value, interval) of a sweep at a cost, linear in the logarithm of cost between two of its
    points; None outside of them. The ends of intervals are interpolated as if both points erred
    together, which is the widest they can be."""
    points = sorted(sweep, key=lambda row: row[cost])
    for low, high in pairwise(points):
        if low[cost] <= wanted <= high[cost] and low[cost] < high[cost]:
            share = math.log(wanted / low[cost]) / math.log(high[cost] / low[cost])
            values = [(measure.value(row), *measure.interval(row)) for row in (low, high)]
            mixed = [a + share * (b - a) for a, b in zip(*values, strict=True)]
            return mixed[0], (mixed[1], mixed[2])
    return None


def sweeps(rows):
    """By method: the rows of its sweep, if there are at least two."""
    families = {}
    for row in rows:
        if row["family"] not in (ABLATED, CANDIDATES):
            families.setdefault(row["family"], []).append(row)
    return {family: those for family, those in families.items() if len(those) > 1}


def best_at_cost(families, cost, wanted, measure):
    """(family, value, interval) of the best sweep at a cost; None if no sweep reaches it."""
    best = None
    for family, sweep in families.items():
        found = at_cost(sweep, cost, wanted, measure)
        if found and (best is None or measure.better(found[0], best[1])):
            best = (family, *found)
    return best
