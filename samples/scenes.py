"""Things a camera or a screen shows: one line, receipts, signs, a badge, a ticket, a chat, a terminal."""

from __future__ import annotations

from sheet import Colour, Sheet, blur, font, grain, on_ground, seen_from_the_side, shade, tilt

TABLE: Colour = (116, 88, 66)


def line(
    text: str,
    name: str,
    size: int,
    margin: int = 12,
    paper: Colour = (252, 252, 250),
    ink: Colour = (20, 22, 28),
) -> Sheet:
    """One line of text with a margin around it."""
    left, top, right, bottom = font(name, size).getbbox(text)
    sheet = Sheet(int(right - left) + 2 * margin, int(bottom - top) + 2 * margin, paper, ink)
    sheet.write(margin - left, margin - top, text, name, size)
    return sheet


def receipt_en() -> Sheet:
    """A till receipt on a table, tilted by two degrees."""
    sheet = Sheet(420, 640, (246, 244, 238), (44, 42, 48))
    sheet.write(210, 30, "HARBOUR LANE GROCER", "mono-bold", 26, anchor="ma")
    sheet.write(210, 68, "14 Lantern Street", "mono", 20, anchor="ma")
    sheet.write(210, 96, "Receipt 300842", "mono", 20, anchor="ma")
    sheet.rule(24, 134, 396, 134, width=2)
    y = 152
    rows = [
        ("Brown bread", "3.20"),
        ("Green apples", "4.75"),
        ("Ground coffee", "8.90"),
        ("Oat milk", "2.60"),
        ("Dark chocolate", "5.15"),
        ("Paper towels", "6.40"),
    ]
    for item, price in rows:
        sheet.write(28, y, item, "mono", 22)
        sheet.write(392, y, price, "mono", 22, anchor="ra")
        y += 36
    sheet.rule(24, y + 6, 396, y + 6, width=2)
    sheet.write(28, y + 22, "TOTAL", "mono-bold", 28)
    sheet.write(392, y + 22, "31.00", "mono-bold", 28, anchor="ra")
    sheet.write(28, y + 70, "CASH", "mono", 22)
    sheet.write(392, y + 70, "40.00", "mono", 22, anchor="ra")
    sheet.write(28, y + 106, "CHANGE", "mono", 22)
    sheet.write(392, y + 106, "9.00", "mono", 22, anchor="ra")
    sheet.write(210, y + 162, "Thank you for shopping", "mono", 20, anchor="ma")
    sheet.write(210, y + 192, "Please come again", "mono", 20, anchor="ma")
    sheet.image = grain(tilt(on_ground(sheet.image, 36, TABLE), 2.1, TABLE), 4, 11)
    return sheet


def receipt_zh() -> Sheet:
    """A supermarket receipt in weak light."""
    sheet = Sheet(440, 640, (238, 236, 230), (52, 50, 56))
    sheet.write(220, 28, "青禾生活超市", "zenhei", 34, anchor="ma")
    sheet.write(220, 78, "购物小票", "zenhei", 24, anchor="ma")
    sheet.write(28, 122, "单号 20458631", "zenhei", 22)
    sheet.write(28, 154, "收银员 07", "zenhei", 22)
    sheet.rule(24, 192, 416, 192, width=2)
    y = 208
    for item, price in (
        ("东北大米", "45.80"),
        ("新鲜鸡蛋", "16.50"),
        ("纯牛奶", "32.00"),
        ("红富士苹果", "21.60"),
        ("洗衣液", "28.90"),
    ):
        sheet.write(28, y, item, "zenhei", 24)
        sheet.write(412, y, price, "mono", 24, anchor="ra")
        y += 40
    sheet.rule(24, y + 4, 416, y + 4, width=2)
    sheet.write(28, y + 20, "合计", "zenhei", 30)
    sheet.write(412, y + 20, "144.80", "mono-bold", 30, anchor="ra")
    sheet.write(28, y + 72, "微笑服务", "zenhei", 22)
    sheet.write(412, y + 72, "件数 5", "zenhei", 22, anchor="ra")
    sheet.write(220, y + 124, "谢谢惠顾欢迎再来", "zenhei", 24, anchor="ma")
    image = tilt(on_ground(sheet.image, 30, (70, 66, 62)), -1.6, (70, 66, 62))
    sheet.image = grain(blur(shade(image, 0.62, 0.36, 1.0, 0.85), 0.7), 5, 12)
    return sheet


