"""What RFID tags carry: bag tags (IATA RP 1740c) and everything else that is in a suitcase."""
