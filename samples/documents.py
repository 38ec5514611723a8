"""Things on paper: an invoice, pages of books, notes, a report, a scan, a letter with real text."""

from __future__ import annotations

from PIL import Image, ImageDraw
from sheet import Sheet, blur, font, grain, seal, shade, stamped


def invoice_zh() -> Sheet:
    """An invoice with a ruled table, a little soft as from a flat-bed scanner."""
    sheet = Sheet(1000, 760, (253, 252, 248))
    sheet.write(500, 34, "销售清单", "song-bold", 46, anchor="ma")
    sheet.write(60, 116, "购买方 北辰科技有限公司", "song", 26)
    sheet.write(940, 116, "编号 0387 2046", "song", 26, anchor="ra")
    sheet.write(60, 160, "销售方 星河办公用品商行", "song", 26)
    sheet.write(940, 160, "2031 年 8 月 24 日", "song", 26, anchor="ra")
    top, step = 216, 58
    columns = [60, 420, 560, 740, 940]
    rows = [
        ("货物名称", "数量", "单价", "金额"),
        ("激光打印机", "2", "1280.00", "2560.00"),
        ("复印纸", "30", "24.50", "735.00"),
        ("文件柜", "4", "460.00", "1840.00"),
        ("白板笔", "60", "3.80", "228.00"),
        ("合计", "", "", "5363.00"),
    ]
    for number, row in enumerate(rows):
        y = top + number * step
        sheet.rule(60, y, 940, y, width=2)
        for cell, left, right in zip(row, columns, columns[1:], strict=False):
            if cell:
                sheet.write((left + right) / 2, y + 12, cell, "song-bold" if number == 0 else "song", 27, anchor="ma")
    bottom = top + len(rows) * step
    sheet.rule(60, bottom, 940, bottom, width=2)
    for x in columns:
        sheet.rule(x, top, x, bottom, width=2)
    sheet.write(60, bottom + 30, "金额大写 伍仟叁佰陆拾叁元整", "song", 28)
    sheet.write(60, bottom + 84, "开票人 沈若水", "song", 26)
    sheet.write(500, bottom + 84, "复核 顾长青", "song", 26)
    sheet.image = grain(blur(shade(sheet.image, 1.0, 0.93), 0.6), 2.5, 21)
    return sheet


def contract_zh() -> Sheet:
    """The end of a contract, scanned: a seal over the names below, and a watermark across the page."""
    sheet = Sheet(1000, 900, (253, 252, 249))
    mark = Image.new("L", (420, 60), 0)
    ImageDraw.Draw(mark).text((210, 30), "内部资料 请勿外传", 60, font("noto", 44), anchor="mm")
    mark = mark.rotate(24, resample=Image.Resampling.BICUBIC, expand=True)
    sheet.write(500, 44, "设备租赁补充协议", "song-bold", 42, anchor="ma")
    texts = [
        "第一条 租赁期限延长至 2032 年 12 月 31 日",
        "第二条 每月租金调整为 8650.00 元",
        "第三条 乙方应当在每月 10 日以前付清当月租金",
        "第四条 其余条款按照原协议 PH 0917 执行",
        "第五条 本协议一式两份 双方各执一份",
    ]
    sheet.block(80, 130, texts, "song", 30, 66)
    for row, (left, right) in enumerate(
        [
            ("甲方 浦汇机械设备有限公司", "乙方 云帆食品厂"),
            ("代表 沈国栋", "代表 韩雪梅"),
            ("日期 2031 年 11 月 28 日", "日期 2031 年 11 月 29 日"),
        ]
    ):
        sheet.write(80, 500 + 58 * row, left, "song", 28)
        sheet.write(560, 500 + 58 * row, right, "song", 28)
    for x, y in ((80, 690), (540, 690)):
        sheet.image.paste((120, 124, 132), (x, y), mark)
    sheet.image = stamped(
        sheet.image, seal(250, "浦汇机械设备有限公司", "合同专用章", "3101150088213", lean=-8), 270, 440
    )
    sheet.lines += ["浦汇机械设备有限公司", "合同专用章", "3101150088213", "内部资料 请勿外传", "内部资料 请勿外传"]
    sheet.image = grain(blur(shade(sheet.image, 1.0, 0.95), 0.5), 2.5, 22)
    return sheet


