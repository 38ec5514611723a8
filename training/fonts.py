"""Free fonts from Debian packages, which characters each can draw, and which are kept away from training.

`FONTS` names files below /usr/share/fonts; what is not installed is left out. Licences are those of the Debian packages
(SIL OFL, Apache-2.0, Arphic Public Licence, Bitstream Vera, GPL with font exception, public domain).
"""

from __future__ import annotations

import dataclasses
import functools
import json
import pathlib

from PIL import ImageFont

ROOT = pathlib.Path("/usr/share/fonts")
HOME = pathlib.Path.home()
OTHER_FOLDERS = (
    ROOT, pathlib.Path("/usr/local/share/fonts"), HOME / ".fonts", HOME / ".local/share/fonts",
    pathlib.Path("/Library/Fonts"), pathlib.Path("/System/Library/Fonts"),
)  # fmt: skip
OTHER_FILES = 300
LATIN_SAMPLE = frozenset("ABCXYZabcxyz0123456789.,:-/()%")
CHINESE_SAMPLE = frozenset("的一是在有人发票收据")
CACHE = pathlib.Path(__file__).parent / "work" / "cmaps.json"


@dataclasses.dataclass(frozen=True)
class Face:
    """One face of a font file. `style` is what it looks like; `held_out` faces only ever draw validation lines."""

    path: str
    style: str
    index: int = 0
    held_out: bool = False

    @property
    def chinese(self) -> bool:
        """Whether the face is meant for Chinese text."""
        return self.style.startswith("zh")


