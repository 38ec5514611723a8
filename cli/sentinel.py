"""Outlives a supervisor that is killed, for a moment: it kills what that one left. Run as a script, by itself.

Its standard input is a pipe from the supervisor: `+PID` names a process group to remember, `-PID` one to forget, `done`
ends it quietly; the end of the pipe without `done` means that the supervisor is dead. Then every remembered group and every
process that carries the fleet's mark is killed. Nothing but the standard library is loaded: it stays small.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time

ROUNDS = 20  # a process that forks while it is hunted is met in the next round
ROUND_S = 0.05
QUIET_ROUNDS = 2  # a process in the middle of exec shows no environment for a moment


def hunt(mark: bytes, groups: set[int]) -> None:
    """Kill the groups, then whatever still carries the mark."""
    for group in groups:
        with contextlib.suppress(OSError):
            os.killpg(group, signal.SIGKILL)
    quiet = 0
    for _ in range(ROUNDS):
        found = False
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) == os.getpid():
                continue
            with contextlib.suppress(OSError):
                with open(f"/proc/{entry}/environ", "rb") as source:
                    if mark not in source.read().split(b"\0"):
                        continue
                os.kill(int(entry), signal.SIGKILL)
                found = True
        quiet = 0 if found else quiet + 1
        if quiet == QUIET_ROUNDS:
            return
        time.sleep(ROUND_S)


def main() -> None:
    """Wait for the pipe to end."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    groups = {int(word) for word in sys.argv[2:]}
    for line in sys.stdin:
        if line.strip() == "done":
            return
        if line.startswith("+"):
            groups.add(int(line))
        else:
            groups.discard(-int(line))
    hunt(sys.argv[1].encode(), groups)


if __name__ == "__main__":
    main()
