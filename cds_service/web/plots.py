"""Plots as SVG in a page, in the page's own colours, light or dark."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

# Drawn in these, and named as the style sheet's colours afterwards.
_INK, _LINE, _ACCENT, _WARN, _QUIET = "#010101", "#020202", "#030303", "#040404", "#050505"
_VARIABLES: Mapping[str, str] = {_INK: "var(--ink)", _LINE: "var(--line)", _ACCENT: "var(--accent)", _WARN: "var(--warn)", _QUIET: "var(--quiet)"}


def share_by_week(weeks: Sequence[tuple[dt.date, float | None]], changes: Mapping[dt.date, str], label: str) -> Markup:
    """The share of calls with a card, week by week, as SVG; a gap where the share is not shown, a line where the knowledge changed."""
    figure, axes = _axes(9.0, 2.6)
    days = [day for day, _ in weeks]
    shares = [float("nan") if share is None else 100 * share for _, share in weeks]
    axes.plot(days, shares, color=_ACCENT, linewidth=1.5, marker="o", markersize=3)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("% of calls", color=_QUIET)
    for day, version in changes.items():
        axes.axvline(day, color=_WARN, linestyle="--", linewidth=1)
        axes.annotate(version, (day, 1), xycoords=("data", "axes fraction"), xytext=(3, -9), textcoords="offset points", color=_WARN, fontsize=8)
    return _svg(figure, label)


def _axes(width: float, height: float) -> tuple[Any, Any]:
    """A figure of so many inches, with quiet axes. The library is loaded with the first one: calls need it not."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "cds", "font.family": "sans-serif"})
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_LINE)
    axes.tick_params(colors=_LINE, labelcolor=_QUIET, labelsize=8)
    axes.grid(visible=True, axis="y", color=_LINE, linewidth=0.5)
    return figure, axes


def _svg(figure: Any, label: str) -> Markup:
    text = io.StringIO()
    figure.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    drawn = text.getvalue()
    drawn = drawn[drawn.index("<svg") :].replace("<svg ", f'<svg role="img" aria-label="{escape(label)}" class="plot" ', 1)
    for colour, variable in _VARIABLES.items():
        drawn = drawn.replace(colour, variable)
    return Markup(drawn)  # noqa: S704 - drawn here from numbers and our own words
