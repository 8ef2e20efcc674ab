"""What the processes of one service have counted together, so that a scrape of any of them sees all."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import msgspec

Numbers = Mapping[tuple[str, str, str], float]  # by client, what and which
_FILE = msgspec.json.Decoder(list[tuple[tuple[str, str, str], float]])


class Siblings:
    """Processes that keep their numbers in one folder, each in a file of its own; what a process counted that died stays."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mine = folder / f"{uuid.uuid4().hex}.json"

    def keep(self, numbers: Numbers) -> None:
        """Let the others see the numbers of this process, which only ever grow."""
        new = self._mine.with_suffix(".new")
        new.write_bytes(msgspec.json.encode(list(numbers.items())))
        new.replace(self._mine)

    def together(self, numbers: Numbers) -> Numbers:
        """The numbers of all. Those of this process are kept first: what one scrape has seen, the next sees wherever it is answered."""
        self.keep(numbers)
        summed: dict[tuple[str, str, str], float] = defaultdict(float)
        for file in self._folder.glob("*.json"):
            for key, number in _FILE.decode(file.read_bytes()):
                summed[key] += number
        return summed
