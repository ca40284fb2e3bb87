"""A wind field of particles, to measure ours by: after the Meteo-Particle model.

J. Sun, H. Vu, J. Ellerbroek, J. Hoekstra: Weather field reconstruction using aircraft surveillance
data and a novel meteo-particle model, PLoS ONE 13(10) e0205029, 2018; its published defaults. Every
wind becomes particles that wander, age and carry it on; the wind at a place is their mean, nearer,
younger and less travelled ones counting more. Written from the description.
"""

import numpy as np

PARTICLES = 300
AGE_S, TRAVEL_KM = 180.0, 30.0  # standard deviations of their weights
WALK_KM, WALK_UP_KM = 5.0, 0.1  # a step's, and of where they begin
STEP_S = 15.0
NEAR_KM, NEAR_UP_KM = 20.0, 0.5
FEWEST = 10  # particles near by, to answer
ACCEPTED = 3.0  # spreads that a new wind may be off
SPREAD_KT = 2.0


class ParticleField:
    """Holds the particles; places are kilometres east, north and up."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._place = np.empty((3, 0))
        self._origin = np.empty((3, 0))
        self._wind = np.empty((2, 0))
        self._age_s = np.empty(0)
        self._aircraft = np.empty(0, np.intp)

    def step(self, places: np.ndarray, winds: np.ndarray, aircraft: list[int]) -> None:
        """Let a step pass, then take winds met within it: shapes (3, n) and (2, n), knots."""
        walk = np.array([[WALK_KM], [WALK_KM], [WALK_UP_KM]])
        self._place = self._place + self._rng.normal(size=self._place.shape) * walk
        self._age_s = self._age_s + STEP_S
        kept = (self._age_s < 3 * AGE_S) & (self._place[2] > -0.5)
        kept &= np.abs(self._place[:2]).max(axis=0, initial=0.0) < 300.0
        self._keep(kept)
        for place, wind, number in zip(places.T, winds.T, aircraft, strict=True):
            known = self.at(place)
            if known is not None:
                off = np.hypot(*(wind - known[0])) / max(known[1], SPREAD_KT)
                if self._rng.random() > np.exp(-0.5 * (off / ACCEPTED) ** 2):
                    continue
            begin = place[:, None] + self._rng.normal(size=(3, PARTICLES)) * walk
            self._place = np.hstack((self._place, begin))
            self._origin = np.hstack((self._origin, begin))
            noise = self._rng.normal(size=(2, PARTICLES)) * SPREAD_KT
            self._wind = np.hstack((self._wind, wind[:, None] + noise))
            self._age_s = np.concatenate((self._age_s, np.zeros(PARTICLES)))
            self._aircraft = np.concatenate((self._aircraft, np.full(PARTICLES, number)))

    def at(self, place: np.ndarray) -> tuple[np.ndarray, float, int] | None:
        """Give the wind at a place, its spread and how many aircraft it is from.

        None where too few particles are.
        """
        apart = np.abs(self._place - place[:, None])
        near = (apart[0] < NEAR_KM) & (apart[1] < NEAR_KM) & (apart[2] < NEAR_UP_KM)
        if near.sum() < FEWEST:
            return None
        away = (apart[:2, near] ** 2).sum(axis=0)
        travelled = ((self._place[:2, near] - self._origin[:2, near]) ** 2).sum(axis=0)
        weights = np.exp(
            -0.5 * (away + travelled) / TRAVEL_KM**2 - 0.5 * (self._age_s[near] / AGE_S) ** 2
        )
        wind = self._wind[:, near]
        mean = (weights * wind).sum(axis=1) / weights.sum()
        off = ((wind - mean[:, None]) ** 2).sum(axis=0)
        spread = float(np.sqrt((weights * off).sum() / weights.sum()))
        return mean, spread, len(np.unique(self._aircraft[near]))

    def _keep(self, kept: np.ndarray) -> None:
        self._place, self._origin = self._place[:, kept], self._origin[:, kept]
        self._wind, self._age_s = self._wind[:, kept], self._age_s[kept]
        self._aircraft = self._aircraft[kept]
