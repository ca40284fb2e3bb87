"""From a device's settings to its driver, whose code is imported only here and only then.

Files are named as those of `aerocast_agent.config`: a family of devices each.
"""
