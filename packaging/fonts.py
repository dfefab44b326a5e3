"""Make the TrueType fonts that documents embed from the OpenType ones the window uses.

A PDF reader takes TrueType outlines without ado, and the library that writes our documents writes only such
fonts correctly. Run `python packaging/fonts.py` after the .otf files in resources/fonts have changed.
"""

from __future__ import annotations

from pathlib import Path

from fontTools import subset
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont, newTable

FONTS = Path(__file__).resolve().parent.parent / "resources" / "fonts"
WEIGHTS = ("Regular", "SemiBold")
CLOSE = 0.5  # how far, in units of 2816 to the em, a curve may be from the one it stands for
KEPT = [(0x20, 0x24F), (0x2B0, 0x36F), (0x370, 0x52F), (0x1E00, 0x1EFF), (0x2000, 0x22FF), (0x25A0, 0x25FF)]


def main() -> None:
    """Convert both weights."""
    for weight in WEIGHTS:
        font = TTFont(FONTS / f"Inter-{weight}.otf")
        options = subset.Options(layout_features=[], notdef_outline=True, hinting=False, name_IDs=["*"])
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=[code for low, high in KEPT for code in range(low, high + 1)])
        subsetter.subset(font)
        _quadratic(font)
        font.save(FONTS / "documents" / f"Inter-{weight}.ttf")


def _quadratic(font: TTFont) -> None:
    """Replace cubic outlines by quadratic ones."""
    glyphs = font.getGlyphSet()
    drawn = {}
    for name in font.getGlyphOrder():
        pen = TTGlyphPen(glyphs)
        glyphs[name].draw(Cu2QuPen(pen, CLOSE, reverse_direction=True))
        drawn[name] = pen.glyph()
    font["loca"] = newTable("loca")
    font["glyf"] = glyf = newTable("glyf")
    glyf.glyphOrder, glyf.glyphs = font.getGlyphOrder(), drawn
    del font["CFF "]
    maxp = font["maxp"]
    maxp.tableVersion = 0x00010000
    for field in ("maxZones", "maxTwilightPoints", "maxStorage", "maxFunctionDefs", "maxInstructionDefs",
                  "maxStackElements", "maxSizeOfInstructions", "maxComponentElements"):  # fmt: skip
        setattr(maxp, field, 0)
    maxp.maxZones = 1
    font["post"].formatType = 3.0
    font.sfntVersion = "\000\001\000\000"


if __name__ == "__main__":
    main()
