"""Contactless cards and NFC tags: APDUs, what an ATR says, Type 2 and Type 4 memory, NDEF."""
