"""Where artifacts are kept: a local folder, or whatever fsspec knows (gs://, s3://, ...)."""

from bot.adapters.artifacts.store import FsspecArtifacts

__all__ = ["FsspecArtifacts"]
