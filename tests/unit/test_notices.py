"""What a result says of how it came to be is said in Chinese too."""

from __future__ import annotations

import re

import pytest

from shared import notices


@pytest.mark.parametrize("notice", notices.KNOWN, ids=lambda notice: notice.english[:20])
def test_every_notice_is_found_again_by_its_sentence(notice: notices.Notice) -> None:
    names = re.findall(r"{(\w+)}", notice.english)
    assert sorted(names) == sorted(re.findall(r"{(\w+)}", notice.chinese))
    values = {name: f"{number}.5" for number, name in enumerate(names)}
    said = notices.chinese(notice.said(**values))
    assert said == notice.chinese.format(**values)
    assert re.search("[\u4e00-\u9fff]", said)


def test_a_sentence_of_an_operator_s_own_stays() -> None:
    assert notices.chinese("the paper was wet") == "the paper was wet"
