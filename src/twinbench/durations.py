"""Spans of time in words."""


def duration(seconds: float, *, rough: bool = False) -> str:
    """Return a span as `5 s`, `3 min 20 s` or `2 h 05 min`; a rough one in whole minutes, one at least."""
    minutes = max(1, round(seconds / 60))
    whole = round(seconds)
    if whole >= 3600 or (rough and minutes >= 60):
        return f"{minutes // 60} h {minutes % 60:02d} min"
    if rough:
        return f"{minutes} min"
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02d} s"
