"""LLRP, the standard language of fixed UHF RFID readers (LLRP v1.0.1 and v1.1, EPCglobal)."""
