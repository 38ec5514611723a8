"""A worker process reads page after page of every size, good and damaged: its memory stays under its budget and does not grow."""

import gc
import json
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest

from shared.records import ReadOptions
from tests.stack import models_folder
from worker.reading import page

ROOT = Path(__file__).resolve().parents[2]
BUDGET_MB = 500
GROWTH_MB = 40  # between the first half of the pages and the end
PAGES = 200

PROGRAM = """
import json, os, sys
import cv2, numpy as np
from pathlib import Path
from PIL import Image, ImageDraw, ImageFont
from shared.records import ReadOptions
from worker.reading.page import Reader

cv2.setNumThreads(0)
random = np.random.default_rng(7)
reader = Reader(Path(sys.argv[1]), "auto")
reader.warm()
fonts = [ImageFont.load_default(size=size) for size in (12, 18, 26, 40)]
rss = []
for number in range(int(sys.argv[2])):
    width, height = (int(side) for side in random.integers(120, 1500, 2))
    picture = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(picture)
    for _ in range(6):
        x, y = int(random.integers(0, width)), int(random.integers(0, height))
        pen.text((x, y), "Some words, 12.50 and more of them"[: int(random.integers(4, 34))], fill="black", font=fonts[random.integers(4)])
    image = np.array(picture)
    if number % 5 == 4:
        hit = random.random(image.shape[:2])
        image[hit < 0.07], image[hit > 0.93] = 0, 255
    reader.read(image, ReadOptions())
    with open("/proc/self/statm") as file:
        rss.append(int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6)
print(json.dumps(rss))
"""


@pytest.mark.timeout(1200)
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_memory_stays_flat_over_pages_of_every_size() -> None:
    command = [sys.executable, "-c", PROGRAM, str(models_folder()), str(PAGES)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=1190, check=True)
    rss = json.loads(done.stdout)
    assert max(rss) < BUDGET_MB
    assert max(rss[-10:]) - max(rss[: PAGES // 2]) < GROWTH_MB, rss


def test_where_memory_is_short_engines_are_let_go_and_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = page.Reader(models_folder(), "crnn")
    engine = weakref.ref(reader.recogniser("crnn"))
    gc.freeze()  # as a worker process does with what it loaded
    try:
        assert reader.warm() == page.WARM_TEXT
        assert engine() is not None
        monkeypatch.setattr(page, "MEMORY_MB", 1)
        reader.read(np.full((60, 60, 3), 255, np.uint8), ReadOptions(engine="crnn"))
        assert engine() is not None, "it has not grown: loading it again would give nothing back"
        monkeypatch.setattr(page, "GROWN_MB", -1000)
        reader.read(np.full((60, 60, 3), 255, np.uint8), ReadOptions(engine="crnn"))
        assert engine() is None
        assert reader.warm() == page.WARM_TEXT
    finally:
        gc.unfreeze()
