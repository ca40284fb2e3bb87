"""Barcode and QR scanners: framing, AIM identifiers, what a text is."""
