"""What is printed on receipts and forms."""

from __future__ import annotations

import random

from training.texts.chinese import chinese
from training.texts.english import english
from training.texts.figures import amount, code, date, digits, phone, time
from training.texts.lists import words
from training.texts.names import address, company, name


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