def page_en() -> Sheet:
    """A page of plain print."""
    sheet = Sheet(900, 700, (255, 255, 255))
    sheet.write(70, 50, "The Lighthouse Keeper", "times", 46)
    texts = [
        "The lamp had burned for ninety years before",
        "anyone thought of writing down its story. Each",
        "evening the keeper climbed the iron stairs and",
        "trimmed the wick while the wind tried the door.",
        "Ships passed far below, small and silent, and he",
        "counted them in a green book that nobody read.",
        "When the storm of that winter finally broke the",
        "great window, he carried the flame inside his",
        "coat and set it down in the kitchen, where it",
        "went on shining until the morning came.",
    ]
    sheet.block(70, 136, texts, "times", 36, 52)
    return sheet


def page_zh() -> Sheet:
    """A page of a book in a Song face."""
    sheet = Sheet(760, 900, (250, 247, 238), (34, 30, 28))
    sheet.write(380, 60, "第三章 山间的驿站", "song-bold", 40, anchor="ma")
    texts = [
        "天色渐渐暗下来的时候马车终于停",
        "在一座石桥旁边。桥下的溪水清澈见",
        "底几条小鱼在石缝之间来回游动。",
        "驿站的主人是一位头发花白的老人",
        "他提着灯笼走出来把客人迎进屋里。",
        "炉火烧得正旺锅里的热汤冒着白气",
        "满屋子都是香味。大家围着桌子坐下",
        "听老人讲起许多年前的往事。",
        "窗外的雪越下越大远处的山峰慢慢",
        "消失在夜色之中。",
    ]
    sheet.block(90, 160, texts, "song", 36, 66)
    sheet.image = grain(shade(sheet.image, 0.95, 1.0), 2, 22)
    return sheet


def vertical_zh() -> Sheet:
    """A page set in the old way: columns of upright characters, the first one on the right."""
    sheet = Sheet(620, 620, (246, 240, 222), (30, 26, 22))
    texts = ["春天的风吹过田野", "溪水带着花瓣远去", "老人坐在门前喝茶", "孩子追着纸鸢奔跑", "黄昏时炊烟升起来"]
    for column, text in enumerate(texts):
        for row, char in enumerate(text):
            sheet.draw.text(
                (520 - 106 * column, 70 + 62 * row), char, font=font("song", 46), fill=sheet.ink, anchor="ma"
            )
        sheet.lines.append(text)
    sheet.image = grain(sheet.image, 2, 25)
    return sheet


def two_columns() -> Sheet:
    """A newsletter of two columns: the order of reading is down the left one first."""
    sheet = Sheet(1000, 560, (255, 255, 255))
    sheet.write(500, 30, "Garden Newsletter", "serif", 42, anchor="ma")
    sheet.rule(50, 100, 950, 100, width=2)
    left = [
        "Sow the beans in rows",
        "once the frost is over.",
        "Cover them with straw",
        "and water every second",
        "day until they climb",
        "the wooden poles.",
    ]
    right = [
        "Prune the old roses",
        "before the buds open.",
        "Collect fallen leaves",
        "for the compost heap",
        "and turn it once each",
        "month with a fork.",
    ]
    sheet.block(60, 136, left, "serif", 32, 62)
    sheet.block(550, 136, right, "serif", 32, 62)
    return sheet


def note_en() -> Sheet:
    """A note in a handwriting font, dark blue ink on ruled paper."""
    sheet = Sheet(760, 560, (252, 250, 240), (32, 44, 112))
    for y in range(96, 560, 58):
        sheet.rule(0, y, 760, y, (190, 208, 228), 2)
    sheet.rule(70, 0, 70, 560, (228, 160, 160), 2)
    texts = [
        "Dear Hannah",
        "the parcel came this morning",
        "and the cake was still warm",
        "We shared it at dinner",
        "See you next week at noon",
        "many greetings Oliver",
    ]
    sheet.block(96, 100, texts, "breip", 56, 58, jitter=2)
    sheet.image = grain(shade(sheet.image, 1.0, 0.9), 3, 23)
    return sheet


