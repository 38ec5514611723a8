"""What the rest of a line says about a doubtful character: `lexicon` knows words, `settle` weighs them against the pixels."""

from worker.reading.context.lexicon import lexicon
from worker.reading.context.settle import LEAST_CHANGE, Context

__all__ = ["LEAST_CHANGE", "Context", "lexicon"]
