"""The HTML page of an evaluation: one self-contained file, its plots drawn as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

_CELL = 11
_MARGIN = 170
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #1c2733 }
table { border-collapse: collapse; margin: 1rem 0 } td, th { padding: .2rem .8rem; text-align: left }
tr:nth-child(even) { background: #f2f5f8 } .missed { color: #a4161a; font-weight: 600 } svg text { font: 9px system-ui }
"""

Confusion = tuple[str, str, int]
TopicRow = tuple[str, int, float, float, float]
Bin = tuple[float, float, int]


def write_report(
    path: Path,
    found: Mapping[str, float],
    bars: Mapping[str, float],
    confusions: Sequence[Confusion],
    topics: Sequence[TopicRow],
    bins: Sequence[Bin],
) -> Path:
    """Write the page to ``path`` and return it.

    Takes the measures and the bars they have to reach, the wrong answers (asked, got, how often), the table by topic
    (topic, messages, first, offered, first with typos) and the calibration bins (confidence, share right, count).
    """
    body = [
        "<h1>How well messages are understood</h1>",
        "<p>Measured on messages that were not trained on, and on copies of them with typing slips.</p>",
        _table(("measure", "value", "bar"), [_measure(name, value, bars.get(name)) for name, value in found.items()]),
        "<h2>Wrong first answers</h2><p>Row: asked. Column: got. Darker is more often; typing slips included.</p>",
        _confusion_plot(confusions),
        "<h2>Calibration</h2><p>How often the likeliest topic is right, by how sure the classifier says it is.</p>",
        _calibration_plot(bins),
        "<h2>By topic</h2>",
        _table(
            ("topic", "messages", "first", "offered", "first with typos"),
            [(escape(t), str(n), f"{first:.0%}", f"{off:.0%}", f"{typo:.0%}") for t, n, first, off, typo in topics],
        ),
    ]
    page = f"<!doctype html><html lang=en><meta charset=utf-8><title>Understanding</title><style>{_STYLE}</style>"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page + "\n".join(body) + "</html>\n", encoding="utf-8")
    return path


def _measure(name: str, value: float, bar: float | None) -> tuple[str, str, str]:
    shown = f"{value:.1%}"
    if bar is not None and value < bar:
        shown = f'<span class="missed">{shown}, missed</span>'
    return escape(name), shown, "" if bar is None else f"{bar:.0%}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows]
    return "<table><tr>" + "".join(f"<th>{head}</th>" for head in heads) + "</tr>" + "".join(lines) + "</table>"


def _confusion_plot(confusions: Sequence[Confusion]) -> str:
    """Only the rows and columns that have an error: a hundred empty ones would hide the rest."""
    rows = sorted({asked for asked, _, _ in confusions})
    columns = sorted({got for _, got, _ in confusions})
    most = max((count for _, _, count in confusions), default=1)
    shapes = []
    for number, name in enumerate(rows):
        y = _MARGIN + number * _CELL
        shapes.append(f'<text x="{_MARGIN - 4}" y="{y + 8}" text-anchor="end">{escape(name)}</text>')
    for number, name in enumerate(columns):
        x = _MARGIN + number * _CELL + 8
        shapes.append(f'<text transform="translate({x} {_MARGIN - 4}) rotate(-90)">{escape(name)}</text>')
    for asked, got, count in confusions:
        x, y = _MARGIN + columns.index(got) * _CELL, _MARGIN + rows.index(asked) * _CELL
        tip = f"<title>{escape(asked)} answered as {escape(got)}: {count}</title>"
        shade = f'fill="#a4161a" fill-opacity="{0.2 + 0.8 * count / most:.2f}"'
        shapes.append(f'<rect x="{x}" y="{y}" width="{_CELL - 1}" height="{_CELL - 1}" {shade}>{tip}</rect>')
    width, height = _MARGIN + len(columns) * _CELL + 4, _MARGIN + len(rows) * _CELL + 4
    return f'<svg width="{width}" height="{height}" role="img" aria-label="Confusions">{"".join(shapes)}</svg>'


def _calibration_plot(bins: Sequence[Bin]) -> str:
    size, left, top = 240, 40, 8
    shapes = [
        f'<rect x="{left}" y="{top}" width="{size}" height="{size}" fill="none" stroke="#b8c4d0"/>',
        f'<line x1="{left}" y1="{top + size}" x2="{left + size}" y2="{top}" stroke="#b8c4d0"/>',
        f'<text x="{left}" y="{top + size + 16}">sure: 0% to 100%</text>',
        f'<text transform="translate({left - 8} {top + size}) rotate(-90)">right: 0% to 100%</text>',
    ]
    for confidence, right, count in bins:
        x, y = left + confidence * size, top + (1 - right) * size
        tip = f"<title>{confidence:.0%} sure, {right:.0%} right, {count} messages</title>"
        shapes.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{2 + count**0.5 / 3:.1f}" fill="#1d5b8f">{tip}</circle>')
    return f'<svg width="320" height="270" role="img" aria-label="Calibration">{"".join(shapes)}</svg>'
