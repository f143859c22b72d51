#!/usr/bin/env python3
"""Makes a page of what gpool-bench wrote: tools/bench_html.py [out/bench.json [out/bench.html]].

The page needs nothing else: a table, and bars as inline SVG.
"""
import html
import json
import sys
from pathlib import Path

STYLE = """
:root { color-scheme: light dark; --text: #1d2126; --soft: #626b76; --line: #d9dde2; --page: #ffffff; --ours: #2f6fb3;
  --bad: #c2410c; --mark: #1d2126; --track: #eef0f3; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e8ea; --soft: #9aa3ad; --line: #3a4048; --page: #16191d;
  --ours: #6aa5e0; --bad: #f0884f; --mark: #e6e8ea; --track: #22272d; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 70rem; background: var(--page); color: var(--text);
  font: 1rem/1.45 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .25rem; }
p, .soft { color: var(--soft); }
p { margin: .25rem 0 1rem; }
.bars { display: grid; gap: .35rem 1rem; grid-template-columns: 1fr; }
.bar { display: grid; grid-template-columns: 1fr auto; }
.bar svg { grid-column: 1 / 3; width: 100%; height: 22px; display: block; }
@media (min-width: 45rem) { .bar { grid-template-columns: 11rem 1fr 13rem; align-items: center; gap: .75rem; }
  .bar svg { grid-column: 2; grid-row: 1; } .bar .value { grid-column: 3; } }
.value { font-variant-numeric: tabular-nums; }
.missed { color: var(--bad); font-weight: 600; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .35rem .6rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top;
  white-space: nowrap; }
td.number, th.number { text-align: right; }
td.counters { white-space: normal; min-width: 16rem; font-size: .85rem; color: var(--soft); }
"""


def number(value):
    if value is None:
        return ""
    if value == 0:
        return "0"
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.3g}" if abs(value) < 100 else f"{value:,.1f}"


def spread(row, side):
    values = row.get("spread") or {}
    low, high = values.get(side + "_p10"), values.get(side + "_p90")
    return None if low is None or high is None else (low, high)


def bar_text(row):
    bar = row.get("bar")
    parts = []
    if bar:
        sign, value = ("at least", bar["least"]) if "least" in bar else ("at most", bar["most"])
        parts.append(f"{bar['of']} {sign} {number(value)}")
    parts += [f"{name.replace('_', ' ')} at most {number(value)}" for name, value in (row.get("limits") or {}).items()]
    return ", ".join(parts)


def svg(value, top, whisker, limit, missed, title):
    """One bar from 0 to `top`, in percent so that it fits any width; a line at 1, a dashed one at the limit."""
    def at(x):
        return f"{100 * min(max(x / top, 0), 1):.2f}%"

    color = "var(--bad)" if missed else "var(--ours)"
    parts = [f'<rect x="0" y="3" width="100%" height="16" fill="var(--track)"/>',
             f'<rect x="0" y="3" width="{at(value)}" height="16" fill="{color}"/>']
    if whisker:
        low, high = whisker
        parts.append(f'<line x1="{at(low)}" x2="{at(high)}" y1="11" y2="11" stroke="var(--mark)" stroke-width="1.5"/>')
        parts += [f'<line x1="{at(x)}" x2="{at(x)}" y1="7" y2="15" stroke="var(--mark)" stroke-width="1.5"/>' for x in whisker]
    if limit is not None and limit != 1:
        parts.append(f'<line x1="{at(limit)}" x2="{at(limit)}" y1="0" y2="22" stroke="var(--mark)" stroke-dasharray="3 3"/>')
    parts.append(f'<line x1="{at(1)}" x2="{at(1)}" y1="0" y2="22" stroke="var(--mark)" stroke-width="2"/>')
    return f'<svg role="img" aria-label="{html.escape(title)}"><title>{html.escape(title)}</title>{"".join(parts)}</svg>'


def bars(items):
    """Items are (row, value, whisker, limit, text)."""
    top = max([1.25] + [1.08 * max([value] + list(whisker or [])) for _, value, whisker, _, _ in items])
    lines = []
    for row, value, whisker, limit, text in items:
        missed = row.get("met") is False
        note = ' <span class="missed">missed</span>' if missed else ""
        lines.append(f'<div class="bar"><span>{html.escape(row["case"])}</span>'
                     f'{svg(value, top, whisker, limit, missed, row["case"] + ": " + text)}'
                     f'<span class="value">{html.escape(text)}{note}</span></div>')
    return '<div class="bars">' + "\n".join(lines) + "</div>"


