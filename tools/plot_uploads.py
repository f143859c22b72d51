#!/usr/bin/env python3
"""Draws which way of uploading wins where: tools/plot_uploads.py out/bench.json docs/uploads-wgpu.svg

The first file is what `gpool-bench --case upload.grid --json FILE` wrote, or a whole bench. A panel for each pattern;
columns are writes of a frame, rows are bytes of a write. Colour is the fastest of the forced strategies, a stripe at the
right is another that is within a tenth of it; the numbers are its time and the plan's beside it.
"""
import json
import re
import sys
from html import escape
from pathlib import Path

# Name, what it is, fill.
WAYS = [("direct", "queue writes", "#cfe0f3"), ("merged", "staging copies", "#d3e8cf"),
        ("scatter", "a compute pass", "#fae1ab"), ("whole", "all of it", "#e3d3ea")]
PLACES = {"scattered": "at random", "clustered": "random runs of 16", "sequential": "one run"}
FILL = {name: fill for name, _, fill in WAYS}
TIE, GOOD = 1.1, 1.2
CELL_WIDTH, CELL_HEIGHT, LEFT, TOP, PANEL_GAP = 118, 50, 80, 144, 70
BAD = "#b3261e"


def time(ms):
    """Milliseconds as short text, three digits."""
    value, unit = (ms * 1000, "µs") if ms < 1 else (ms, "ms") if ms < 1000 else (ms / 1000, "s")
    return f"{value:.{0 if value >= 99.95 else 1 if value >= 9.995 else 2}f} {unit}"


def count(number):
    return f"{number:,}"


def read_cells(row):
    """{pattern: {(writes, bytes): {way: ms}}}, in the order of the bench."""
    cells = {}
    for name, ms in row["details"].items():
        match = re.fullmatch(r"ms_(\w+?)_(\d+)x(\d+)_(\w+)", name)
        if match and ms is not None:
            way, writes, size, pattern = match.groups()
            cells.setdefault(pattern, {}).setdefault((int(writes), int(size)), {})[way] = ms
    return cells


def text(x, y, content, style=""):
    return f'<text x="{x:g}" y="{y:g}"{style and " " + style}>{escape(content)}</text>'


def draw_cell(x, y, times):
    forced = {way: ms for way, ms in times.items() if way in FILL}
    best = min(forced, key=forced.get)
    others = sorted((way for way in forced if way != best and forced[way] <= TIE * forced[best]), key=forced.get)
    off = times["planned"] / forced[best] - 1
    bad = off > GOOD - 1
    parts = [f'<rect x="{x}" y="{y}" width="{CELL_WIDTH - 3}" height="{CELL_HEIGHT - 3}" rx="3" fill="{FILL[best]}"/>']
    for i, way in enumerate(others):
        parts.append(f'<rect x="{x + CELL_WIDTH - 3 - 9 * (len(others) - i)}" y="{y}" width="9" height="{CELL_HEIGHT - 3}" '
                     f'fill="{FILL[way]}" stroke="#fbfaf7"/>')
    parts.append(text(x + 10, y + 20, time(forced[best]), 'font-weight="bold"'))
    plan = "plan as fast" if off < 0.005 else f"plan +{100 * off:.0f} %"
    parts.append(text(x + 10, y + 38, plan, f'font-size="12" fill="{BAD}" font-weight="bold"' if bad else 'font-size="12" fill="#556"'))
    if bad:
        parts.append(f'<rect x="{x + 1}" y="{y + 1}" width="{CELL_WIDTH - 5}" height="{CELL_HEIGHT - 5}" rx="3" fill="none" '
                     f'stroke="{BAD}" stroke-width="1.5"/>')
    return parts, off


def draw_panel(y, pattern, cells):
    counts = sorted({writes for writes, _ in cells})
    sizes = sorted({size for _, size in cells})
    parts = [f'<text x="16" y="{y - 30}"><tspan font-weight="bold" font-size="15">{escape(pattern)}</tspan> '
             f'<tspan fill="#556">{escape(PLACES.get(pattern, ""))}</tspan></text>']
    offs = []
    for column, writes in enumerate(counts):
        centre = LEFT + column * CELL_WIDTH + (CELL_WIDTH - 3) / 2
        label = count(writes) + (" write" if writes == 1 else " writes")
        parts.append(text(centre, y - 10, label, 'text-anchor="middle" fill="#556"'))
    for line, size in enumerate(sizes):
        top = y + line * CELL_HEIGHT
        parts.append(text(LEFT - 10, top + 28, f"{count(size)} B", 'text-anchor="end" fill="#556"'))
        for column, writes in enumerate(counts):
            if (writes, size) in cells:
                drawn, off = draw_cell(LEFT + column * CELL_WIDTH, top, cells[writes, size])
                parts += drawn
                offs.append(off)
    return parts, offs, len(sizes) * CELL_HEIGHT, len(counts) * CELL_WIDTH


def draw_legend(width):
    parts = []
    step = (width - 32) / len(WAYS)
    for i, (name, what, fill) in enumerate(WAYS):
        x = 16 + i * step
        parts.append(f'<rect x="{x:g}" y="60" width="20" height="20" rx="3" fill="{fill}"/>')
        parts.append(f'<text x="{x + 28:g}" y="75"><tspan font-weight="bold">{name}</tspan> '
                     f'<tspan fill="#556" font-size="12">{what}</tspan></text>')
    return parts


def draw(row):
    panels, offs = [], []
    y, width = TOP, 0
    for pattern, cells in read_cells(row).items():
        parts, panel_offs, height, panel_width = draw_panel(y, pattern, cells)
        panels += parts
        offs += panel_offs
        width = max(width, LEFT + panel_width + 13)
        y += height + PANEL_GAP
    height = y - PANEL_GAP + 54
    good = sum(off <= GOOD - 1 for off in offs)
    place = ", ".join(name for name in (row.get("implementation"), row.get("adapter")) if name and name != "none")
    notes = ["Colour: the fastest of the four; a stripe at the right: another within a tenth of it. Bold: its time for a frame.",
             f"Below: how much longer the planned way took; within a fifth in {good} of {len(offs)} cells, the others framed."]
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="14">',
                      f'<rect width="{width}" height="{height}" fill="#fbfaf7"/>', '<g fill="#223">',
                      text(16, 30, "The fastest way to upload", 'font-weight="bold" font-size="18"'),
                      text(16, 49, place, 'fill="#556"')]
                     + draw_legend(width) + panels
                     + [text(16, height - 32 + 17 * i, note, 'font-size="12" fill="#556"') for i, note in enumerate(notes)]
                     + ["</g>", "</svg>", ""])


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        rows = json.loads(Path(sys.argv[1]).read_text())
    except (OSError, ValueError) as error:
        sys.exit(f"plot_uploads.py: {sys.argv[1]} cannot be read ({error})")
    row = next((row for row in rows if row["case"] == "upload.grid" and row.get("details")), None)
    if row is None:
        sys.exit(f"plot_uploads.py: {sys.argv[1]} has no times of upload.grid: run gpool-bench --case upload.grid --json FILE")
    Path(sys.argv[2]).write_text(draw(row))


if __name__ == "__main__":
    main()
