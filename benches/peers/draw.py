"""Draws maps with matplotlib and cairosvg, and says how long each took.

Usage: draw.py MAPS ROUNDS

MAPS is a directory that eyemap wrote with --format json,svg-static; its maps with data are drawn.
Importing, reading the maps and the first drawing, which fills caches of fonts, are not timed. Each way
draws each map once a round, in turn; of a map the median of its rounds counts. Prints JSON: for each
way the mean seconds and bytes of a map.
"""

import io
import json
import pathlib
import statistics
import sys
import time

import cairosvg
import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch, RegularPolygon

REDS = ["#feede4", "#fcbba1", "#fc9272", "#ef3b2c", "#a50f15"]
NO_DATA = "#ffffff"
EDGE = "#bbbbbb"
RADIUS_PX = 6.0
DPI = 100
ANGLES = np.arange(6) * np.pi / 3
HEXAGON = RADIUS_PX * np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)


def read(path):
    """A map as plain arrays, and the static SVG of eyemap beside it; None of a map without data."""
    document = json.loads(path.read_text())
    hexagons = document["hexagons"]
    if document["legend"] is None:
        return None
    return {
        "title": f"{document['title']}\n{document['cell_type']} {document['region']}",
        "size": (document["width"], document["height"]),
        "places": np.array([(h["x"], h["y"]) for h in hexagons]),
        "values": np.array([h["value"] for h in hexagons], dtype=float),
        "ticks": np.array(document["legend"]["ticks"]),
        "svg": path.with_suffix(".static.svg").read_bytes(),
    }


def colors(drawn):
    """The colour of each hexagon: five bins, white without a value."""
    bins = np.clip(np.digitize(drawn["values"], drawn["ticks"][1:-1]), 0, len(REDS) - 1)
    fills = np.array(REDS, dtype=object)[bins]
    fills[np.isnan(drawn["values"])] = NO_DATA
    return fills


def figure(drawn, patches):
    """The map as a figure with a title and a legend; a patch a hexagon, or one collection of all."""
    width, height = drawn["size"]
    drawing = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
    axes = drawing.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0), aspect="equal")
    axes.set_axis_off()
    fills = colors(drawn)
    if patches:
        for place, fill in zip(drawn["places"], fills):
            hexagon = RegularPolygon(place, 6, radius=RADIUS_PX, orientation=np.pi / 2)
            hexagon.set(facecolor=fill, edgecolor=EDGE, linewidth=0.5)
            axes.add_patch(hexagon)
    else:
        corners = drawn["places"][:, None, :] + HEXAGON
        axes.add_collection(
            PolyCollection(corners, facecolors=fills, edgecolors=EDGE, linewidths=0.5)
        )
    axes.text(6, 6, drawn["title"], va="top", fontsize=8)
    keys = [Patch(color=red, label=f"{low:g}") for red, low in zip(REDS, drawn["ticks"])]
    axes.legend(handles=keys, loc="lower left", fontsize=6, frameon=False)
    return drawing


def with_matplotlib(canvas, kind, patches):
    def draw(drawn):
        out = io.BytesIO()
        getattr(canvas(figure(drawn, patches)), f"print_{kind}")(out)
        return out.getvalue()

    return draw


WAYS = {
    "matplotlib SVG, a patch a hexagon": with_matplotlib(FigureCanvasSVG, "svg", True),
    "matplotlib SVG, one collection": with_matplotlib(FigureCanvasSVG, "svg", False),
    "matplotlib PNG, a patch a hexagon": with_matplotlib(FigureCanvasAgg, "png", True),
    "matplotlib PNG, one collection": with_matplotlib(FigureCanvasAgg, "png", False),
    "cairosvg, static SVG of eyemap to PNG": lambda drawn: cairosvg.svg2png(drawn["svg"]),
}


def main(maps, rounds):
    matplotlib.rcParams["svg.fonttype"] = "none"
    paths = sorted(pathlib.Path(maps).glob("**/*.json"))
    drawn = [read(path) for path in paths if path.name != "manifest.json"]
    drawn = [each for each in drawn if each]
    for way in WAYS.values():
        way(drawn[0])
    times = {name: [[] for _ in drawn] for name in WAYS}
    sizes = {name: [] for name in WAYS}
    for _ in range(rounds):
        for index, each in enumerate(drawn):
            for name, way in WAYS.items():
                start = time.perf_counter()
                picture = way(each)
                times[name][index].append(time.perf_counter() - start)
                sizes[name].append(len(picture))
    ways = {
        name: {
            "seconds": statistics.mean(statistics.median(rounds) for rounds in times[name]),
            "bytes": statistics.mean(sizes[name]),
        }
        for name in WAYS
    }
    print(json.dumps({"maps": len(drawn), "ways": ways}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
