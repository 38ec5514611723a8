"""Pages with tables for `bench tables`: HTML of fourteen looks, drawn by a browser, which also says where every cell is."""

from __future__ import annotations

import html
import json
import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

LOOKS = (
    "full", "grey", "thick", "thin", "pale", "dashed", "double", "open sides", "dark heading",
    "columns only", "rows only", "three rules", "tinted rows", "no rules",
)  # fmt: skip
RULED = ("full", "grey", "thick", "thin", "pale", "dashed", "double", "open sides")  # in which cells may span
EN = (
    "Invoice Number Date Amount Description Quantity Unit Price Total Tax Discount Customer Address Phone Payment Terms Delivery Order Item "
    "Product Code Weight Colour Size Material Model Serial Warranty Service Rate Hours Project Manager Department Salary Region Sales Growth "
    "Margin Revenue Profit Cost Budget Forecast Actual Variance Share Market Segment Channel Partner Contract Status Pending Approved Monday "
    "January Temperature Pressure Voltage Power Speed Accuracy Recall Precision Method Baseline Training Validation Test"
)
ZH = (
    "发票号码 日期 金额 说明 数量 单价 合计 税率 税额 折扣 客户 地址 电话 邮箱 付款方式 交货 订单 项目 产品 编码 重量 颜色 尺寸 材料 型号 序列号 保修 "
    "服务 费率 工时 经理 部门 员工 工资 奖金 地区 销售额 增长率 毛利 收入 利润 成本 预算 预测 实际 差异 目标 份额 市场 渠道 合同 状态 已批准 完成 星期一 "
    "温度 压力 电压 功率 速度 备注 姓名 性别 出生年月 身份证号 毕业院校 学历 专业 工作单位 联系方式 申请人 审批意见"
)
FACES = {
    True: ("Noto Sans CJK SC", "Noto Serif CJK SC", "WenQuanYi Zen Hei"),
    False: ("Liberation Sans", "Liberation Serif", "DejaVu Sans"),
}
WHERE = """return [...document.querySelectorAll('table')].map((table) => {
  const taken = new Set(), cells = [];
  [...table.rows].forEach((tr, row) => {
    let column = 0;
    for (const cell of tr.cells) {
      while (taken.has(`${row},${column}`)) column += 1;
      for (let i = 0; i < cell.rowSpan; i += 1) for (let j = 0; j < cell.colSpan; j += 1) taken.add(`${row + i},${column + j}`);
      cells.push([row, column, cell.rowSpan, cell.colSpan, cell.innerText]);
      column += cell.colSpan;
    }
  });
  const box = table.getBoundingClientRect();
  return {look: table.dataset.look, box: [box.x, box.y, box.right, box.bottom], cells};
})"""


def page(seed: int) -> str:
    """A page of one to three tables with headings and prose between them, Chinese or English."""
    dice = random.Random(seed)
    chinese = dice.random() < 0.5
    body = ""
    for number in range(dice.randint(1, 3)):
        prose = (
            "，".join(words(dice, chinese, 8, 18) for _ in range(3)) + "。" if chinese else words(dice, chinese, 30, 60)
        )
        look = LOOKS[(seed * 3 + number) % len(LOOKS)]
        body += f"<h3>{words(dice, chinese, 2, 3)}</h3><p>{prose}</p>{table(dice, number, look, chinese)}"
    size, width = dice.choice((12, 13, 14, 15, 16)), dice.choice((640, 760, 860))
    style = f"body{{font:{size}px '{dice.choice(FACES[chinese])}';margin:30px;width:{width}px;line-height:1.4;background:#fff}}"
    return f"<html><meta charset=utf-8><style>{style}</style><body>{body}<p>{words(dice, chinese, 8, 20)}</p></body></html>"


