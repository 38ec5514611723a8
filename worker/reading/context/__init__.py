"""What the rest of a line says about a doubtful character: `lexicon` knows words, `settle` weighs them against the pixels,
and on damaged lines `spell` puts known words for unknown ones."""

from worker.reading.context.lexicon import lexicon
from worker.reading.context.settle import LEAST_CHANGE, Context, scope_of
from worker.reading.context.spell import Speller, Steps, known_words, unknown_words

__all__ = ["LEAST_CHANGE", "Context", "Speller", "Steps", "known_words", "lexicon", "scope_of", "unknown_words"]