# style, face index, files. The sets named *-held are validated on and never trained on.
FONTS: tuple[tuple[str, int, str], ...] = (
    ("zh-hei", 2, "opentype/noto/NotoSansCJK-{Light,DemiLight,Regular,Medium,Bold,Black}.ttc"),
    ("zh-hei-tw", 3, "opentype/noto/NotoSansCJK-{Regular,Bold,Black}.ttc"),
    ("zh-song", 2, "opentype/noto/NotoSerifCJK-{Light,Regular,Medium,SemiBold,Bold,Black}.ttc"),
    ("zh-song-tw", 3, "opentype/noto/NotoSerifCJK-{Regular,Bold}.ttc"),
    ("zh-song", 0, "truetype/arphic-gbsn00lp/gbsn00lp.ttf"),
    ("zh-song", 0, "truetype/arphic/uming.ttc"),
    ("zh-song-tw", 0, "truetype/cns11643/TW-Sung-98_1.ttf"),
    ("zh-kai", 0, "truetype/arphic-gkai00mp/gkai00mp.ttf"),
    ("zh-kai", 0, "truetype/arphic/ukai.ttc"),
    ("zh-kai-tw", 0, "truetype/arphic-bkai00mp/bkai00mp.ttf"),
    ("zh-kai-tw", 0, "truetype/cns11643/TW-Kai-98_1.ttf"),
    ("zh-kai", 0, "truetype/lxgw-wenkai/LXGWWenKai-{Light,Regular,Bold}.ttf"),
    ("zh-hei", 0, "truetype/wqy/wqy-zenhei.ttc"),
    ("zh-fang-tw", 0, "truetype/cwtex/cwfs.ttf"),
    ("zh-hei-tw", 0, "truetype/cwtex/cwheib.ttf"),
    ("zh-round-tw", 0, "truetype/cwtex/cwyen.ttf"),
    ("zh-hand", 0, "truetype/klee/KleeOne-{Regular,SemiBold}.ttf"),
    ("zh-hand", 0, "truetype/seto/setofont.ttf"),
    ("zh-pixel", 0, "opentype/unifont/unifont.otf"),
    ("zh-held", 0, "truetype/wqy/wqy-microhei.ttc"),
    ("zh-held", 0, "truetype/arphic-bsmi00lp/bsmi00lp.ttf"),
    ("zh-held", 0, "truetype/cwtex/cwkai.ttf"),
    ("zh-held-hard", 0, "truetype/yusei-magic/YuseiMagic-Regular.ttf"),
    ("sans", 0, "truetype/liberation/LiberationSans-{Regular,Bold,Italic,BoldItalic}.ttf"),
    ("narrow", 0, "truetype/liberation/LiberationSansNarrow-{Regular,Bold}.ttf"),
    ("sans", 0, "truetype/dejavu/DejaVuSans{,-Bold,Condensed,Condensed-Bold}.ttf"),
    ("sans", 0, "truetype/open-sans/OpenSans-{Light,Regular,Semibold,Bold,ExtraBold}.ttf"),
    ("narrow", 0, "truetype/open-sans/OpenSans-Cond{Light,Bold}.ttf"),
    ("sans", 0, "truetype/lato/Lato-{Light,Regular,Medium,Bold,Black,Italic}.ttf"),
    ("sans", 0, "truetype/roboto/unhinted/RobotoTTF/Roboto-{Light,Regular,Medium,Bold,Black,Italic}.ttf"),
    ("narrow", 0, "truetype/roboto/unhinted/RobotoCondensed-{Light,Regular,Bold}.ttf"),
    ("sans", 0, "opentype/inter/Inter-{Regular,Medium,Bold,Black}.otf"),
    ("sans", 0, "opentype/urw-base35/NimbusSans-{Regular,Bold,Italic}.otf"),
    ("narrow", 0, "opentype/urw-base35/NimbusSansNarrow-{Regular,Bold}.otf"),
    ("geometric", 0, "opentype/urw-base35/URWGothic-{Book,Demi}.otf"),
    ("serif", 0, "truetype/liberation/LiberationSerif-{Regular,Bold,Italic,BoldItalic}.ttf"),
    ("serif", 0, "opentype/urw-base35/NimbusRoman-{Regular,Bold,Italic}.otf"),
    ("serif", 0, "opentype/urw-base35/P052-{Roman,Bold,Italic}.otf"),
    ("serif", 0, "opentype/urw-base35/URWBookman-{Light,Demi}.otf"),
    ("serif", 0, "truetype/charis/CharisSIL-{Regular,Bold,Italic}.ttf"),
    ("serif", 0, "truetype/gentiumplus/GentiumPlus-{Regular,Italic}.ttf"),
    ("serif", 0, "truetype/dejavu/DejaVuSerif{,-Bold,Condensed}.ttf"),
    ("mono", 0, "truetype/liberation/LiberationMono-{Regular,Bold}.ttf"),
    ("mono", 0, "opentype/urw-base35/NimbusMonoPS-{Regular,Bold}.otf"),
    ("mono", 0, "truetype/hack/Hack-{Regular,Bold}.ttf"),
    ("mono", 0, "truetype/dejavu/DejaVuSansMono{,-Bold}.ttf"),
    ("mono", 0, "truetype/inconsolata/Inconsolata.otf"),
    ("mono", 0, "opentype/ocr-b/OCRB.otf"),
    ("mono", 0, "truetype/ocr-a/OCRA{,Condensed}.ttf"),
    ("mono", 0, "truetype/glasstty/Glass_TTY_VT220.ttf"),
    ("mono", 0, "opentype/courier-prime/Courier Prime{, Bold}.otf"),
    ("display", 0, "opentype/kaushanscript/KaushanScript-Regular.otf"),
    ("display", 0, "opentype/lobster/lobster.otf"),
    ("display", 0, "opentype/dancingscript/DancingScript-Bold.otf"),
    ("display", 0, "truetype/ubuntu-title/Ubuntu-Title.ttf"),
    ("display", 0, "opentype/urw-base35/Z003-MediumItalic.otf"),
    ("hand", 0, "opentype/comic-neue/ComicNeue-{Regular,Bold}.otf"),
    ("hand", 0, "truetype/humor-sans/Humor-Sans.ttf"),
    ("hand", 0, "truetype/breip/Breip.ttf"),
    ("hand", 0, "truetype/sjfonts/SteveHand.ttf"),
    ("serif-held", 0, "opentype/urw-base35/C059-{Roman,Bold}.otf"),
    ("hand-held-hard", 0, "truetype/sjfonts/Delphine.ttf"),
    ("sans-held", 0, "opentype/inter/InterDisplay-SemiBold.otf"),
    ("slab-held", 0, "opentype/roboto/slab/RobotoSlab-{Regular,Bold}.otf"),
    ("mono-held", 0, "truetype/ricty-diminished/RictyDiminished-Regular.ttf"),
)


