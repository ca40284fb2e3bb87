"""GNSS receivers of u-blox: the binary protocol UBX, alone or mixed with NMEA 0183."""