def road_sign() -> Sheet:
    """A blue motorway sign seen from the side, against the sky."""
    sheet = Sheet(720, 420, (18, 86, 160), (248, 250, 252))
    sheet.draw.rounded_rectangle((10, 10, 709, 409), 22, outline=sheet.ink, width=5)
    sheet.write(50, 44, "云溪大道", "noto-bold", 72)
    sheet.write(50, 148, "Yunxi Avenue", "inter-bold", 42)
    sheet.rule(50, 222, 670, 222, sheet.ink, 4)
    sheet.write(50, 248, "前方出口", "noto-bold", 58)
    sheet.write(670, 252, "800 m", "inter-bold", 54, anchor="ra")
    sheet.write(50, 336, "South Gate", "inter-bold", 40)
    image = seen_from_the_side(on_ground(sheet.image, 50, (176, 200, 222)), 0.07, (176, 200, 222))
    sheet.image = grain(shade(image, 1.04, 0.86), 5, 13)
    return sheet


def shop_sign() -> Sheet:
    """A shop front lit in the evening."""
    sheet = Sheet(760, 300, (92, 26, 30), (246, 214, 140))
    sheet.draw.rectangle((14, 14, 745, 285), outline=(190, 150, 84), width=4)
    sheet.write(380, 36, "山茶书店", "song-bold", 108, anchor="ma")
    sheet.write(380, 206, "CAMELLIA BOOKS", "inter-bold", 46, anchor="ma")
    image = on_ground(sheet.image, 44, (48, 40, 38))
    sheet.image = grain(blur(shade(image, 0.72, 1.02, 1.05, 0.7), 0.9), 6, 14)
    return sheet


def badge() -> Sheet:
    """A name badge; its white ground becomes transparent when it is saved."""
    sheet = Sheet(520, 300, (255, 255, 255), (28, 44, 72))
    sheet.draw.rounded_rectangle((8, 8, 511, 291), 24, fill=(232, 240, 250), outline=(60, 98, 160), width=4)
    sheet.write(40, 36, "Lakeside Conference", "inter", 30)
    sheet.write(40, 102, "Mira Holloway", "inter-bold", 52)
    sheet.write(40, 182, "Civil Engineer", "inter", 32)
    sheet.write(40, 234, "Seat 27", "inter", 28)
    return sheet


def ticket() -> Sheet:
    """A train ticket on coloured paper, tilted."""
    sheet = Sheet(640, 330, (226, 236, 246), (30, 36, 52))
    for x in range(-330, 640, 22):
        sheet.rule(x, 330, x + 330, 0, (214, 226, 240), 3)
    sheet.write(36, 26, "K 582 次", "song-bold", 36)
    sheet.write(604, 30, "二等座", "song", 30, anchor="ra")
    sheet.write(36, 92, "清河", "song-bold", 52)
    sheet.write(604, 92, "望海", "song-bold", 52, anchor="ra")
    sheet.write(36, 158, "Qinghe", "times", 30)
    sheet.write(604, 158, "Wanghai", "times", 30, anchor="ra")
    sheet.write(36, 214, "2031 年 5 月 16 日", "song", 30)
    sheet.write(604, 214, "06 车 12 号", "song", 30, anchor="ra")
    sheet.write(36, 268, "票价 128.5 元", "song", 30)
    sheet.image = grain(tilt(on_ground(sheet.image, 40, (92, 96, 88)), -2.4, (92, 96, 88)), 4, 15)
    return sheet


def chat_zh() -> Sheet:
    """A chat on a telephone: bubbles left and right."""
    sheet = Sheet(560, 640, (237, 237, 237), (22, 22, 22))
    sheet.draw.rectangle((0, 0, 560, 64), fill=(247, 247, 247))
    sheet.write(280, 14, "周末徒步小队", "noto-bold", 28, anchor="ma")
    talk = [
        (0, "明天早上七点集合"),
        (1, "好的我带水和面包"),
        (0, "记得穿防滑的鞋子"),
        (1, "山上会下雨吗"),
        (0, "天气预报说是晴天"),
        (1, "那就太好了明天见"),
    ]
    y = 96
    for mine, text in talk:
        width = font("noto", 26).getlength(text) + 44
        x = 536 - width if mine else 24
        sheet.draw.rounded_rectangle((x, y, x + width, y + 62), 14, fill=(149, 236, 105) if mine else (255, 255, 255))
        sheet.write(x + 22, y + 10, text, "noto", 26)
        y += 88
    return sheet


def terminal() -> Sheet:
    """A terminal window."""
    sheet = Sheet(760, 380, (24, 26, 32), (214, 222, 230))
    sheet.draw.rectangle((0, 0, 760, 36), fill=(48, 52, 60))
    texts = [
        "backup started at 09 30",
        "checking 482 folders",
        "copied 15873 files",
        "skipped 26 links",
        "verified every checksum",
        "finished without errors",
    ]
    sheet.block(28, 62, texts, "mono", 26, 50)
    return sheet
