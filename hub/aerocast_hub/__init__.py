"""The central service: bag journeys, flights, weather and advice from what the gateways see."""
