"""What the parts have measured: lines of names and numbers, and what is made of those of several rounds."""

import statistics


def read_rows(path):
    """The lines of a file, as dictionaries."""
    with open(path) as file:
        return [dict(item.split("=", 1) for item in line.split()) for line in file]


class Cell:
    """The rounds of one consumer in one place."""

    def __init__(self):
        self.rounds = {}

    def add(self, row):
        """Adds a round."""
        self.rounds[row["round"]] = row

    def values(self, measure):
        """One number of each round; `measure` is a name, or computes it."""
        compute = measure if callable(measure) else lambda row: float(row[measure])
        return [compute(row) for row in self.rounds.values()]

    def middle(self, measure):
        """The median over the rounds."""
        return statistics.median(self.values(measure))

    def spread(self, measure):
        """The lowest and the highest of the rounds."""
        values = self.values(measure)
        return min(values), max(values)

    def ratio(self, other, measure):
        """The median of the ratios to another consumer in the same round, or None."""
        both = self.rounds.keys() & (other.rounds.keys() if other else set())
        ratios = [measure(self.rounds[key]) / measure(other.rounds[key]) for key in both if measure(other.rounds[key])]
        return statistics.median(ratios) if ratios else None


def group(rows, *names):
    """Cells by the values of these names, in the order in which they came."""
    cells = {}
    for row in rows:
        cells.setdefault(tuple(row.get(name, "") for name in names), Cell()).add(row)
    return cells


def total(row):
    """Microseconds of CPU time for one event."""
    return float(row["user"]) + float(row["system"])


def rate(row):
    """Events a second."""
    return float(row["events"]) / float(row["seconds"])


def agent_cost(row):
    """Microseconds of the agent's CPU time for one event that it sent."""
    return (float(row["agent_user"]) + float(row["agent_system"])) / float(row["sent"])


def agent_busy(row):
    """The share of the measured time in which the agent was busy."""
    return agent_cost(row) * rate(row) / 1e6


def figure(value):
    """Three digits, without an exponent."""
    if value is None:
        return ""
    if value >= 100:
        return f"{value:.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}"


def table(head, rows):
    """A table in Markdown, as text."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n" + "\n".join(lines) + "\n"
