"""`make chaos`: pull requests live through all that can fail; nothing may be lost or done twice."""
