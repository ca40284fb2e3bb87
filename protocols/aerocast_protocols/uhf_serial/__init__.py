"""UHF RFID modules on serial lines: four families, each with frames and checksums of its own."""
