from __future__ import annotations

from hypothesis import settings

# A busy machine is slow at times; that is no finding.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