def note_zh() -> Sheet:
    """A note in a Kai face on squared paper."""
    sheet = Sheet(700, 520, (251, 250, 244), (40, 40, 60))
    for y in range(80, 520, 66):
        sheet.rule(40, y, 660, y, (206, 222, 206), 2)
    texts = [
        "亲爱的妈妈",
        "我们已经平安到家",
        "路上的风景非常美丽",
        "孩子们都很想念您",
        "下个月再去看望您",
        "祝您身体健康",
    ]
    sheet.block(60, 90, texts, "kai", 42, 66, jitter=2)
    sheet.image = grain(shade(sheet.image, 0.9, 1.0), 3, 24)
    return sheet


def report_pages() -> list[Sheet]:
    """Five pages, Chinese and English, for a PDF that holds pictures only."""
    chapters = [
        (
            "年度工作报告",
            "Annual Report",
            ["本报告介绍全年的主要工作", "内容包括生产销售与服务", "Prepared by the planning office"],
        ),
        ("一 生产情况", "Production", ["全年完成产品 48200 件", "比去年增长 12.5%", "Two new workshops were opened"]),
        ("二 销售情况", "Sales", ["国内销售额 3650 万元", "海外销售额 970 万元", "Exports went to nine countries"]),
        (
            "三 客户服务",
            "Customer Service",
            ["共接听电话 26480 次", "客户满意度达到 97%", "Most questions were solved at once"],
        ),
        ("四 明年计划", "Plans for Next Year", ["建设第三座仓库", "培训五十名技术人员", "Thank you for reading"]),
    ]
    pages = []
    for number, (title, subtitle, body) in enumerate(chapters, 1):
        sheet = Sheet(794, 1000, (255, 255, 255))
        sheet.write(90, 110, title, "noto-bold", 48)
        sheet.write(90, 190, subtitle, "inter", 34)
        sheet.rule(90, 260, 704, 260, (60, 98, 160), 4)
        sheet.block(90, 310, body, "noto", 34, 74)
        sheet.write(397, 920, f"Page {number} of 5", "inter", 24, anchor="ma")
        pages.append(sheet)
    return pages


def scan_pages() -> list[Sheet]:
    """Three pages of a fax."""
    letters = [
        ["Meeting Minutes", "Present were all seven members", "The budget was approved", "Next meeting on Thursday"],
        ["Open Questions", "Who will order the timber", "When does the bridge close", "How many volunteers can help"],
        ["Decisions", "The roof is repaired in spring", "Ticket prices stay the same", "The museum opens on Mondays"],
    ]
    pages = []
    for texts in letters:
        sheet = Sheet(1000, 620, (255, 255, 255), (0, 0, 0))
        sheet.write(90, 80, texts[0], "serif", 50)
        sheet.block(90, 200, texts[1:], "serif", 40, 90)
        pages.append(sheet)
    return pages


def letter_pdf() -> Sheet:
    """A one-page letter set in Helvetica by the PDF viewer itself."""
    sheet = Sheet(595, 842)
    sheet.lines = [
        "Maple Street Library",
        "Dear reader,",
        "the book you asked for has arrived.",
        "We will keep it at the front desk for ten days.",
        "Please bring your library card.",
        "Kind regards,",
        "Edith Marlowe",
    ]
    shown = ["BT /F1 22 Tf 72 760 Td (Maple Street Library) Tj ET"]
    shown += [f"BT /F1 14 Tf 72 {700 - 30 * row} Td ({text}) Tj ET" for row, text in enumerate(sheet.lines[1:])]
    stream = "\n".join(shown).encode("ascii")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 6\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    sheet.pdf = out + b"trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % table
    return sheet
