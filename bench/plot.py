"""A plot without a plotting library: the shares of jobs answered within a time, as SVG."""

from __future__ import annotations

import math
from html import escape

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 760, 360, 60, 50, 20
COLOURS = ("#2563eb", "#d97706", "#be123c", "#047857")


def latency_plot(series: dict[str, list[float]]) -> str:
    """One step line a series, seconds on a logarithmic scale; the values must be sorted."""
    values = [value for row in series.values() for value in row if value > 0]
    low = math.floor(math.log10(min(values))) if values else -1
    high = math.ceil(math.log10(max(values))) if values else 1
    high = max(high, low + 1)

    def x(seconds: float) -> float:
        share = (math.log10(max(seconds, 10**low)) - low) / (high - low)
        return LEFT + share * (WIDTH - LEFT - 20)

    def y(share: float) -> float:
        return HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
    ]
    for power in range(low, high + 1):
        place = x(10**power)
        parts.append(f'<path d="M{place:.1f} {y(0):.1f}V{y(1):.1f}" stroke="#e5e7eb"/>')
        parts.append(f'<text x="{place:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{10.0**power:g} s</text>')
    for share in (0.0, 0.5, 0.95, 1.0):
        parts.append(f'<path d="M{LEFT} {y(share):.1f}H{WIDTH - 20}" stroke="#e5e7eb"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(share) + 4:.1f}" text-anchor="end">{share:.0%}</text>')
    for number, (name, row) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        points = "".join(f"L{x(value):.1f} {y((at + 1) / len(row)):.1f}" for at, value in enumerate(row))
        if row:
            parts.append(
                f'<path d="M{x(row[0]):.1f} {y(0):.1f}{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
            )
        parts.append(f'<text x="{LEFT + 12}" y="{TOP + 16 + 16 * number}" fill="{colour}">{escape(name)}</text>')
    parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 12}" text-anchor="middle">answered within</text></svg>')
    return "\n".join(parts)
