"""Formats an airport's devices and systems speak: bytes in, values out.

No socket, file, thread, clock or ``asyncio``: everything here can be fed literals in a test.
"""
