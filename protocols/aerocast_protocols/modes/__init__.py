"""What aircraft transmit on 1090 MHz, from a receiver's bytes to position, wind and temperature.

Modules that need pyModeS (`frames`, `commb`) import it at their own top; nothing here imports
them, so a gateway without a receiver never loads it.
"""