def _expand(pattern: str) -> list[str]:
    """Shell-like braces: 'a-{x,y}.z' is ['a-x.z', 'a-y.z']."""
    if "{" not in pattern:
        return [pattern]
    head, rest = pattern.split("{", 1)
    middle, tail = rest.split("}", 1)
    return [head + each + tail for each in middle.split(",")]


@functools.cache
def faces() -> tuple[Face, ...]:
    """Every installed face of `FONTS`, in its order; where these are hardly any, whatever fonts are found besides.

    Raises RuntimeError where no face for Chinese or none for Latin is found.
    """
    found = tuple(
        Face(str(ROOT / name), style, index, "held" in style)
        for style, index, pattern in FONTS
        for name in _expand(pattern)
        if (ROOT / name).is_file()
    )
    if not _both(found):
        found = (*found, *others(OTHER_FOLDERS))
    if not _both(found):
        raise RuntimeError(f"no fonts below {ROOT}: install the Debian packages that docs/model-card.md names")
    return found


def _both(found: tuple[Face, ...]) -> bool:
    """Whether lines in both scripts can be drawn for learning."""
    return {face.chinese for face in found if not face.held_out} == {True, False}


def others(folders: tuple[pathlib.Path, ...]) -> tuple[Face, ...]:
    """Fonts of a machine that is laid out in another way, by what they can draw; a Chinese one serves for Latin too."""
    files = sorted(
        file
        for folder in folders
        if folder.is_dir()
        for file in folder.rglob("*")
        if file.suffix.lower() in (".ttf", ".otf", ".ttc")
    )
    out: list[Face] = []
    for file in files[:OTHER_FILES]:
        try:
            known = coverage(Face(str(file), "sans"))
            ImageFont.truetype(str(file), 16)
        except Exception:  # a font that cannot be read is no reason to do without the others
            known = frozenset()
        if known >= LATIN_SAMPLE:
            out.append(Face(str(file), "sans"))
        if known >= CHINESE_SAMPLE:
            out.append(Face(str(file), "zh-hei"))
    return tuple(out)


def coverage(face: Face) -> frozenset[str]:
    """The characters a face has glyphs for; read once with fontTools, then kept in training/work/cmaps.json."""
    key = f"{face.path}#{face.index}"
    known = _cache()
    if key not in known:
        from fontTools.ttLib import TTFont

        with TTFont(face.path, fontNumber=face.index, lazy=True) as font:
            known[key] = "".join(chr(code) for code in sorted(font.getBestCmap() or {}) if code >= 32)
        CACHE.parent.mkdir(parents=True, exist_ok=True)
        CACHE.write_text(json.dumps(known, ensure_ascii=False), encoding="utf-8")
    return _as_set(key)


@functools.cache
def _as_set(key: str) -> frozenset[str]:
    return frozenset(_cache()[key])


@functools.cache
def _cache() -> dict[str, str]:
    if CACHE.is_file():
        loaded: dict[str, str] = json.loads(CACHE.read_text(encoding="utf-8"))
        return loaded
    return {}


@functools.lru_cache(maxsize=256)
def opened(face: Face, size_px: int) -> ImageFont.FreeTypeFont:
    """A face at an em size in pixels."""
    return ImageFont.truetype(face.path, size_px, index=face.index, layout_engine=ImageFont.Layout.BASIC)
