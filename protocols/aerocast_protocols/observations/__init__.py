"""What a gateway saw: the one vocabulary of agent and hub. `every` has all kinds together.

Fields are added with a default, never renamed and never given a second meaning. Units are in the
names; unknown is ``None``. On the wire an observation is a msgpack map tagged by ``kind``, with
fields at their default left out.
"""
