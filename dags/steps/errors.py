"""Why a step fails, in words that are its `reason`."""


class StepFailed(Exception):
    """The step fails for good; trying again would not help."""


class TryAgain(Exception):
    """The step fails now (exit code 75); it may pass later."""
