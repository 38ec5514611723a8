"""What stands in the fields of documents and labelled data has little of: sums, codes, signs, dates, other languages.

`KINDS` names a generator for each kind of field; they are written apart from the trainer's own (`training/texts`), so that nothing is
measured on what was taught.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable

from worker.reading.context import codes

Text = Callable[[random.Random], str]

DIGITS = "零壹贰叁肆伍陆柒捌玖"
# Characters as they come in names of places, firms and goods.
COMMON = (
    "北京上海广州深圳天津重庆成都杭州南京武汉西安苏州长沙青岛大连宁波厦门济南合肥福州昆明石家庄太原长春贵阳兰州中华新东方光明永和祥瑞金银"
    "山川江河湖泊春夏秋冬梅竹菊松柏林森田园花草树木风云雷雨星月日照红黄蓝绿白黑紫米面油盐酱醋茶酒牛羊鱼虾鸡鸭果蔬纸笔书本电脑手机灯具家居"
    "服装鞋帽皮革布料钢铁铜铝化工医药器械仪表设备机床汽车配件维修安装运输仓储物流贸易科技信息网络软件传媒广告设计咨询管理投资建筑装饰工程"
)


def digits(dice: random.Random, count: int) -> str:
    """So many of them, none more likely at any place."""
    return "".join(dice.choice(string.digits) for _ in range(count))


def han(dice: random.Random, low: int, high: int = 0) -> str:
    """A name-like run of `low` to `high` Chinese characters."""
    return "".join(dice.choice(COMMON) for _ in range(dice.randint(low, high or low)))


def sum_in_numerals(dice: random.Random) -> str:
    """An amount as invoices write it out: 壹仟贰佰元整. Empty places as the People's Bank's rules have them."""
    cents = dice.randint(100, 99_999_999) if dice.random() < 0.6 else dice.randint(1, 9999) * 100
    yuan, jiao, fen = cents // 100, cents // 10 % 10, cents % 10
    text = ""
    if yuan >= 10_000:
        text, yuan = _section(yuan // 10_000) + "万", yuan % 10_000
        text += "零" if 0 < yuan < 1000 else ""
    text += _section(yuan) + dice.choice("元元圆")
    if not jiao and not fen:
        return text + "整"
    return text + (DIGITS[jiao] + "角" if jiao else "零") + (DIGITS[fen] + "分" if fen else "整")


def _section(number: int) -> str:
    text, gap = "", False
    for digit, unit in (
        (number // 1000, "仟"),
        (number // 100 % 10, "佰"),
        (number // 10 % 10, "拾"),
        (number % 10, ""),
    ):
        if digit:
            text += ("零" if gap else "") + DIGITS[digit] + unit
            gap = False
        elif text:
            gap = True
    return text


def credit_code(dice: random.Random) -> str:
    """A unified social credit code with its check (GB 32100-2015)."""
    body = "91" + digits(dice, 6) + "".join(dice.choice(codes.SIGNS) for _ in range(9))
    return body + codes.check_sign(body)


def _amount(dice: random.Random) -> str:
    return f"{dice.randint(1, 9_999_999) / 100:,.2f}"


def _one_of(*texts: str) -> Text:
    return lambda dice: dice.choice(texts)


def _money(dice: random.Random) -> str:
    return dice.choice(("¥", "￥", "$", "€", "£", "RM ", "NT$", "HK$", "US$", "CNY ")) + _amount(dice)


def _date(dice: random.Random) -> str:
    year, month, day = dice.randint(1990, 2035), dice.randint(1, 12), dice.randint(1, 28)
    short = "JanFebMarAprMayJunJulAugSepOctNovDec"[3 * month - 3 : 3 * month]
    return dice.choice(
        (
            f"{year}年{month}月{day}日",
            f"开票日期：{year}年{month:02d}月{day:02d}日",
            f"{year}-{month:02d}-{day:02d} {dice.randint(0, 23):02d}:{dice.randint(0, 59):02d}:{dice.randint(0, 59):02d}",
            f"{year}/{month}/{day}",
            f"{day:02d}.{month:02d}.{year}",
            f"{day} {short} {year}",
            f"Date: {short} {day}, {year}",
        )
    )


def _phone(dice: random.Random) -> str:
    return dice.choice(
        (
            f"电话：0{digits(dice, 3)}-{digits(dice, 8)}",
            f"1{digits(dice, 10)}",
            f"+86 1{digits(dice, 2)} {digits(dice, 4)} {digits(dice, 4)}",
            f"Tel: ({digits(dice, 3)}) {digits(dice, 3)}-{digits(dice, 4)}",
            f"Fax +49 {digits(dice, 3)} {digits(dice, 6)}",
            f"400-{digits(dice, 3)}-{digits(dice, 4)}",
        )
    )


def _number(dice: random.Random) -> str:
    letter = dice.choice(string.ascii_uppercase)
    return dice.choice(
        (
            f"发票号码：{digits(dice, 20)}",
            f"身份证号 {digits(dice, 17)}X",
            f"开户行及账号：{han(dice, 2)}银行{han(dice, 2)}支行 {digits(dice, 19)}",
            f"Invoice No. {letter}{digits(dice, 7)}",
            f"PO# {digits(dice, 10)}",
            f"IBAN DE{digits(dice, 2)} {digits(dice, 4)} {digits(dice, 4)} {digits(dice, 4)} {digits(dice, 4)} {digits(dice, 2)}",
            f"VAT ID: GB {digits(dice, 3)} {digits(dice, 4)} {digits(dice, 2)}",
            f"{digits(dice, 4)} **** **** {digits(dice, 4)}",
        )
    )


def _code(dice: random.Random) -> str:
    signs = string.ascii_uppercase + string.digits
    return "".join(dice.choice(signs) for _ in range(dice.randint(8, 14)))


def _serial(dice: random.Random) -> str:
    parts = [_code(dice)[:4] for _ in range(3)]
    return dice.choice(
        (f"S/N: {'-'.join(parts)}", f"Model {parts[0]}-{digits(dice, 3)}{parts[1][0]}", f"SKU {parts[0]}{parts[1]}")
    )


def _address(dice: random.Random) -> str:
    return (
        f"地址：{han(dice, 2)}市{han(dice, 2)}区{han(dice, 2)}路{dice.randint(1, 999)}号"
        f"{dice.randint(1, 20)}栋{dice.randint(101, 2505)}室"
    )


def _goods(dice: random.Random) -> str:
    size = dice.choice(
        ("", f"{digits(dice, 3)}ml", f"{dice.randint(1, 99)}kg", f"{digits(dice, 2)}寸", f"A{digits(dice, 1)}")
    )
    return f"*{han(dice, 2, 4)}*{han(dice, 2, 5)}{size}"


def _mixed(dice: random.Random) -> str:
    product = dice.choice(("iPhone", "USB-C", "ThinkPad", "HDMI", "Wi-Fi", "LED", "PVC", "Excel", "Python", "5G"))
    return f"{han(dice, 2, 4)}{product} {dice.choice(('Pro', 'Max', 'Plus', 'Mini', 'V2'))}{han(dice, 2, 4)}{digits(dice, 2)}件"


def _size(dice: random.Random) -> str:
    a, b, c = (dice.randint(2, 990) for _ in range(3))
    return dice.choice((f"{a}×{b}mm", f"{a / 10:.1f}×{b}×{c}cm", f"规格 {a}×{b}", f"3×{a}", f"{a}×{b} px"))


def _percent(dice: random.Random) -> str:
    n = dice.randint(1, 99)
    return dice.choice((f"税率{n}%", f"{n}.{digits(dice, 1)}%", f"折扣 -{n}%", f"VAT {n}%", f"±{n}%", f"{n}%~{n + 9}%"))


def _unit(dice: random.Random) -> str:
    n = dice.randint(2, 980)
    return dice.choice(
        (
            f"{n}m²",
            f"{n}m³",
            f"{n}℃",
            f"{n}°C",
            f"{n}°",
            f"{n}μm",
            f"{n}kΩ",
            f"≤{n}mm",
            f"≥{n}kg",
            f"{n}kg/m³",
            f"{n} km/h",
            f"Φ{n}",
            f"{n}kW·h",
        )
    )


def _list_sign(dice: random.Random) -> str:
    return dice.choice("①②③④⑤⑥⑦⑧⑨") + han(dice, 3, 6)


def _bullet(dice: random.Random) -> str:
    return dice.choice("•●★▲■※") + " " + han(dice, 3, 6)


def _box(dice: random.Random) -> str:
    return dice.choice(("□ 是 □ 否", "□男 □女", f"□ {han(dice, 3)}", "☑ 同意", "☐ Yes ☐ No", f"√ {han(dice, 4)}"))


def _quote(dice: random.Random) -> str:
    return dice.choice(
        (
            f"“{han(dice, 4)}”（{han(dice, 3)}）",
            f"《{han(dice, 4)}》第{dice.randint(2, 9)}版",
            f"【{han(dice, 2)}】{han(dice, 4)}！",
            f"{han(dice, 4)}（{dice.choice(('盖章', '小写', '大写', '签字'))}）：",
            f"「{han(dice, 4)}」",
        )
    )


def _sentence(dice: random.Random) -> str:
    return f"{han(dice, 4, 6)}，{han(dice, 3, 5)}、{han(dice, 2)}；{han(dice, 4, 6)}。"


def _mail(dice: random.Random) -> str:
    letters = "".join(dice.choice(string.ascii_lowercase) for _ in range(dice.randint(4, 8)))
    return dice.choice(
        (
            f"{letters}{digits(dice, 2)}@{dice.choice(('gmail.com', 'qq.com', '163.com', 'example.org'))}",
            f"E-mail: {letters}.{letters[:3]}@example.com",
            f"https://www.{letters}.com/{digits(dice, 3)}",
            f"http://{letters}.cn/a_{digits(dice, 2)}.html",
            f"www.{letters}.org",
            f"C:\\{letters}\\{letters[:4]}.txt",
            f"/usr/{letters}/v{digits(dice, 1)}.{digits(dice, 1)}",
        )
    )


def _row(dice: random.Random) -> str:
    count, price = dice.randint(1, 99), dice.randint(100, 99_999)
    return f"{count}    {price / 100:.2f}    {count * price / 100:.2f}"


FIRST = ("Olivia", "Klaus", "Wei", "Siobhan", "Marcus", "Priya", "Tomasz", "Ingrid", "Kofi", "Yuki", "Oscar", "Zoe", "Cuthbert", "Vera")  # fmt: skip
LAST = ("Okonkwo", "Schulz", "Zhang", "Murphy", "Sousa", "Patel", "Kowalski", "Voss", "Mensah", "Sato", "Wilcox", "Cox", "Power", "Xu")  # fmt: skip
STREETS = ("Market Street", "Oak Avenue", "Wood Lane", "Victoria Road", "Park View", "Cross Keys Court", "Upper Wharf", "Church Hill")  # fmt: skip
CITIES = ("London SW1A 2AA", "Springfield, IL 62704", "Cork", "Singapore 049315", "Kuala Lumpur", "Vancouver BC V5K 0A1", "Zurich")  # fmt: skip


def _person(dice: random.Random) -> str:
    title = dice.choice(("", "", "Mr. ", "Ms ", "Dr. "))
    return f"{title}{dice.choice(FIRST)} {dice.choice(string.ascii_uppercase)}. {dice.choice(LAST)}"


def _place(dice: random.Random) -> str:
    return f"{dice.randint(1, 999)} {dice.choice(STREETS)}, {dice.choice(CITIES)}"


ACCENTED = (
    "José", "García", "Muñoz", "Alcalá", "Zoë", "François", "Hélène", "Müller", "Schön", "Kraków", "café", "résumé",
    "Peña", "Nuñez", "Göteborg", "São", "Évora", "señor", "mañana", "Besançon", "Orléans",
)  # fmt: skip
PLAIN = (
    "Robert", "table", "summer", "garden", "London", "meeting", "account", "Jackson", "Brown", "coffee", "window",
    "season", "Thursday", "memo", "ozone",
)  # fmt: skip
PARTS = (
    "API", "URL", "MAX", "RETRIES", "user", "id", "file", "name", "main", "test", "path", "DATA", "key", "item",
    "list", "node", "total", "count",
)  # fmt: skip


def _thousands(dice: random.Random) -> str:
    """A sum of four figures and more, its thousands parted by commas or points, or not at all."""
    total = dice.randint(100_000, 999_999_999) / 100
    text = dice.choice((f"{total:,.2f}", f"{int(total):,}", f"{total:.2f}"))
    if dice.random() < 0.25:
        text = text.translate(str.maketrans(",.", ".,"))
    return dice.choice(("", "-", "$", "Total ", "Balance ", "Amount due ", "CHF ")) + text


def _accents(dice: random.Random) -> str:
    words = [dice.choice(PLAIN), dice.choice(ACCENTED), dice.choice(PLAIN)]
    return " ".join(words).upper() if dice.random() < 0.4 else " ".join(words)


def _identifier(dice: random.Random) -> str:
    name = "_".join(dice.choice(PARTS) for _ in range(dice.randint(2, 4)))
    return dice.choice(
        (name, name.lower() + ".py", f"{name.lower()}()", f"__{name.lower()}__", f"{name.upper()}={digits(dice, 2)}")
    )


KINDS: dict[str, Text] = {
    "amounts with a currency": _money,
    "sums of thousands": _thousands,
    "sums in Chinese numerals": lambda dice: dice.choice(("", "大写：", "合计人民币（大写）")) + sum_in_numerals(dice),
    "dates and times": _date,
    "telephone numbers": _phone,
    "numbers of invoices, accounts, cards": _number,
    "codes of Chinese firms": lambda dice: dice.choice(("", "纳税人识别号：")) + credit_code(dice),
    "codes of letters and digits": _code,
    "serial numbers": _serial,
    "Chinese addresses": _address,
    "goods on Chinese invoices": _goods,
    "Chinese and Latin mixed": _mixed,
    "Chinese punctuation": _sentence,
    "quotes and brackets": _quote,
    "sizes": _size,
    "percentages": _percent,
    "units": _unit,
    "numbered points": _list_sign,
    "bullets": _bullet,
    "boxes to tick": _box,
    "mail and web addresses, paths": _mail,
    "rows of figures": _row,
    "names in code": _identifier,
    "English names": _person,
    "names with accents": _accents,
    "English addresses": _place,
    "English": _one_of(
        "Goods once sold cannot be exchanged or refunded", "Payment is due within 30 days of the invoice date",
        "Please quote this number in all correspondence", "Keep out of reach of children", "Terms & Conditions apply",
        "It's our customers' choice - don't miss it!", "Subject to availability; see overleaf", "Qty. 12 @ 3.50 each",
    ),
    "German": _one_of(
        "Rechnungsbetrag zahlbar ohne Abzug", "Größe und Gewicht des Pakets", "Für Rückfragen stehen wir gern zur Verfügung",
        "Straße und Hausnummer", "Schöne Grüße aus Köln", "Lieferung frei Haus, zzgl. MwSt.", "Ihre Bestellung vom Montag",
    ),
    "French": _one_of(
        "Merci pour votre fidélité", "Le règlement doit être effectué avant la date", "Numéro de téléphone",
        "Où se trouve la gare la plus proche", "Reçu de paiement à conserver", "Taxe sur la valeur ajoutée", "Déjà réglé par chèque",
    ),
    "Spanish": _one_of(
        "Número de teléfono y código postal", "Mañana será otro día de trabajo", "Gracias por su compra",
        "Fecha de emisión de la factura", "¿Dónde está la estación?", "El niño pequeño comió una manzana", "Dirección de envío",
    ),
    "traditional Chinese": _one_of(
        "發票號碼", "統一編號", "電話號碼", "總計新臺幣", "營業稅應稅銷售額", "買受人註記", "營業人蓋用統一發票專用章",
        "請妥善保存此收據", "歡迎光臨", "機車修理專賣店", "謝謝惠顧", "應收帳款", "運費另計",
    ),
    "Japanese": _one_of(
        "領収書", "消費税込み", "お買い上げありがとうございます", "合計金額", "東京都千代田区", "カード払い", "お支払い方法",
        "またのご来店をお待ちしております", "ポイント残高", "電話番号",
    ),
}  # fmt: skip
