"""Count the edits between two words."""

_MAX_EDITS = 2


def count_edits(one: str, other: str) -> int:
    """Return how many letters must be changed, added, left out or swapped with their neighbour, or 3 for more than two."""
    if abs(len(one) - len(other)) > _MAX_EDITS:
        return _MAX_EDITS + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for line, letter in enumerate(one, 1):
        two_before, before, row = before, row, [line]
        for column, target in enumerate(other, 1):
            cost = min(before[column] + 1, row[column - 1] + 1, before[column - 1] + (letter != target))
            if line > 1 and column > 1 and letter == other[column - 2] and one[line - 2] == target:
                cost = min(cost, two_before[column - 2] + 1)
            row.append(cost)
    return min(row[-1], _MAX_EDITS + 1)
