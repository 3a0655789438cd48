"""A chart of cost against quality as SVG, coloured by the style sheet of src/report/report.html."""
import math
from html import escape

from method_arms import BASELINE
from method_figures import front, sweeps

WIDTH, HEIGHT = 900, 430
LEFT, RIGHT, TOP, BOTTOM = 60, 885, 14, 380
LETTER = 6.6  # width of a letter of a label, about


class Axis:
    def __init__(self, low, high, start, end, logarithmic=False):
        self.log = math.log if logarithmic else float
        room = 0.05 * (self.log(high) - self.log(low)) or 1.0
        self.low, self.high = self.log(low) - room, self.log(high) + room
        self.start, self.end = start, end

    def at(self, value):
        share = (self.log(value) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self):
        """At most eight round numbers, and where they are."""
        undo = math.exp if self.log is math.log else float
        low, high = undo(self.low), undo(self.high)
        step = 10 ** math.floor(math.log10(max(high - low, 1e-12)))
        step = next(part * step for part in (0.1, 0.2, 0.5, 1, 2, 5, 10)
                    if (high - low) / (part * step) <= 8)
        first = math.ceil(low / step)
        return [(number * step, self.at(number * step))
                for number in range(first, math.floor(high / step) + 1) if number * step >= low]


def text(x, y, words, anchor="middle", style=""):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}>'
            f"{escape(words)}</text>")


def stroke(points, style):
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline fill="none" points="{path}" style="{style}"/>'


class Labels:
    """Places labels beside points, where they cover neither each other nor points."""

    def __init__(self, points):
        self.taken = [(x - 5, y - 5, x + 5, y + 5) for x, y in points]

    def place(self, x, y, words):
        width = LETTER * len(words)
        for dy in (4, -9, 17, -22, 30, -35, 43):
            for dx, anchor in ((9, "start"), (-9, "end")):
                left = x + dx if anchor == "start" else x + dx - width
                box = (left, y + dy - 10, left + width, y + dy + 3)
                if box[0] >= LEFT and box[2] <= RIGHT + 10 and box[1] >= 0 and not any(
                        box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3]
                        for b in self.taken):
                    self.taken.append(box)
                    return text(x + dx, y + dy, words, anchor, ' style="font-size:12px"')
        return ""  # its tip still names it


def frame(x, y, cost_name, measure):
    scale = 100 if measure.percent else 1
    parts = []
    for value, place in y.ticks():
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{RIGHT}" y1="{place:.1f}" '
                     f'y2="{place:.1f}"/>')
        parts.append(text(LEFT - 6, place + 4, f"{scale * value:.4g}", "end"))
    parts += [text(place, BOTTOM + 16, f"{value:.3g}") for value, place in x.ticks()]
    better = "higher is better" if measure.up else "lower is better"
    unit = " (%)" if measure.percent else ""
    parts.append(text((LEFT + RIGHT) / 2, BOTTOM + 38,
                      f"{cost_name}, logarithmic; up: {measure.name}{unit}, {better}"))
    return "".join(parts)


def trade_chart(rows, cost, cost_name, measure):
    """Every row as a point with its interval. The front is coloured and named; the rest is grey."""
    ends = [end for row in rows for end in measure.interval(row)]
    x = Axis(min(row[cost] for row in rows), max(row[cost] for row in rows), LEFT, RIGHT, True)
    y = Axis(min(ends), max(ends), BOTTOM, TOP)
    at = {row["name"]: (x.at(row[cost]), y.at(measure.value(row))) for row in rows}
    best = front(rows, cost, measure)
    title = escape(f"{cost_name} against {measure.name}")
    parts = [f'<svg class="chart" style="max-width:none" viewBox="0 0 {WIDTH} {HEIGHT}" '
             f'role="img" aria-label="{title}">' + frame(x, y, cost_name, measure)]
    parts += [stroke([at[row["name"]] for row in sorted(sweep, key=lambda row: row[cost])],
                     "stroke:var(--s4);stroke-width:1;opacity:.5")
              for sweep in sweeps(rows).values()]
    parts.append(stroke([at[row["name"]] for row in best], "stroke:var(--base);stroke-width:2"))
    labels = Labels(at.values())
    for row in sorted(rows, key=lambda row: row in best):  # the front on top
        colour = "var(--s0)" if row in best else "var(--s4)"
        place, height = at[row["name"]]
        low, high = (y.at(end) for end in measure.interval(row))
        parts.append(stroke([(place, low), (place, high)],
                            f"stroke:{colour};stroke-width:1.2;opacity:.6"))
        tip = (f"{row['name']} ({row['family']}): {row[cost]:.3g} {cost_name}, "
               f"{measure.text(measure.value(row), measure.interval(row))}")
        parts.append(f'<circle r="{5.5 if row in best else 4}" cx="{place:.1f}" cy="{height:.1f}" '
                     f'style="fill:{colour}"><title>{escape(tip)}</title></circle>')
    named = [*best, *(row for row in rows if row["name"] == BASELINE and row not in best)]
    parts += [labels.place(*at[row["name"]], row["name"]) for row in named]
    return "".join(parts) + "</svg>"