def words(dice: random.Random, chinese: bool, least: int, most: int) -> str:
    """Some words; in Chinese half as many and together."""
    count = dice.randint(least, most)
    return (
        "".join(dice.choices(ZH.split(), k=max(1, count // 2)))
        if chinese
        else " ".join(dice.choices(EN.split(), k=count))
    )


def figure(dice: random.Random) -> str:
    """An amount, a count, a share, a date."""
    return dice.choice(
        (
            f"{dice.uniform(1, 9999):,.2f}", str(dice.randint(1, 999)), f"{dice.uniform(0, 100):.1f}%", f"¥{dice.uniform(1, 9999):,.2f}",
            f"{dice.randint(2019, 2035)}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}", f"{dice.uniform(-10, 100):.3f}",
        )
    )  # fmt: skip


def table(dice: random.Random, number: int, look: str, chinese: bool) -> str:
    """A table; cells of some looks span, some are empty, some have several lines."""
    rows, columns = dice.randint(3, 11), dice.randint(3, 7)
    spans = look in RULED and dice.random() < 0.5
    kinds = ["words", *(dice.choice(("words", "figure", "figure", "long")) for _ in range(columns - 1))]
    taken: set[tuple[int, int]] = set()
    out = ""
    for row in range(rows):
        out += "<tr>"
        for column in range(columns):
            if (row, column) in taken:
                continue
            down, across = _span(dice, row, column, rows, columns, taken) if spans else (1, 1)
            taken |= {(row + i, column + j) for i in range(down) for j in range(across)}
            text, side = _cell(dice, row, column, kinds[column], chinese)
            tag = "th" if row == 0 else "td"
            out += f'<{tag} rowspan={down} colspan={across} style="text-align:{side}">{html.escape(text)}</{tag}>'
        out += "</tr>"
    wide = dice.choice(("", "width:100%", "width:85%"))
    return (
        f'<style>{style(dice, number, look)}</style><table id=t{number} data-look="{look}" style="{wide}">{out}</table>'
    )


def _span(
    dice: random.Random, row: int, column: int, rows: int, columns: int, taken: set[tuple[int, int]]
) -> tuple[int, int]:
    if dice.random() > 0.12:
        return 1, 1
    down, across = (1, min(2, columns - column)) if dice.random() < 0.5 else (min(dice.randint(2, 3), rows - row), 1)
    free = not any((row + i, column + j) in taken for i in range(down) for j in range(across))
    return (down, across) if free and down < rows and across < columns else (1, 1)


def _cell(dice: random.Random, row: int, column: int, kind: str, chinese: bool) -> tuple[str, str]:
    """A cell's text and the side it stands at."""
    if row == 0:
        return words(dice, chinese, 1, 2), "center" if dice.random() < 0.7 else "left"
    if column and dice.random() < 0.06:
        return "", "left"
    if kind == "figure":
        return figure(dice), "right"
    return words(dice, chinese, *((4, 12) if kind == "long" and dice.random() < 0.4 else (1, 3))), "left"


def style(dice: random.Random, number: int, look: str) -> str:
    """CSS of a look."""
    t = f"#t{number}"
    cells = f"{t} td,{t} th"
    narrow = ("2px 4px", "3px 6px", "6px 10px", "8px 14px") if look in RULED else ("4px 12px", "6px 18px", "8px 16px")
    base = f"{t}{{border-collapse:collapse}} {cells}{{padding:{dice.choice(narrow)}}}"
    borders = {
        "full": "1px solid #000", "grey": "1px solid #bbb", "thick": "2px solid #333", "thin": "1px solid #ddd",
        "pale": "1px solid #e5e5e5", "dashed": "1px dashed #666", "double": "1px solid #000", "open sides": "1px solid #000",
    }  # fmt: skip
    more = {
        "grey": f"{t} th{{background:#f2f2f2}}",
        "double": f"{t}{{border:3px double #000}} {t} th{{background:#eef}}",
        "open sides": f"{t}{{border-style:hidden}}",
        "dark heading": f"{t} tr:first-child{{background:#2a4d7a;color:#fff}} {t} td{{border:1px solid #ccc}}",
        "columns only": f"{t}{{border:1px solid #000}} {cells}{{border-left:1px solid #000}} {t} tr:first-child{{border-bottom:1px solid #000}}",
        "rows only": f"{t} tr{{border-bottom:1px solid #ccc}}",
        "three rules": f"{t}{{border-top:2px solid #000;border-bottom:2px solid #000}} {t} tr:first-child{{border-bottom:1px solid #000}}",
        "tinted rows": f"{t} tr:nth-child(even){{background:#f0f4fa}} {t} tr:first-child{{background:#dde6f2}}",
    }
    return base + (f"{cells}{{border:{borders[look]}}}" if look in borders else "") + more.get(look, "")


def drawn(seeds: Sequence[int], folder: Path) -> list[tuple[Path, list[dict[str, Any]]]]:
    """A picture of each page at twice the size of its pixels, and its tables. Needs Chromium (`make browser`)."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    flags = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=2")
    for flag in (*flags, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    out = []
    try:
        for seed in seeds:
            source, picture = folder / f"{seed}.html", folder / f"{seed}.png"
            source.write_text(page(seed), encoding="utf-8")
            browser.set_window_size(980, 1400)
            browser.get(source.as_uri())
            browser.execute_script("return document.fonts.ready")
            browser.set_window_size(
                980, int(browser.execute_script("return document.documentElement.scrollHeight")) + 160
            )
            browser.save_screenshot(str(picture))
            tables = browser.execute_script(WHERE)
            for found in tables:
                found["box"] = [2 * value for value in found["box"]]
            out.append((picture, json.loads(json.dumps(tables))))
    finally:
        browser.quit()
    return out
