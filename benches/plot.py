"""Draws the cost of an event against the size of the batch: plot.py RESULTS FILE.

It is plain HTTP on one core, both axes logarithmic. The drawing brings its own background, and follows the reader's
choice of light or dark.
"""

import math
import os
import sys
from html import escape

from results import figure, group, read_rows, total

# Consumer, label, class, and whether it has parsed each event (a full line) or not (a broken one).
LINES = [
    ("python-sdk", "vendor's Python SDK", "rival-2", True),
    ("python-requests", "Python requests", "rival-3", True),
    ("java-sdk", "vendor's Java SDK", "rival-4", True),
    ("libcurl-yyjson", "libcurl + yyjson", "rival-1", True),
    ("python-data", "this library, Python", "own-2", True),
    ("datafeed-yyjson", "this library, C, + yyjson", "own-1", True),
    ("datafeed", "this library, C", "own-1", False),
    ("handover", "limit + a second thread", "limit", False),
    ("raw", "limit: a raw socket", "limit", False),
]

WIDTH, HEIGHT = 760, 480
LEFT, RIGHT, TOP, BOTTOM = 62, 210, 62, 48
LABEL_HEIGHT = 16

# Plain colours for each: not every viewer knows variables.
LIGHT = {
    "ground": "#ffffff",
    "text": "#1f2328",
    "quiet": "#59636e",
    "grid": "#e4e7ea",
    "own-1": "#0b62d6",
    "own-2": "#1a8fa8",
    "limit": "#59636e",
    "rival-1": "#c04a00",
    "rival-2": "#a3217a",
    "rival-3": "#7a4fc9",
    "rival-4": "#8a6a00",
}
DARK = {
    "ground": "#14181d",
    "text": "#e6edf3",
    "quiet": "#9aa4af",
    "grid": "#2b323a",
    "own-1": "#5aa5ff",
    "own-2": "#4fc3d9",
    "limit": "#9aa4af",
    "rival-1": "#ff9a5c",
    "rival-2": "#f07cc4",
    "rival-3": "#b79cff",
    "rival-4": "#d9b648",
}

SHAPES = """
text { font: 12px system-ui, sans-serif; }
.title { font-size: 15px; font-weight: 600; }
.grid, .leader, .line { fill: none; }
.leader { stroke-width: 0.75; }
.line { stroke-width: 2; stroke-linejoin: round; }
.broken { stroke-dasharray: 5 4; }
"""


def colours(palette):
    """What has which colour."""
    lines = [f"rect {{ fill: {palette['ground']}; }}", f"text {{ fill: {palette['text']}; }}"]
    lines += [f"text.quiet {{ fill: {palette['quiet']}; }}", f".grid {{ stroke: {palette['grid']}; }}"]
    lines.append(f".leader {{ stroke: {palette['quiet']}; }}")
    for name in sorted({name for _, _, name, _ in LINES}):
        lines.append(f"path.{name} {{ stroke: {palette[name]}; }} circle.{name} {{ fill: {palette[name]}; }}")
    return "\n".join(lines)


def style():
    """The style sheet, with the colours that the reader has chosen."""
    return f"{SHAPES}{colours(LIGHT)}\n@media (prefers-color-scheme: dark) {{\n{colours(DARK)}\n}}\n"


def read_points(path):
    """For each line that there are figures for: its description and its points."""
    rows = [row for row in read_rows(path) if row["scheme"] == "http" and row["cores"] == "1"]
    cells = group(rows, "consumer", "batch")
    lines = []
    for name, *rest in LINES:
        points = sorted(
            (int(batch), cell.middle(total)) for (consumer, batch), cell in cells.items() if consumer == name
        )
        if points:
            lines.append((*rest, points))
    return lines


class Scale:
    """From a value to a place, by its logarithm."""

    def __init__(self, low, high, start, end):
        self.low, self.high = math.log10(low), math.log10(high)
        self.start, self.end = start, end

    def __call__(self, value):
        part = (math.log10(value) - self.low) / (self.high - self.low)
        return self.start + part * (self.end - self.start)


