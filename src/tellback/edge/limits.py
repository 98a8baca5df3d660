"""Rate limits of keys: the generic cell rate algorithm (GCRA), in this process's memory.

A key may send a burst of its whole minute's allowance, and regains it evenly. Each web process counts for itself, so
with `n` processes a key may send up to `n` times its limit. Time is monotonic: setting the clock back locks nobody out.
"""

from dataclasses import dataclass, field


@dataclass(slots=True)
class RateLimiter:
    """Counts requests by key. `arrivals` holds when each key's allowance will be whole again, in monotonic seconds."""

    arrivals: dict[str, float] = field(default_factory=dict)

    def wait(self, key: str, *, per_minute: int, now: float) -> float:
        """0 when the request may pass (it is then counted), else the seconds until one may."""
        interval = 60.0 / per_minute
        whole_at = max(self.arrivals.get(key, 0.0), now)
        wait = whole_at + interval - now - 60.0
        if wait > 1e-9:
            return wait
        self.arrivals[key] = whole_at + interval
        if len(self.arrivals) > 10_000:
            self.arrivals = {known: at for known, at in self.arrivals.items() if at > now}
        return 0.0
