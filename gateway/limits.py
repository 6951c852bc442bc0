"""Counting requests per session and per address. Pure: time comes in as a number, nothing is stored but counts."""

from __future__ import annotations

from collections import deque


class Window:
    """Allows ``most`` events per key in any ``seconds``. Forgets idle keys, so a flood of keys does not fill memory."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most = most
        self._seconds = seconds
        self._seen: dict[str, deque[float]] = {}
        self._swept = 0.0

    def allow(self, key: str, now: float) -> bool:
        """Count one event of ``key`` at ``now`` and return True, or return False when it is one too many."""
        if now - self._swept > self._seconds:
            self._sweep(now)
        times = self._seen.setdefault(key, deque())
        while times and times[0] <= now - self._seconds:
            times.popleft()
        if len(times) >= self._most:
            return False
        times.append(now)
        return True

    def _sweep(self, now: float) -> None:
        self._swept = now
        self._seen = {key: times for key, times in self._seen.items() if times and times[-1] > now - self._seconds}