def spread_labels(places):
    """Moves labels apart that would lie over one another; they are given and answered from top to bottom."""
    moved = list(places)
    for _ in range(200):
        for index in range(len(moved) - 1):
            missing = LABEL_HEIGHT - (moved[index + 1] - moved[index])
            if missing > 0:
                moved[index] -= missing / 2
                moved[index + 1] += missing / 2
    # None below the drawing.
    lowest = HEIGHT - BOTTOM + 4
    for index in reversed(range(len(moved))):
        moved[index] = min(moved[index], lowest - (len(moved) - 1 - index) * LABEL_HEIGHT)
    return moved


def draw_axes(across, up, batches):
    """Grid and numbers."""
    parts = []
    for power in range(math.floor(up.low), math.ceil(up.high) + 1):
        if not up.low <= power <= up.high:
            continue
        value = 10.0**power
        place = up(value)
        parts.append(f'<path class="grid" d="M{LEFT} {place:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text class="quiet" x="{LEFT - 8}" y="{place + 4:.1f}" text-anchor="end">{value:g}</text>')
    for batch in batches:
        place = across(batch)
        parts.append(f'<path class="grid" d="M{place:.1f} {TOP}V{HEIGHT - BOTTOM}"/>')
        parts.append(
            f'<text class="quiet" x="{place:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{batch}</text>'
        )
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(
        f'<text class="quiet" x="{middle:.0f}" y="{HEIGHT - 10}" text-anchor="middle">events in one answer</text>'
    )
    return parts


def draw_lines(lines, across, up):
    """Lines with their points, and a label at the end of each."""
    parts, labels = [], []
    for label, colour, parsed, points in lines:
        path = "L".join(f"{across(batch):.1f} {up(cost):.1f}" for batch, cost in points)
        broken = "" if parsed else " broken"
        parts.append(f'<path class="line {colour}{broken}" d="M{path}"/>')
        for batch, cost in points:
            told = escape(f"{label}, batches of {batch}: {figure(cost)} microseconds")
            parts.append(
                f'<circle class="{colour}" cx="{across(batch):.1f}" cy="{up(cost):.1f}" r="3.5">'
                f"<title>{told}</title></circle>"
            )
        labels.append((up(points[-1][1]), across(points[-1][0]), label, points[-1][1]))
    labels.sort()
    right = WIDTH - RIGHT
    for (place, from_x, label, cost), moved in zip(labels, spread_labels([entry[0] for entry in labels])):
        parts.append(f'<path class="leader" d="M{from_x + 5:.1f} {place:.1f}L{right + 18} {moved:.1f}"/>')
        parts.append(f'<text x="{right + 22}" y="{moved + 4:.1f}">{escape(label)}, {figure(cost)}</text>')
    return parts


def draw(lines):
    """The drawing, as text."""
    batches = sorted({batch for *_, points in lines for batch, _ in points})
    costs = [cost for *_, points in lines for _, cost in points]
    across = Scale(min(batches), max(max(batches), min(batches) * 2), LEFT + 14, WIDTH - RIGHT)
    up = Scale(min(costs) / 1.3, max(costs) * 1.3, HEIGHT - BOTTOM, TOP)
    title = "CPU time for one event"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">',
            f"<style>{style()}</style>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" rx="6"/>',
            f'<text class="title" x="16" y="26">{title}</text>',
            '<text class="quiet" x="16" y="46">microseconds, one core, plain HTTP; broken lines: the events are not '
            "parsed</text>",
            *draw_axes(across, up, batches),
            *draw_lines(lines, across, up),
            "</svg>\n",
        ]
    )


def main(results, path):
    """Draws."""
    lines = read_points(results)
    if not lines:
        sys.exit("there are no figures of plain HTTP on one core")
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w") as file:
        file.write(draw(lines))


if __name__ == "__main__":
    main(*sys.argv[1:])
