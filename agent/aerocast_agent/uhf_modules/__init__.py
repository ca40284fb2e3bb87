"""How to talk to UHF RFID modules on serial lines: a file for each family, one interface."""
