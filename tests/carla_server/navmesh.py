"""Where people may walk, as Recast's Detour stores it: one tile with one polygon, a straight pavement."""

from __future__ import annotations

import struct

# DetourNavMesh.h: magic words and versions of the set and of a tile
_SET = (0x4D534554, 1)
_TILE = (0x444E4156, 7)
_SIDEWALK_AREA, _SIDEWALK_FLAG = 1, 2
_LINKS = 8
_EDGES = (0b000101, 0b010100)
"""Of the two triangles: two bits for each side, 1 where it is the polygon's own."""
_MOST_POLYGONS, _POLYGON_BITS = 16, 4
_HEIGHT_M, _RADIUS_M, _CLIMB_M = 2.0, 0.3, 0.5


def pavement(x0: float, x1: float, y0: float, y1: float) -> bytes:
    """A navigation mesh of the rectangle between those corners, metres, at height 0. Detour's axes are x, up, y."""
    corners = [(x0, 0.0, y0), (x0, 0.0, y1), (x1, 0.0, y1), (x1, 0.0, y0)]
    low, high = (x0, -1.0, y0), (x1, 1.0, y1)
    header = struct.pack("<2i3iI9i", *_TILE, 0, 0, 0, 0, 1, len(corners), _LINKS, 1, 0, 2, 0, 0, 1)
    header += struct.pack("<10f", _HEIGHT_M, _RADIUS_M, _CLIMB_M, *low, *high, 1.0)
    vertices = b"".join(struct.pack("<3f", *corner) for corner in corners)
    polygon = struct.pack("<I6H6HHBB", 0xFFFFFFFF, 0, 1, 2, 3, 0, 0, *[0] * 6, _SIDEWALK_FLAG, 4, _SIDEWALK_AREA)
    links = bytes(12 * _LINKS)
    detail = struct.pack("<IIBB2x", 0, 0, 0, 2) + bytes((0, 1, 2, _EDGES[0], 0, 2, 3, _EDGES[1]))
    tile = header + vertices + polygon + links + detail
    size = max(x1 - x0, y1 - y0) + 1
    params = struct.pack("<3f2f2i", *low, size, size, 1, _MOST_POLYGONS)
    reference = 1 << _POLYGON_BITS  # salt 1, tile 0, polygon 0
    return struct.pack("<3i", *_SET, 1) + params + struct.pack("<Ii", reference, len(tile)) + tile
