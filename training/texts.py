"""What the rendered lines say: words by frequency, running prose, receipts, forms, papers, signs, plates, codes.

Words come from wordfreq's lists (Chinese, English, and a little Malay, French, German and Spanish for names), prose from the
docstrings of Python's own library; everything else is put together here. Every choice is drawn from the generator
that the caller hands in, so one seed gives one text.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import pathlib
import random
import re
import string
import sysconfig
from collections.abc import Callable

LOOKS = ("paper", "scan", "receipt", "screen", "scene", "plate", "subtitle")


@dataclasses.dataclass(frozen=True)
class Text:
    """A line to draw and the look it is usually met in (one of LOOKS)."""

    text: str
    look: str
    kind: str


class Words:
    """A word list that is drawn from by a flattened frequency, so that common words lead and rare ones are still met."""

    def __init__(self, words: list[str], power: float = 0.6) -> None:
        self.words = words
        total = 0.0
        self.cumulative = [total := total + 1.0 / (rank + 5) ** power for rank in range(len(words))]

    def draw(self, rng: random.Random) -> str:
        return rng.choices(self.words, cum_weights=self.cumulative)[0]


# Words that frequency lists hold and a sheet of samples need not show.
UNFIT = re.compile(
    "性交|淫|做爱|性爱|色情|裸|奸|妓|嫖|阴茎|阴道|屌|操你|傻逼|fuck|shit|cunt|porn|nigg|whore|bitch|slut|rape|arse|dick|sex|nazi"
)


@functools.cache
def words(language: str, count: int = 60000) -> Words:
    """wordfreq's `count` commonest words of a language, the ones of letters only."""
    import wordfreq

    found = wordfreq.top_n_list(language, count, wordlist="best")
    found = [w for w in found if not UNFIT.search(w)]
    if language == "zh":
        return Words([w for w in found if all("一" <= c <= "鿿" for c in w)], 0.7)
    return Words([w for w in found if w.isascii() and w.replace("'", "").isalpha()])


@functools.cache
def prose() -> list[str]:
    """Sentences of the docstrings of Python's standard library: real English with real punctuation."""
    found: list[str] = []
    folder = pathlib.Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(folder.glob("*.py"))[:220]:
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
                text = re.sub(r"\s+", " ", ast.get_docstring(node) or "").strip()
                if len(text) > 40 and text.isascii():
                    found.append(text)
    return found


@functools.cache
def traditional() -> Callable[[str], str]:
    """Simplified to traditional Chinese (OpenCC), or the text unchanged where OpenCC is not installed."""
    try:
        import opencc
    except ImportError:
        return str
    convert: Callable[[str], str] = opencc.OpenCC("s2t").convert
    return convert


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


def rare(rng: random.Random, pool: str) -> str:
    """Characters of the vocabulary drawn evenly, so that each is seen."""
    return "".join(rng.choices(pool, k=rng.choice((1, 2, 3, 4, 6, 8, 12)))) if pool else ""


def english(rng: random.Random, low: int = 8, high: int = 75) -> str:
    """A stretch of running prose that begins and ends at a word, now and then hyphenated at its end as in a column."""
    text = rng.choice(prose())
    start = rng.randrange(max(1, len(text) - low))
    start = text.find(" ", start) + 1 if start else 0
    cut = text[start : start + rng.randint(low, high)].strip()
    if rng.random() < 0.3 and " " in cut:
        # what docstrings seldom hold: percentages, ampersands, marks, compounds, quoted and bracketed words
        pieces = cut.split(" ")
        at = rng.randrange(len(pieces))
        word = pieces[at]
        pieces[at] = rng.choice(
            (
                f"{rng.randint(1, 100)}%",
                f"{rng.uniform(0, 100):.1f}%",
                f"{word} &",
                f"“{word}”",
                f"({word})",
                f"{word};",
                f"{word}!",
                compound(rng),
                name(rng),
                f"{rng.randint(1, 99)} ± {rng.randint(1, 9)}",
                f"{word.title()} & {word.upper()}",
                f"{string.ascii_uppercase[rng.randrange(26)]}%",
                f"[{rng.randint(0, 9)}, {rng.randint(0, 99)}]",
                f"{word}/{word.title()}",
                f"{word}’s",
            )
        )
        cut = " ".join(pieces)[:high]
    cut = cut.rsplit(" ", 1)[0] if " " in cut and rng.random() < 0.85 else cut
    if rng.random() < 0.25:
        cut = " ".join(words("en").draw(rng) for _ in range(rng.randint(2, 9)))
        cut = cut.capitalize() + rng.choice((".", "", "", ",", ";", "?"))
    return cut + ("-" if rng.random() < 0.05 and cut[-1:].isalpha() else "") or "and"


def name(rng: random.Random) -> str:
    first, last = (words(rng.choice(("en", "en", "fr", "de", "es")), 20000).draw(rng).title() for _ in range(2))
    middle = rng.choice(("", "", f" {rng.choice(string.ascii_uppercase)}."))
    return f"{first}{middle} {last}"


