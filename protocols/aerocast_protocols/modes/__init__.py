"""What aircraft transmit on 1090 MHz, from a receiver's bytes to position, wind and temperature.

`frames` needs pyModeS and imports it at its own top; what follows aircraft (`squitters`, `commb`)
does without, so a gateway never loads it.
"""
