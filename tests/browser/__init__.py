"""Run pages in a real Chromium.

A package, so that its browser ends with it: while Playwright is in use nothing else in the process can use
asyncio, another Playwright neither.
"""
