"""Amounts, dates, times, telephone numbers and codes."""

from __future__ import annotations

import random
import string


def digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choices(string.digits, k=count))


def amount(rng: random.Random) -> str:
    value = 10 ** rng.uniform(-1, rng.choice((2, 3, 5, 8)))
    style = rng.random()
    if style < 0.55:
        text = f"{value:.2f}"
    elif style < 0.8:
        text = f"{value:,.2f}"
    elif style < 0.9:
        text = f"{value:,.0f}"
    else:
        text = f"{value:.{rng.randint(1, 4)}f}"
    sign = rng.random()
    if sign < 0.12:
        return rng.choice(("$", "¥", "￥", "RM", "RM ", "USD ", "€", "£", "HK$", "NT$")) + text
    if sign < 0.2:
        return "-" + text
    if sign < 0.26:
        return text + rng.choice(("%", " SR", " T", "元", " S", " ZRL", "-", " GR"))
    return f"({text})" if sign < 0.29 else text


def date(rng: random.Random) -> str:
    y, m, d = rng.randint(1950, 2035), rng.randint(1, 12), rng.randint(1, 28)
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    full = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ]
    separator = rng.choice("-/.")
    return rng.choice(
        (
            f"{y}-{m:02}-{d:02}",
            f"{d:02}{separator}{m:02}{separator}{y}",
            f"{d:02}{separator}{m:02}{separator}{y % 100:02}",
            f"{m}/{d}/{y % 100:02}",
            f"{y}年{m}月{d}日",
            f"{y}年{m:02}月{d:02}日",
            f"{d} {months[m - 1]} {y}",
            f"{full[m - 1]} {d}, {y}",
            f"{months[m - 1].upper()} {d} '{y % 100:02}",
            f"{y}.{m:02}.{d:02}",
            f"{y} 年{m} 月",
            f"{d:02}-{months[m - 1]}-{y}",
            f"{y}/{m:02}/{d:02}",
        )
    )


def time(rng: random.Random) -> str:
    h, m, s = rng.randint(0, 23), rng.randint(0, 59), rng.randint(0, 59)
    return rng.choice(
        (
            f"{h:02}:{m:02}:{s:02}",
            f"{h:02}:{m:02}",
            f"{h % 12 + 1:02}:{m:02} {'AP'[h // 12]}M",
            f"{h % 12 + 1}:{m:02}:{s:02}{'AP'[h // 12]}M",
            f"{h}时{m}分",
        )
    )


def phone(rng: random.Random) -> str:
    return rng.choice(
        (
            f"0{digits(rng, 1)}-{digits(rng, 8)}",
            f"{digits(rng, 3)}-{digits(rng, 3)} {digits(rng, 4)}",
            f"1{digits(rng, 10)}",
            f"({digits(rng, 3)}) {digits(rng, 3)}-{digits(rng, 4)}",
            f"+{digits(rng, 2)} {digits(rng, 2)}-{digits(rng, 4)} {digits(rng, 4)}",
            f"0{digits(rng, 2)}-{digits(rng, 7)}",
            f"400-{digits(rng, 3)}-{digits(rng, 4)}",
        )
    )


def code(rng: random.Random) -> str:
    letters = "".join(rng.choices(string.ascii_uppercase, k=rng.randint(1, 4)))
    return rng.choice(
        (
            f"{letters}{digits(rng, rng.randint(2, 8))}",
            f"{letters}-{digits(rng, rng.randint(2, 6))}",
            digits(rng, rng.randint(4, 16)),
            f"{digits(rng, 4)}-{letters}-{digits(rng, 3)}",
            f"({digits(rng, 6)}-{letters[0]})",
            f"#{digits(rng, 5)}",
            f"{digits(rng, 2)}/{digits(rng, 4)}/{letters}",
            f"{digits(rng, 9)}{letters[0]}",
            "*" + digits(rng, 10) + "*",
            "".join(rng.choices(string.ascii_uppercase + string.digits, k=rng.randint(5, 12))),
            " ".join(digits(rng, 4) for _ in range(rng.randint(2, 4))),
        )
    )
