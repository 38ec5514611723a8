"""What `ocrfleet doctor` finds: a level, what is so, and what to do about it, in both languages."""

from __future__ import annotations

from dataclasses import dataclass

from cli.words import pick

OK, NOTE, WARN, BAD = "ok", "note", "warn", "bad"
LEVELS = (OK, NOTE, WARN, BAD)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `advice` is empty where nothing is to be done."""

    level: str
    about: str
    english: str
    chinese: str
    advice: str = ""
    advice_zh: str = ""

    def said(self, lang: str) -> str:
        """What is so."""
        return pick(self.english, self.chinese, lang)

    def advised(self, lang: str) -> str:
        """What to do."""
        return pick(self.advice, self.advice_zh or self.advice, lang)

    def to_json(self) -> dict[str, str]:
        """For `--json`."""
        return {
            "level": self.level,
            "about": self.about,
            "finding": self.english,
            "finding_zh": self.chinese,
            "advice": self.advice,
            "advice_zh": self.advice_zh or self.advice,
        }


def gib(amount: float) -> str:
    """Bytes as GiB for a person."""
    return f"{amount / 1024**3:.1f} GiB"
