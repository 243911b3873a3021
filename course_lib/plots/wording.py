"""Numbers as people say them."""


def spoken(number: float) -> str:
    """A count in three digits: 640, 1.8 k, 29.8 M, 138 M, 15.5 G."""
    size = float(number)
    for unit in ("", " k", " M"):
        if size < (999.5 if unit else 1000):
            break
        size /= 1000
    else:
        unit = " G"
    return f"{size:,.{1 if unit and size < 99.95 else 0}f}{unit}"


def percent(share: float) -> str:
    """A share in percent, never rounded to nothing or to all."""
    if 0 < share < 0.0005:
        return "<0.1%"
    if 0.9995 <= share < 1:
        return ">99.9%"
    return f"{share:.0%}" if share in (0, 1) else f"{share:.1%}"


def listed(things: list[str]) -> str:
    """``["a", "b", "c"]`` as "a, b and c"."""
    return things[0] if len(things) == 1 else f"{', '.join(things[:-1])} and {things[-1]}" if things else ""


def counted(number: int, thing: str) -> str:
    """``counted(1, "pool")`` is "1 pool", ``counted(2, "pool")`` is "2 pools"."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