def paper(rng: random.Random) -> str:
    """Lines of English papers: citations, headings, captions, reference lists, mixed with prose."""
    prose_line = english(rng, 20, 80)
    pages = rng.randint(1, 900)
    last = name(rng).split()[-1]
    return rng.choice(
        (
            prose_line,
            prose_line,
            f"{prose_line} [{rng.randint(1, 60)}]",
            f"({last} et al., {rng.randint(1970, 2026)}) {prose_line}"[:80],
            f"{rng.randint(1, 9)}.{rng.randint(1, 9)}. {english(rng, 8, 40).capitalize()}",
            f"Fig. {rng.randint(1, 20)}. {prose_line}"[:80],
            f"Table {rng.randint(1, 20)}: {prose_line}"[:75],
            f"{last}, {rng.choice('ABCDEFGHJKLMRST')}., {last}, {rng.choice('ABCDEJ')}., {rng.randint(1970, 2026)}.",
            f"{words('en').draw(rng).title()} {rng.randint(1, 90)} ({rng.randint(1, 12)}), {pages}–{pages + rng.randint(2, 30)}.",
            f"p < 0.0{rng.randint(1, 5)}, n = {rng.randint(3, 90)}; {prose_line}"[:70],
            f"[{rng.randint(1, 90)}] {name(rng)}, {name(rng)}, and {name(rng)}.",
            f"{rng.choice('ABCDxyzRSTV')} = {amount(rng)} {rng.choice(('mm', 'km/h', 'kg', 'm²', '°C', 'Hz', 'MPa', 'ms'))}",
            words("en").draw(rng).upper(),
            f"{last}-{words('en').draw(rng).upper()[:5]}-{digits(rng, 2)} {prose_line}"[:60],
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


def receipt(rng: random.Random) -> str:
    item = " ".join(words("en").draw(rng) for _ in range(rng.randint(1, 3)))
    labels = ("Total", "Sub Total", "Subtotal", "Cash", "Change", "Tax", "GST 6%", "Rounding", "Qty", "Price", "Amount", "Invoice No",
              "Receipt No", "Cashier", "Date", "Time", "Tel", "Fax", "GST ID", "GST Reg No", "Table", "Order", "Item", "Discount",
              "Total Amount", "Net Total", "Balance", "Member", "Service Charge", "Description", "Doc No", "Salesperson", "Visa",
              "Approval Code", "Terminal", "Ref", "Pax", "Bill To", "Counter", "Payment", "Grand Total", "Total (Inclusive of GST)",
              "Tax Invoice", "Summary", "Company Reg No", "Amt (RM)", "U.Price", "Excl. Tax", "Round Adj", "Code")  # fmt: skip
    label = rng.choice(labels)
    label = label.upper() if rng.random() < 0.45 else label
    thanks = ("Thank you for shopping with us", "Please come again", "Goods sold are not returnable", "Have a nice day", "Keep this receipt",
              "Exchange within 7 days with receipt", "No refund", "Terima kasih", "Thank you! Please visit again", "This is a computer generated invoice")  # fmt: skip
    zh = (
        "合计",
        "小计",
        "实收",
        "找零",
        "数量",
        "单价",
        "金额",
        "收银员",
        "日期",
        "单号",
        "会员卡号",
        "税额",
        "电话",
        "地址",
        "折扣",
        "应收",
        "现金",
        "微信支付",
    )
    text = rng.choice(
        (
            amount(rng),
            amount(rng),
            amount(rng),
            date(rng),
            time(rng),
            f"{date(rng)} {time(rng)}",
            label,
            f"{label}:",
            f"{label} : {amount(rng)}",
            f"{label}: {code(rng)}",
            f"{label} {amount(rng)}",
            item.upper(),
            item.title(),
            f"{item.upper()} {rng.randint(1, 999)}{rng.choice(('ML', 'G', 'KG', 'PCS', 'L', 'MM'))}",
            f"{rng.randint(1, 20)} x {amount(rng)}",
            f"{rng.randint(1, 20)} X {amount(rng)} {amount(rng)}",
            rng.choice(thanks).upper(),
            rng.choice(thanks),
            address(rng),
            address(rng),
            company(rng),
            company(rng),
            f"TEL: {phone(rng)}",
            f"Tel : {phone(rng)} Fax : {phone(rng)}",
            code(rng),
            code(rng),
            f"{rng.choice(zh)}：{amount(rng)}",
            f"{rng.choice(zh)}: {amount(rng)}",
            f"{digits(rng, 13)}",
            f"S = {rng.randint(1, 9)}%",
            f"SR @ {rng.randint(0, 9)}%",
            f"({label})",
            str(rng.randint(0, 99)),
            f"{rng.randint(1, 9)}.00",
            "0.00",
            f"*{amount(rng)}",
            f"{rng.randint(1, 9)} {item.upper()} {amount(rng)}",
            f"{label} {rng.choice(('(RM)', '(S)', '(%)', '(USD)'))}",
            f"{label}. :",
            f"{rng.randint(1, 9)}/{rng.randint(1, 99)}",
        )
    )
    return text.upper() if rng.random() < 0.15 else text


def form(rng: random.Random) -> str:
    label = " ".join(words("en").draw(rng) for _ in range(rng.randint(1, 3)))
    label = rng.choice((str.upper, str.title, str.capitalize, str.upper))(label)
    tail = rng.choice(
        (
            ":",
            ":",
            "",
            "",
            "?",
            "#",
            " No.",
            " NO.",
            "*",
            ": $",
            ".",
            " (if any)",
            " -",
            "(s)",
            "/" + words("en").draw(rng).title(),
        )
    )
    zh = rng.choice(
        (
            "姓名",
            "性别",
            "出生日期",
            "住址",
            "公民身份号码",
            "单位",
            "联系电话",
            "备注",
            "纳税人识别号",
            "开户行及账号",
            "规格型号",
            "税率",
            "价税合计",
            "发票号码",
            "签发机关",
            "有效期限",
        )
    )
    return rng.choice(
        (
            label + tail,
            label + tail,
            label + tail,
            f"{label}: {name(rng)}",
            name(rng),
            f"{label}: {date(rng)}",
            f"DATE: {date(rng)}",
            date(rng),
            english(rng, 10, 60),
            english(rng, 10, 70),
            f"{rng.choice('ABCDEFGH')}. {label}",
            f"{rng.randint(1, 30)}. {label}",
            f"({rng.choice('abcdef123')}) {label}",
            company(rng),
            address(rng),
            f"TO: {name(rng)}",
            f"FROM: {name(rng).upper()}",
            code(rng),
            f"{rng.randint(0, 99)}%",
            f"{zh}：{chinese(rng, 2, 12, 0.1)}",
            f"{zh}",
            phone(rng),
            f"{label} {code(rng)}",
            f"□{zh}",
            f"☆{zh}",
            f"{label} ({words('en').draw(rng)})",
            f"$ {amount(rng).lstrip('$')}",
            f"Page {rng.randint(1, 9)} of {rng.randint(1, 20)}",
            f"{label}, {label.lower()} & {words('en').draw(rng)}",
            f"RE: {english(rng, 10, 40)}",
        )
    )


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


PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
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


def subtitle(rng: random.Random) -> str:
    spoken = "我你他她它们这那是不了的吗呢吧啊就在有没什么怎么好来去说想要会能知道看给让别再还都也很太把被跟"
    out = ""
    for _ in range(rng.randint(1, 6)):
        out += rng.choice(spoken) if rng.random() < 0.45 else words("zh", 8000).draw(rng)
    if rng.random() < 0.2:
        out += rng.choice(("……", "？", "！", "…", " " + words("zh", 8000).draw(rng)))
    return out[:16]


MIX: tuple[tuple[str, float, str], ...] = (
    ("zh", 15, "paper"), ("zh-mixed", 13, "paper"), ("zh-long", 3, "paper"), ("rare", 5, "paper"), ("en", 11, "paper"), ("paper", 10, "paper"),
    ("receipt", 15, "receipt"), ("form", 11, "scan"), ("street", 14, "scene"), ("sign", 8, "scene"), ("plate", 10, "plate"), ("subtitle", 5, "subtitle"),
    ("alike", 7, "paper"), ("compound", 1.5, "paper"), ("web", 3, "screen"), ("figures", 5, "scan"), ("screen", 4, "screen"), ("zh-tw", 3, "paper"),
)  # fmt: skip
_WEIGHTS = [weight for _, weight, _ in MIX]


def draw(rng: random.Random, pool: str, kinds: tuple[str, ...] = ()) -> Text:
    """One line of text; `pool` is the vocabulary's Chinese characters, for the lone ones. `kinds` narrows the mix."""
    kind, _, look = rng.choices(MIX, weights=[w if not kinds or k in kinds else 0.0 for k, w, _ in MIX])[0]
    text = {
        "zh": lambda: chinese(rng, 2, 26, 0.04), "zh-mixed": lambda: chinese(rng, 6, 34, 0.3), "zh-long": lambda: chinese(rng, 30, 44, 0.12),
        "rare": lambda: rare(rng, pool), "en": lambda: english(rng, 6, 75), "paper": lambda: paper(rng), "receipt": lambda: receipt(rng),
        "form": lambda: form(rng), "street": lambda: street(rng), "sign": lambda: sign(rng), "plate": lambda: plate(rng), "alike": lambda: confusable(rng), "compound": lambda: compound(rng),
        "subtitle": lambda: subtitle(rng), "web": lambda: web(rng), "screen": lambda: rng.choice((chinese(rng, 2, 20, 0.25), english(rng, 5, 45), code(rng), f"{name(rng)} {phone(rng)}")),
        "figures": lambda: rng.choice((amount, date, time, phone, code))(rng), "zh-tw": lambda: traditional()(chinese(rng, 2, 22, 0.08)),
    }[kind]()  # fmt: skip
    if look == "paper" and rng.random() < 0.25:
        look = rng.choice(("scan", "screen", "scan", "scene"))
    elif rng.random() < 0.08:
        look = rng.choice(("paper", "scan", "screen")) if kind != "plate" else look
    return Text(re.sub(r"\s+", " ", text).strip(), look, kind)
