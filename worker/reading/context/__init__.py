"""What the rest of a line says about a doubtful character: `lexicon` knows words, `settle` weighs them against the pixels,
and on damaged lines `spell` puts known words for unknown ones. `plates` and `amounts` know two forms of text that are
known as a whole: number plates, and sums in Chinese numerals."""

from worker.reading.context.amounts import settled as sums
from worker.reading.context.lexicon import lexicon
from worker.reading.context.plates import whole_plates
from worker.reading.context.settle import LEAST_CHANGE, Context, scope_of
from worker.reading.context.spell import Speller, Steps, known_words, unknown_words

__all__ = [
    "LEAST_CHANGE",
    "Context",
    "Speller",
    "Steps",
    "known_words",
    "lexicon",
    "scope_of",
    "sums",
    "unknown_words",
    "whole_plates",
]
