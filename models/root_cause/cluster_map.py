"""The map of the kinds of messages in normal time, as SVG: similar templates lie together, and each cluster has a colour and a name."""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from models.root_cause.clusters import NOISE
from models.root_cause.window import Array
from models.svg import Svg, clipped

WIDTH, HEIGHT, TOP, MARGIN = 1080.0, 640.0, 84.0, 36.0
PLOT = 680.0
INK, SOFT, GREY = "#1c2733", "#66727f", "#cfd6dd"
COLOURS = ("#1f6fb2", "#d0652b", "#2f8f5b", "#8a5aa6", "#b8901f", "#2f9fb0", "#b5476d", "#5b6b2f", "#6a7fd1", "#7d4a2d")


class ClusterMapRequest(BaseModel):
    """Which map."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"named": 10}]})

    named: int = Field(default=10, ge=1, le=10, description="How many clusters have a colour and a name, the largest first.")


def draw_cluster_map(vectors: Array, labels: Array, names: dict[int, str], lines: Array, named: int) -> str:
    """Draw templates as discs whose area grows with the logarithm of how often they are written.

    Parameters
    ----------
    vectors
        Of the templates, shape (template, dimension).
    labels
        Cluster of each; noise = -1.
    names
        Of the clusters.
    lines
        How often each template was written.
    """
    found, counts = np.unique(labels[labels != NOISE], return_counts=True)
    largest = found[np.argsort(-counts, kind="stable")][:named].tolist()
    colour = {label: COLOURS[place] for place, label in enumerate(largest)}
    svg = Svg(WIDTH, HEIGHT, f"{len(vectors)} templates in {len(found)} clusters")
    svg.text(24, 34, "Kinds of messages in normal time", size=20, weight=650, fill=INK)
    told = f"{len(vectors):,} templates, {len(found):,} clusters, {int((labels == NOISE).sum()):,} in none; similar ones lie together"
    svg.text(24, 56, told, size=12.5, fill=SOFT)
    svg.rectangle(12, TOP - 8, PLOT + MARGIN, HEIGHT - TOP - 8, fill="#f7f9fa", radius=8)
    x, y = _places(vectors).T
    radius = 5 + 1.5 * np.log10(np.maximum(lines, 1))
    order = sorted(range(len(vectors)), key=lambda template: (int(labels[template]) in colour, -radius[template]))
    for template in order:
        svg.circle(x[template], y[template], float(radius[template]), fill=colour.get(int(labels[template]), GREY), opacity=0.85)
    for place, label in enumerate(largest):
        _entry(svg, place, colour[label], names[label], int((labels == label).sum()))
    others = len(vectors) - int(np.isin(labels, largest).sum())
    if others:
        _entry(svg, len(largest), GREY, "all others", others)
    return svg.document()


def _entry(svg: Svg, place: int, colour: str, name: str, templates: int) -> None:
    y = TOP + 14 + 34 * place
    svg.circle(MARGIN + PLOT + 34, y - 4, 6, fill=colour)
    svg.text(MARGIN + PLOT + 48, y, clipped(name, 42), size=12.5, weight=600, fill=INK)
    svg.text(MARGIN + PLOT + 48, y + 14, f"{templates} template{'s' if templates != 1 else ''}", size=11, fill=SOFT)


def _places(vectors: Array) -> Array:
    """Pixels: the two directions in which the templates differ most, each stretched to the plot."""
    centred = vectors.astype(np.float64) - vectors.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    directions = directions[:2] * np.where(np.abs(directions[:2]).max(axis=1) == directions[:2].max(axis=1), 1, -1)[:, None]
    points = centred @ directions.T
    points = np.pad(points, ((0, 0), (0, 2 - points.shape[1])))
    low, span = points.min(axis=0), np.ptp(points, axis=0)
    share = np.divide(points - low, span, out=np.full_like(points, 0.5), where=span > 1e-9)
    return np.asarray([MARGIN, TOP + 16] + share * [PLOT - MARGIN, HEIGHT - TOP - 16 - MARGIN])
