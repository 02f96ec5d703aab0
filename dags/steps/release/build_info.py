"""`build_info.yaml`: what `build` made and `publish` publishes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steps.errors import StepFailed

NAME = "build_info.yaml"


@dataclass(frozen=True)
class BuildInfo:
    """An image and perhaps a chart, of one commit."""

    image: str
    """By digest where it was pushed, else by its tag, for the engine that built it."""
    commit: str
    chart: str = ""
    """The packed chart's file; empty when there is none."""

    def write(self, file: Path) -> None:
        """Write it to `file`."""
        import yaml  # noqa: PLC0415 - cloning needs the standard library only

        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(self.values(), sort_keys=False), encoding="utf-8")

    def values(self) -> dict[str, str]:
        """Return what there is, by name."""
        return {"image": self.image, "commit": self.commit} | ({"chart": self.chart} if self.chart else {})

    @classmethod
    def read(cls, file: Path) -> "BuildInfo":
        """Read it from `file`.

        Raises:
            StepFailed: it isn't there or is no such file.
        """
        import yaml  # noqa: PLC0415 - likewise

        try:
            said: Any = yaml.safe_load(file.read_bytes())
            return cls._checked(said)
        except FileNotFoundError:
            raise StepFailed(f"there is no {file}: `build` writes it to $ARTIFACTS/{NAME}") from None
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise StepFailed(f"{file} is no {NAME}: {' '.join(str(error).split())[:300]}") from None

    @classmethod
    def _checked(cls, said: object) -> "BuildInfo":
        if not isinstance(said, dict):
            raise ValueError("it has no keys")  # noqa: TRY004 - one kind of error for one kind of trouble
        values = {key: said.get(key) or "" for key in ("image", "commit", "chart")}
        for key, value in values.items():
            if not isinstance(value, str) or not value.isprintable() or value.startswith("-"):
                raise ValueError(f"its {key} is no plain text: {str(value)[:80]!r}")
        if not values["image"]:
            raise ValueError("it names no image")
        return cls(**values)
