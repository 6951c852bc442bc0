"""Small plots as SVG, written by hand: columns with their numbers, one panel for each question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT, GAP = 300, 190, 24
TOP, BOTTOM = 58, 34
COLOURS = ("#1f5f8b", "#c9742b")


@dataclass(frozen=True)
class Panel:
    """One question: ``names`` of the series, and for each label on the axis one value of each series."""

    title: str
    unit: str
    names: tuple[str, ...]
    points: tuple[tuple[str, tuple[float, ...]], ...]


def svg(panels: Sequence[Panel], *, across: int = 3) -> str:
    """Return a picture of all ``panels``, readable on light and dark ground."""
    rows = -(-len(panels) // across)
    width, height = across * (WIDTH + GAP) + GAP, rows * (HEIGHT + GAP) + GAP
    drawn = [
        f'<g transform="translate({GAP + at % across * (WIDTH + GAP)},{GAP + at // across * (HEIGHT + GAP)})">'
        f"{_panel(panel)}</g>"
        for at, panel in enumerate(panels)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="system-ui, sans-serif" font-size="12"><rect width="{width}" height="{height}" fill="#fff"/>'
        + "".join(drawn)
        + "</svg>\n"
    )


def _panel(panel: Panel) -> str:
    highest = max(value for _, values in panel.points for value in values) or 1.0
    room, step = HEIGHT - TOP - BOTTOM, WIDTH / len(panel.points)
    column = min(36.0, step * 0.8 / len(panel.names))
    parts = [
        f'<text y="12" font-weight="600" fill="#1c2733">{escape(panel.title)}</text>'
        f'<text y="28" fill="#52606d">{escape(panel.unit)}</text>'
    ]
    for number, name in enumerate(panel.names if len(panel.names) > 1 else ()):
        left = number * WIDTH / len(panel.names)
        parts.append(
            f'<rect x="{left:.0f}" y="35" width="9" height="9" fill="{COLOURS[number]}"/>'
            f'<text x="{left + 13:.0f}" y="44" fill="#52606d">{escape(name)}</text>'
        )
    for at, (label, values) in enumerate(panel.points):
        middle = (at + 0.5) * step
        for number, value in enumerate(values):
            tall, left = room * value / highest, middle + (number - len(values) / 2) * column
            parts.append(
                f'<rect x="{left:.1f}" y="{TOP + room - tall:.1f}" width="{column - 2:.1f}" height="{tall:.1f}" '
                f'fill="{COLOURS[number]}"/>'
                f'<text x="{left + column / 2 - 1:.1f}" y="{TOP + room - tall - 3:.1f}" font-size="10" '
                f'text-anchor="middle" fill="#1c2733">{_short(value)}</text>'
            )
        parts.append(
            f'<text x="{middle:.1f}" y="{TOP + room + 15:.1f}" text-anchor="middle" fill="#52606d">{escape(label)}</text>'
        )
    parts.append(f'<path d="M0 {TOP + room}H{WIDTH}" stroke="#9aa5b1"/>')
    return "".join(parts)


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 20 else f"{value:.1f}"
