"""Chinese: running text, characters that are easily mistaken, rare ones, subtitles."""

from __future__ import annotations

import functools
import random

from training.texts.figures import code, date, digits
from training.texts.lists import words
from training.texts.names import compound


def chinese(rng: random.Random, low: int = 4, high: int = 40, mixed: float = 0.0) -> str:
    """Chinese words of `low` to `high` characters in all with punctuation; `mixed` is the share of figures and Latin."""
    target, out = rng.randint(low, high), ""
    while len(out) < target:
        if rng.random() < mixed:
            gap = " " if rng.random() < 0.4 else ""
            out += (
                gap
                + rng.choice(
                    (
                        lambda: (
                            f"{10 ** rng.uniform(0, 4):.{rng.randint(0, 2)}f}{rng.choice(('%', '亿元', '万元', '元', '倍', '次', '', '个'))}"
                        ),
                        lambda: date(rng),
                        lambda: words("en", 20000).draw(rng).upper()[:6],
                        lambda: words("en", 20000).draw(rng).title(),
                        lambda: f"{rng.randint(1, 12)} 月",
                        lambda: f"（{digits(rng, rng.randint(1, 4))}）",
                        lambda: code(rng),
                        lambda: f"《{words('zh').draw(rng)}》",
                        lambda: f"“{words('zh').draw(rng)}”",
                        lambda: compound(rng),
                        lambda: f"[{digits(rng, 1)},{digits(rng, 1)}]",
                        lambda: f"{rng.randint(1990, 2030)} 年",
                    )
                )()
                + gap
            )
        else:
            out += words("zh").draw(rng)
        if rng.random() < 0.13 and len(out) < target:
            out += rng.choice(("，", "，", "，", "，", "。", "。", "、", "、", "：", "；", "！", "？", "——", "—", "-"))
    if rng.random() < 0.2:
        out += rng.choice("。。，；：！？")
    return out


# Characters that differ by a stroke; in a small picture only the context and that stroke tell them apart.
ALIKE = (
    "贷货贵责 备各名 风凤夙 普善晋 弈羿奔 秦泰奏春 券赤卷 邮邯邱 己已巳 未末朱 土士 日曰目 人入八 千干于 大太犬夭天 田由甲申 科料 酒洒 免兔 鸟乌 "
    "侯候 戊戌戍 辨辩辫 拔拨 析折拆 治冶 侍待持 推惟 暖暧 茶荼 要耍 困因囚团 第策 放改效 项顶 资货 受爱 他地 微徵 徽 设没投 这过还 间问闻 住往佳 "
    "历厉 今令 贝见 复夏 壳売 渡波 癌瘤 究完 届屈 络格 安雯 亮高 家蒙 跑距 一二三 十千 力刀九 工土干 厂广 万方 午牛 王玉主 木术本 来米 石右 古舌 "
    "專享 賣買 業葉 電雷 東柬 檸檬 檳榔 責青貴 價便 機概 陽楊 購講 館餐 蝦 組祖 織識職 練鍊 銀錄 開關間 單罩 書畫晝 車東 師帥 養 裝 診"
)


@functools.cache
def alike() -> tuple[tuple[str, ...], dict[str, list[str]]]:
    """The groups of ALIKE, and for each of their characters the commoner words that hold it."""
    groups = tuple(ALIKE.split())
    wanted = set("".join(groups))
    holding: dict[str, list[str]] = {}
    for word in words("zh").words[:30000]:
        for character in wanted & set(word):
            holding.setdefault(character, []).append(word)
    return groups, holding


def confusable(rng: random.Random) -> str:
    """Words around characters of one group of ALIKE, or the bare group shuffled."""
    groups, holding = alike()
    out = ""
    for _ in range(rng.randint(1, 6)):
        character = rng.choice(rng.choice(groups))
        known = holding.get(character)
        out += rng.choice(known) if known and rng.random() < 0.85 else character
        if rng.random() < 0.1:
            out += rng.choice("，、；：——")
    return out


def rare(rng: random.Random, pool: str) -> str:
    """Characters of the vocabulary drawn evenly, so that each is seen."""
    return "".join(rng.choices(pool, k=rng.choice((1, 2, 3, 4, 6, 8, 12)))) if pool else ""


def scattered(rng: random.Random, text: str, pool: str, share: float) -> str:
    """`text` with `share` of its Chinese characters drawn anew from `pool`, evenly.

    Frequency alone teaches a recogniser to read a rare character as the common one it resembles; here no context helps.
    """
    return "".join(rng.choice(pool) if "一" <= c <= "鿿" and rng.random() < share else c for c in text)


def subtitle(rng: random.Random) -> str:
    spoken = "我你他她它们这那是不了的吗呢吧啊就在有没什么怎么好来去说想要会能知道看给让别再还都也很太把被跟"
    out = ""
    for _ in range(rng.randint(1, 6)):
        out += rng.choice(spoken) if rng.random() < 0.45 else words("zh", 8000).draw(rng)
    if rng.random() < 0.2:
        out += rng.choice(("……", "？", "！", "…", " " + words("zh", 8000).draw(rng)))
    return out[:16]
