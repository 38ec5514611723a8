"""Characters that the stronger recogniser guessed at, settled by the CRNN where that one was sure.

Of a doubtful line the stronger engine's reading stands as a whole, though the CRNN seldom doubts more than a word of it, and now and
then the stronger one guesses where the CRNN does not (*RH* for RM, *32OML* for 320ML). Where both agree on what stands
around it, the sure character takes the place of the guess. Signs and accented letters that the CRNN hardly knows (µ, É) are not
for it to settle, nor are Chinese characters: it is sure of 税 where 稅 stands.
"""

from __future__ import annotations

from worker.reading.recogniser import ReadChar, Reading, compared, reading_of

GUESS = 0.7  # confidence below which a character is one; of 1,420 doubtful lines of pages 4 gained a word so, and none lost any
SURE = 0.9  # confidence that the other reading must have instead
MOST = 2  # characters in a row


def settled(reading: Reading, other: Reading) -> Reading:
    """`reading`, of the same picture as `other`, with the sure characters of `other` for its guesses; the very same where there
    is none. A figure gives way to figures only."""
    own, theirs = reading.chars, other.chars
    chars: list[ReadChar] = []
    for kind, first, end, from_, to in compared(own, theirs):
        mine, their = own[first:end], theirs[from_:to]
        better = kind == "replace" and max(len(mine), len(their)) <= MOST and _better(mine, their)
        chars += their if better else mine
    return reading if [*own] == chars else reading_of(chars, reading.engine)


def _better(guess: tuple[ReadChar, ...], sure: tuple[ReadChar, ...]) -> bool:
    if max(char.confidence for char in guess) >= GUESS or min(char.confidence for char in sure) < SURE:
        return False
    texts = [char.text for char in (*guess, *sure)]
    if not all(text.isascii() and text.strip() and text not in "()[]|" for text in texts):
        return False
    return all(char.text.isdigit() for char in sure) or not any(char.text.isdigit() for char in guess)
