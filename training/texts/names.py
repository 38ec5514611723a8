"""Names: of people, companies, places, substances and sites on the web."""

from __future__ import annotations

import random
import string

from training.texts.figures import digits
from training.texts.lists import words


def compound(rng: random.Random) -> str:
    """Names of substances, parts and symbols: capitals and figures inside a word."""

    def part() -> str:
        letters = "".join(rng.choices(string.ascii_lowercase, k=rng.randint(1, 4)))
        word = words("en", 20000).draw(rng)[:5]
        return rng.choice(
            (
                letters,
                letters.upper(),
                letters.title(),
                word.title(),
                word,
                digits(rng, rng.randint(1, 4)),
                letters.title() + digits(rng, 1),
                letters + "ABCDEHMNPR"[rng.randrange(10)],
            )
        )

    joints = ("-", "-", "@", "/", "_", "", "+", "·", ".", "(", "=")
    out = part()
    for _ in range(rng.randint(1, 4)):
        joint = rng.choice(joints)
        out += f"({part()})" if joint == "(" else joint + part()
    return out


def name(rng: random.Random) -> str:
    first, last = (words(rng.choice(("en", "en", "fr", "de", "es")), 20000).draw(rng).title() for _ in range(2))
    middle = rng.choice(("", "", f" {rng.choice(string.ascii_uppercase)}."))
    return f"{first}{middle} {last}"


def web(rng: random.Random) -> str:
    a, b = (words("en").draw(rng).replace("'", "") for _ in range(2))
    end = rng.choice((".com", ".com.cn", ".cn", ".org", ".net", ".edu", ".com.my", ".gov.cn", ".io"))
    return rng.choice(
        (
            f"www.{a}{b}{end}",
            f"{a}.{b}@{b}{end}",
            f"http://www.{a}{end}/{b}",
            f"https://{a}{end}/{b}/{digits(rng, 4)}",
            f"{a}{digits(rng, 2)}@{b}{end}",
            f"doi: 10.{digits(rng, 4)}/{digits(rng, 8)}",
            f"E-mail: {a}@{b}{end}",
            f"10.{digits(rng, 4)}/j.{a}.{digits(rng, 4)}.{digits(rng, 2)}.{digits(rng, 3)}",
        )
    )


def address(rng: random.Random) -> str:
    malay = words("ms", 12000).draw(rng).title()
    place = words("en").draw(rng).title()
    return rng.choice(
        (
            f"{rng.randint(1, 999)} {place} {rng.choice(('Street', 'Road', 'Avenue', 'Ave.', 'Lane', 'St.', 'Blvd'))}",
            f"NO.{rng.randint(1, 99)}, JALAN {malay.upper()} {rng.randint(1, 9)}/{rng.randint(1, 40)},",
            f"{digits(rng, 5)} {place}, {malay}",
            f"LOT {digits(rng, 4)}, {rng.choice(('JLN', 'JALAN', 'TAMAN', 'LORONG'))} {malay.upper()},",
            f"P.O. Box {digits(rng, 4)}, {place} {digits(rng, 5)}",
            f"{words('zh').draw(rng)}市{words('zh').draw(rng)}区{words('zh').draw(rng)}路{rng.randint(1, 999)}号",
            f"{digits(rng, 5)}, {malay.upper()} {place.upper()}.",
            f"Suite {rng.randint(1, 99)}, {place} Tower, {malay}",
            f"{words('zh').draw(rng)}省{words('zh').draw(rng)}县{words('zh').draw(rng)}镇",
        )
    )


def company(rng: random.Random) -> str:
    a, b = (words("en").draw(rng).title() for _ in range(2))
    chinese_name = words("zh").draw(rng) + words("zh").draw(rng)
    end = rng.choice(
        (
            "SDN BHD",
            "SDN. BHD.",
            "(M) SDN BHD",
            "LTD",
            "CO., LTD.",
            "INC.",
            "ENTERPRISE",
            "TRADING",
            "GMBH",
            "PTE LTD",
            "CORP.",
        )
    )
    return rng.choice(
        (
            f"{a.upper()} {b.upper()} {end}",
            f"{a} {b} {end.title()}",
            f"{a} & {b}, Inc.",
            f"{chinese_name}有限公司",
            f"{chinese_name}股份有限公司",
            f"{chinese_name}{rng.choice(('商行', '超市', '酒店', '医院', '中心', '银行', '研究所', '餐厅'))}",
        )
    )
