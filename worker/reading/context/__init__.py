"""What the rest of a line says about a doubtful character: `lexicon` knows words, `settle` weighs them against the pixels,
and on damaged lines `spell` puts known words for unknown ones. `plates`, `amounts` and `codes` know forms of text that
are known as a whole: number plates, sums in Chinese numerals, and the codes of Chinese firms."""

from worker.reading.context.amounts import settled as sums
from worker.reading.context.codes import settled as credit_codes
from worker.reading.context.lexicon import lexicon
from worker.reading.context.plates import whole_plates
from worker.reading.context.settle import LEAST_CHANGE, Context, scope_of
from worker.reading.context.spell import Speller, Steps, known_words, regular, unknown_words

__all__ = [
    "LEAST_CHANGE",
    "Context",
    "Speller",
    "Steps",
    "credit_codes",
    "known_words",
    "lexicon",
    "regular",
    "scope_of",
    "sums",
    "unknown_words",
    "whole_plates",
]
