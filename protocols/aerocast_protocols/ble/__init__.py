"""Bluetooth Low Energy advertisements: beacons, and sensors that need no connection."""