def plots(rows):
    against_peer, against_bar = [], []
    for row in rows:
        bar = row.get("bar") or {}
        if row.get("ratio") is not None:
            limit = bar.get("least") if bar.get("of") == "ratio" else None
            against_peer.append((row, row["ratio"], spread(row, "ratio"), limit, f"{row['ratio']:.2f} × {row['peer']}"))
        elif bar.get("of") == "ours" and bar.get("most", 0) > 0 and row.get("ours") is not None:
            most = bar["most"]
            whisker = spread(row, "ours")
            against_bar.append((row, row["ours"] / most, tuple(x / most for x in whisker) if whisker else None, None,
                                f"{number(row['ours'])} of {number(most)} {row['unit']}"))
    parts = []
    if against_peer:
        parts.append("<h2>Against the peer</h2><p>Peer's time divided by ours: right of the line at 1 we are faster. "
                     "Thin lines: 10th to 90th percentile of the pairs. Dashed: the bar, where it is not 1.</p>"
                     + bars(against_peer))
    if against_bar:
        parts.append("<h2>Against the bar</h2><p>Ours as a part of what is allowed: left of the line at 1 it is met.</p>"
                     + bars(against_bar))
    return "\n".join(parts)


def table(rows):
    heads = [("case", ""), ("ours", "number"), ("unit", ""), ("10 % to 90 %", "number"), ("peer", ""), ("its value", "number"),
             ("ratio", "number"), ("instructions", "number"), ("bar", ""), ("", ""), ("on", ""), ("counters", "")]
    lines = ["<tr>" + "".join(f'<th class="{kind}">{name}</th>' for name, kind in heads) + "</tr>"]
    for row in rows:
        whisker = spread(row, "ours")
        counted = row.get("instructions") or {}
        instructions = number(counted.get("ours"))
        if counted.get("peer") is not None:
            instructions += f" / {number(counted['peer'])}"
        met = row.get("met")
        place = ", ".join(dict.fromkeys(x for x in (row.get("implementation"), row.get("adapter")) if x and x != "none"))
        cells = [(html.escape(row["case"]), ""), (number(row.get("ours")), "number"), (html.escape(row["unit"]), ""),
                 (f"{number(whisker[0])} to {number(whisker[1])}" if whisker else "", "number"),
                 (html.escape(row.get("peer") or ""), ""), (number(row.get("peer_value")), "number"),
                 ("" if row.get("ratio") is None else f"{row['ratio']:.2f}", "number"), (instructions, "number"),
                 (html.escape(bar_text(row)), "counters"),
                 ("" if met is None else "met" if met else '<span class="missed">missed</span>', ""),
                 (html.escape(row.get("absent") or place or "CPU"), ""),
                 (", ".join(f"{html.escape(name.replace('_', ' '))} {number(value)}"
                            for name, value in (row.get("counters") or {}).items()), "counters")]
        lines.append("<tr>" + "".join(f'<td class="{kind}">{text}</td>' for text, kind in cells) + "</tr>")
    return '<div class="wide"><table>' + "\n".join(lines) + "</table></div>"


def main():
    source = Path(sys.argv[1] if len(sys.argv) > 1 else "out/bench.json")
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else source.with_suffix(".html")
    try:
        rows = json.loads(source.read_text())
    except (OSError, ValueError) as error:
        sys.exit(f"bench_html.py: {source} cannot be read ({error}): run make bench first")
    version = next((row["gpool"] for row in rows if row.get("gpool")), "")
    missed = [row["case"] for row in rows if row.get("met") is False]
    barred = sum(row.get("met") is not None for row in rows)
    summary = f"{barred - len(missed)} of {barred} bars met" + (": missed " + ", ".join(missed) if missed else "")
    pairs = max([row.get("pairs") or 0 for row in rows] + [0])
    target.write_text(
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>gpool bench</title><style>{STYLE}</style></head><body>\n"
        f"<h1>gpool {html.escape(version)} bench</h1>\n"
        f"<p>{html.escape(summary)}. Times are medians of {pairs} alternating pairs, on the thread's CPU clock, "
        "of uploads until the GPU is idle; the other values are counters, which repeat exactly.</p>\n"
        f"{plots(rows)}\n<h2>All values</h2>\n{table(rows)}\n</body></html>\n")
    print(f"{target}: {summary}")


if __name__ == "__main__":
    main()
