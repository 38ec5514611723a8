"""What stands in the street: words over shops, Chinese signs, number plates."""

from __future__ import annotations

import random
import string

from training.texts.figures import digits
from training.texts.lists import traditional, words
from worker.reading.context.plates import PROVINCES


def street(rng: random.Random) -> str:
    one = words("en").draw(rng).replace("'", "")
    if rng.random() < 0.12:
        one = words(rng.choice(("fr", "es", "de"))).draw(rng)
    kind = rng.random()
    if kind < 0.08:
        one = one + "'s" if rng.random() < 0.5 else f"{one} & {words('en').draw(rng)}"
    elif kind < 0.14:
        one = rng.choice(
            (
                digits(rng, rng.randint(1, 4)),
                f"No.{rng.randint(1, 99)}",
                f"{rng.randint(1, 12)}F",
                f"{one} {rng.randint(1, 99)}",
                f"EXIT {rng.randint(1, 99)}",
            )
        )
    elif kind < 0.24:
        one = f"{one} {words('en').draw(rng)}"
    return rng.choice((str.upper, str.upper, str.title, str.title, str.lower))(one)


def sign(rng: random.Random) -> str:
    ends = (
        "店",
        "馆",
        "银行",
        "医院",
        "大厦",
        "路",
        "街",
        "中心",
        "超市",
        "酒店",
        "公司",
        "學校",
        "診所",
        "小吃",
        "火鍋",
        "修理",
        "藥局",
        "茶行",
        "书店",
        "停车场",
        "出口",
        "入口",
    )
    text = (
        words("zh").draw(rng)
        + (words("zh").draw(rng) if rng.random() < 0.5 else "")
        + (rng.choice(ends) if rng.random() < 0.4 else "")
    )
    if rng.random() < 0.1:
        text += rng.choice(
            (
                f"{rng.randint(1, 200)}号",
                f"{rng.randint(1, 30)}F",
                f"{digits(rng, 4)}",
                f"{rng.randint(1, 9)}-{rng.randint(10, 99)}号",
            )
        )
    return traditional()(text) if rng.random() < 0.55 else text


PLATE_SIGNS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"


def plate(rng: random.Random) -> str:
    """A Chinese number plate: province, office letter, a dot, five signs (six on new-energy plates); I and O are not used."""
    head = rng.choice(PROVINCES) + (rng.choice(PLATE_SIGNS[:24]) if rng.random() < 0.65 else "A")
    count = 6 if rng.random() < 0.12 else 5
    tail = "".join(
        rng.choice(string.digits) if rng.random() < 0.68 else rng.choice(PLATE_SIGNS[:24]) for _ in range(count)
    )
    if rng.random() < 0.04:
        tail = tail[:4] + rng.choice("学警港澳挂")
    if rng.random() < 0.08:
        letters = "".join(rng.choices(string.ascii_uppercase, k=rng.randint(2, 3)))
        return rng.choice((f"{letters}-{digits(rng, 4)}", f"{digits(rng, 4)}-{letters}", f"{letters}{digits(rng, 4)}"))
    # where the picture is small the dot is often gone, and people often leave it out
    return f"{head}·{tail}" if rng.random() < 0.93 else head + tail
