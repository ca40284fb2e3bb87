"""Run the gateway of ``gateway.py``, and read what it said before it died."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

GATEWAY = Path(__file__).with_name("gateway.py")
NUMBERS_A_LIFE = 10**9
START_WITHIN_S = 60.0


class Key(NamedTuple):
    """Where an observation stands."""

    epoch: int
    lane: int
    sequence: int


class Journal:
    """What all lives of a gateway saw, and what they called durable."""

    def __init__(self):
        self.seen = {}  # number -> Key
        self.durable = set()  # numbers
        self.epochs = []
        self.ended_empty = False

    def read(self, text):
        """Take in what one life said; its last line may be cut short."""
        first = None
        for line in text.splitlines():
            try:
                kind, *said = json.loads(line)
            except ValueError:
                break
            self.ended_empty = kind == "empty"
            if kind == "epoch":
                self.epochs.append(said[0])
            elif kind == "seen":
                epoch, start, places = said
                first = start if first is None else first
                for number, (lane, sequence) in enumerate(places, start):
                    self.seen[number] = Key(epoch, lane, sequence)
            elif kind == "durable" and first is not None:
                self.durable.update(range(first, said[0] + 1))

    def check(self, stored, evicted):
        """Compare every number with what the hub has.

        Parameters
        ----------
        stored
            Key -> number, None for the gateway's own news.
        evicted
            Set of keys given up with a record.
        """
        by_number = {}
        for key, number in stored.items():
            if number is not None:
                assert number not in by_number, f"{number} is stored twice"
                by_number[number] = key
        for number, key in self.seen.items():
            assert by_number.get(number, key) == key, f"{number} is stored elsewhere"
        lost = [
            number
            for number in self.durable
            if number not in by_number and self.seen[number] not in evicted
        ]
        assert not lost, f"{len(lost)} of {len(self.durable)} durable are lost: {sorted(lost)[:5]}"
        lives = {number // NUMBERS_A_LIFE for number in self.seen}
        unheard = set(by_number) - self.seen.keys()
        assert {number // NUMBERS_A_LIFE for number in unheard} <= lives, "nobody saw these"


class Life:
    """One life of a gateway: a process, and its journal in a file."""

    def __init__(self, spool, number, *options, environment=None, journal_folder=None):
        folder = journal_folder or spool.parent
        self._journal = folder / f"{spool.stem}-life-{number}.jsonl"
        self._errors = self._journal.with_suffix(".log")
        with self._journal.open("wb") as out, self._errors.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, GATEWAY, spool, "--first", str(number * NUMBERS_A_LIFE + 1)]
                + [str(each) for each in options],
                stdout=out,
                stderr=err,
                env={**os.environ, **(environment or {})},
            )

    def said(self):
        return self._journal.read_text()

    def errors(self):
        return self._errors.read_text()

    def durable(self):
        """Give the numbers it has called durable so far."""
        told = Journal()
        told.read(self.said())
        return told.durable

    def kill(self):
        self.process.kill()
        self.process.wait()

    def finish(self, seconds):
        """See no more, and end when the hub has everything."""
        ends_s = time.monotonic() + START_WITHIN_S
        while '"epoch"' not in self.said():  # before that it knows no SIGTERM
            assert self.process.poll() is None, self.errors()[-2000:]
            assert time.monotonic() < ends_s, "it does not start"
            time.sleep(0.02)
        self.process.send_signal(signal.SIGTERM)
        try:
            assert self.process.wait(seconds) == 0, self.errors()[-2000:]
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise AssertionError(f"not empty after {seconds} s: {self.errors()[-2000:]}") from error
