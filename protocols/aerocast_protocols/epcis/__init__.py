"""EPCIS 2.0 and CBV 2.0 (GS1): what an event must look like, and the hash that names it.

The words of the vocabulary, the JSON-LD context as far as events use it, and the schema are our
own tables of the standard's facts: GS1's files carry a disclaimer and no licence to pass them on.
Nothing here asks the network.
"""
