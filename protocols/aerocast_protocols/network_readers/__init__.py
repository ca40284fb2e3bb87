"""RFID readers that tell of tags in JSON, over HTTP or MQTT, instead of LLRP."""
