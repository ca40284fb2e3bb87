"""EPCIS 2.0 under /epcis/v2: bags' journeys in the language of supply chains, both ways."""
