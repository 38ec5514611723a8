"""Chinese number plates: a line that has the form of one is hardly a chance.

A province's character, an office's letter, five signs (six on new-energy plates), a dot between that not every recogniser
reads; I and O are not used. Source: the national standard for number plates, GA 36-2018.
"""

from __future__ import annotations

import re

PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
SIGNS = "A-HJ-NP-Z0-9"
KINDS = "挂学警港澳领"  # in place of the last sign: trailers, learners, police, Hong Kong, Macao, consulates
PLATE = re.compile(
    rf"(?<![A-Za-z0-9])[{PROVINCES}][A-HJ-NP-Z][·•.\- ]?(?:[{SIGNS}]{{5,6}}|[{SIGNS}]{{4}}[{KINDS}])(?![A-Za-z0-9])"
)


def whole_plates(text: str) -> int:
    """How many whole number plates stand in a text."""
    return len(PLATE.findall(text))
